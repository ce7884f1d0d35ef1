"""Whether what is known of a user is true at a time, as far as that was said."""

from __future__ import annotations

from threadkeep.types.knowledge import Fact


def is_current(fact: Fact, now: float) -> bool:
    """Whether it is active, and did not end before."""
    is_over = fact.valid_to is not None and fact.valid_to.timestamp() <= now
    return fact.status == "active" and not is_over
