"""Points in time: epoch seconds inside, aware datetimes in UTC outside."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

from threadkeep.errors import InputError
from threadkeep.printable import shown


@functools.lru_cache(maxsize=8_192)  # the same items are read turn after turn
def utc_datetime(at: float) -> datetime:
    """Epoch seconds as an aware datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)


def parse_time(value: object, location: str = "created_at") -> datetime:
    """An aware UTC datetime from epoch seconds, ISO 8601 or a datetime (naive = local time).

    Raises:
        InputError: it is none of these, or out of range.
    """
    try:
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        if isinstance(value, str):
            return datetime.fromisoformat(value).astimezone(UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return utc_datetime(value)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"{location} is not a point in time: {shown(value)}") from error
    raise InputError(
        f"{location} must be epoch seconds, ISO 8601 or a datetime, got {type(value).__name__}"
    )
