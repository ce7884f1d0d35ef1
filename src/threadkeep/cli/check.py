"""One check of `threadkeep doctor` and its finding."""

from __future__ import annotations

from dataclasses import dataclass

from threadkeep.errors import ThreadkeepError


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its finding.

    Attributes:
        state: `ok`, `note` or `fail`.
        about: what was checked.
        finding: what was found.
        remedy: what to do about it; empty if nothing needs to be done.
    """

    state: str
    about: str
    finding: str
    remedy: str = ""


def failure(topic: str, error: ThreadkeepError) -> Check:
    """A failed check; the text after the last colon of the error is the remedy."""
    finding, _, remedy = str(error).rpartition(": ")
    return Check("fail", topic, finding or str(error), remedy if finding else "")
