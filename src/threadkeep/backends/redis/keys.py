"""Which keys a stream has: `<prefix>:{<stream>}:h` and `:z`, in one slot of a cluster."""

from __future__ import annotations

import re
from typing import Final

from threadkeep.errors import ConfigError, InputError

_PREFIX: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
_GLOB: Final = re.compile(r"([*?\[\]\\^-])")


class Keys:
    """The names of one store's keys.

    Raises:
        ConfigError: the prefix holds other characters than letters, digits, and `_ . : / -`.
    """

    def __init__(self, prefix: object) -> None:
        if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
            raise ConfigError(
                f"prefix must be 1 to 64 letters, digits or any of _ . : / - , got {prefix!r}"
            )
        self._begin = f"{prefix}:{{"
        self._length = len(self._begin.encode())

    def of(self, stream: str) -> tuple[str, str]:
        """The keys of a stream: its records, and their index.

        Raises:
            InputError: the name would take its keys to different slots.
        """
        if stream.startswith("}"):
            raise InputError("a stream in Redis cannot have a name that begins with '}'")
        base = f"{self._begin}{stream}}}:"
        return f"{base}h", f"{base}z"

    def pattern(self, prefix: str) -> str:
        """What SCAN matches for streams that begin with `prefix`: one key of each."""
        return f"{_GLOB.sub(_escaped, self._begin + prefix)}*}}:h"

    def stream(self, key: bytes | str) -> str:
        """The stream that a key belongs to."""
        raw = key.encode() if isinstance(key, str) else key
        return raw[self._length : -3].decode(errors="replace")


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[1]}"
