"""How writers of a session wait for each other, and the error when that does not help."""

from __future__ import annotations

import time
from typing import Final

from threadkeep.errors import BackendError
from threadkeep.printable import shown
from threadkeep.protocols import Backend

TRIES: Final = 64
APPEND_TRIES: Final = 512  # writers that only append do not wait for one that has to read first
MAX_DELAY: Final = 0.05
SHORT_DELAY: Final = 0.005
_MIN_DELAY: Final = 0.0005


def back_off(backend: Backend, attempt: int, max_delay: float = MAX_DELAY) -> None:
    """Wait with exponential backoff before the next attempt, unless the backend never blocks."""
    if attempt and backend.blocking:
        import random  # only needed on conflicts

        delay = min(max_delay, _MIN_DELAY * 2**attempt)
        time.sleep(random.uniform(0, delay))  # noqa: S311 (not for secrets)


def contention_error(session: str, tries: int) -> BackendError:
    """The error of a step that conflicted at every try."""
    return BackendError(
        f"session {shown(session)} was changed by others at each of {tries} tries; try again"
    )
