"""The result of `memory.check`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """Whether a store answered, for readiness probes.

    Attributes:
        ok: it answered a read in time.
        store: its URL, or its kind and path, without secrets.
        version: what it is, such as `PostgreSQL 15.13`; empty if it did not say.
        latency: seconds that the read took; `None` if it was not answered in time.
        error: what failed and what to do; empty if nothing did. It holds no secret.
    """

    ok: bool
    store: str
    version: str = ""
    latency: float | None = None
    error: str = ""
