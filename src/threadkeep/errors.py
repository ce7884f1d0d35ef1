"""Every error that threadkeep raises: one root and its subclasses.

A message says what failed, where, and what to do about it.
It never holds a secret, and never the text of a message.
"""

from __future__ import annotations

from collections.abc import Iterable

from threadkeep.printable import shown

__all__ = [
    "ThreadkeepError",
    "ConfigError",
    "ImportConfigError",
    "InputError",
    "NotFound",
    "NotOwner",
    "MissingExtra",
    "BackendError",
    "BackendTimeout",
    "CorruptRecord",
    "WrongKey",
    "Conflict",
]


class ThreadkeepError(Exception):
    """Root of all errors raised by threadkeep."""


class ConfigError(ThreadkeepError, ValueError):
    """An option, URL or policy is unknown, contradictory or out of range; names the key."""


class ImportConfigError(ConfigError, ImportError):
    """A module that the configuration names cannot be imported."""


class InputError(ThreadkeepError, ValueError):
    """An argument is not valid or cannot be stored; names the field. Nothing was written."""


class NotFound(ThreadkeepError, LookupError):
    """The item, session or cursor that was named does not exist."""


class NotOwner(ThreadkeepError, PermissionError):
    """The session belongs to another user. Nothing was returned or written."""


class MissingExtra(ThreadkeepError, ImportError):
    """An optional package is not installed; the message says which extra brings it."""


class BackendError(ThreadkeepError):
    """The store could not do the operation (unreachable, full, read-only, closed, not ours)."""


class BackendTimeout(BackendError, TimeoutError):
    """The store, or a free connection to it, did not answer within `timeout` seconds."""


class CorruptRecord(BackendError):
    """A stored record that is indispensable cannot be read."""


class WrongKey(BackendError):
    """The store was encrypted with a key that was not given. Nothing was returned or written."""


class Conflict(BackendError):
    """A compare-and-set found another version, or something that should be new exists already.

    Of two writers that use one new id (of a session or an item), the second one gets it.

    Attributes:
        current: the version found (0 = no live stream).
    """

    def __init__(self, message: str, *, current: int = 0) -> None:
        super().__init__(message)
        self.current = current


def did_you_mean(wrong: object, valid_names: Iterable[str]) -> str:
    """Return `; did you mean 'ttl'?`, or all valid names if none is close."""
    import difflib  # needed for errors only

    names = sorted(valid_names)
    text = wrong[:_MAX_COMPARED] if isinstance(wrong, str) else ""
    matches = difflib.get_close_matches(text, names, n=1)
    return f"; did you mean {shown(matches[0])}?" if matches else f"; known: {', '.join(names)}"


_MAX_COMPARED = 100  # characters: comparing takes the square of them


def __dir__() -> list[str]:
    return sorted(__all__)
