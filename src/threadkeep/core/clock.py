"""The time of an engine: the application's clock, or this machine's, corrected by its store's."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from threadkeep.errors import ConfigError
from threadkeep.printable import shown
from threadkeep.protocols import Backend, SupportsClockOffset, WrapsBackend

LARGE: Final = 60.0
"""Seconds from which an offset is worth a warning."""

_SMALL: Final = 1.0
"""Up to so many seconds an offset may be the round trip's, and nothing here depends on it."""

_YEAR_1: Final = -62_135_596_800.0
_YEAR_10_000: Final = 253_402_300_799.0


class StoreClock:
    """Epoch seconds, for expiry and dates.

    All workers of a store with a server follow its clock: the offset is measured at the first
    use, and again when this machine's clock was set or slept. SQLite, files and memory have no
    clock of their own.

    Args:
        backend: returns the store.
        clock: the application's own clock, which is taken as it is.
    """

    def __init__(
        self, backend: Callable[[], Backend], clock: Callable[[], float] | None = None
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._offset: float | None = None
        self._measured_at: float | None = None  # on the scale that only setting the clock moves

    def now(self) -> float:
        """The time in epoch seconds, to microseconds, as a datetime has them.

        Raises:
            BackendError: the first call asks the store for its time, and it did not answer.
            ConfigError: the application's clock gives no epoch seconds.
        """
        if self._clock is not None:
            return round(_checked(self._clock()) * 1e6) / 1e6
        now = time.time()
        wall_clock_shift = now - time.monotonic()
        if self._measured_at is None or abs(wall_clock_shift - self._measured_at) > _SMALL:
            self._measure(renew=self._measured_at is not None)
            self._measured_at = wall_clock_shift
        store_offset = self._offset
        if store_offset is not None and abs(store_offset) > _SMALL:
            now += store_offset
        return round(now * 1e6) / 1e6

    def offset(self) -> float | None:
        """Seconds by which the store's server is ahead; `None` = no server, or `clock=`.

        Raises:
            BackendError: the store did not answer.
        """
        self.now()
        return self._offset

    def _measure(self, *, renew: bool) -> None:
        backend = self._backend()
        while isinstance(backend, WrapsBackend):
            backend = backend.inner
        if isinstance(backend, SupportsClockOffset):
            self._offset = backend.clock_offset(renew=renew)
        if self._offset is not None and abs(self._offset) > LARGE:
            _warn(self._offset)


def _checked(clock_time: object) -> float:
    """What the application gives; milliseconds would be stored as a date nobody can read."""
    try:
        epoch_seconds = float(clock_time)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        epoch_seconds = math.nan
    if _YEAR_1 <= epoch_seconds < _YEAR_10_000:
        return epoch_seconds
    raise ConfigError(f"clock must give epoch seconds, as time.time does, got {shown(clock_time)}")


def _warn(offset: float) -> None:
    import logging  # rarely needed, and slow to import

    logging.getLogger("threadkeep").warning(
        "this machine's clock is %s the store's server's, whose time is used: set it (NTP)",
        describe_offset(offset),
    )


def describe_offset(offset: float) -> str:
    """An offset for people: `90 s behind`."""
    return f"{abs(offset):.0f} s {'behind' if offset > 0 else 'ahead of'}"
