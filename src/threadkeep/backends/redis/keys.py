"""Key names: a stream has `<prefix>:{<stream>}:h` and `:z`, in one slot of a cluster."""

from __future__ import annotations

import re
from typing import Final

from threadkeep.errors import ConfigError, InputError
from threadkeep.printable import shown

_PREFIX: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
_GLOB: Final = re.compile(r"([*?\[\]\\^-])")


class StreamKeys:
    """The key names of one store.

    Raises:
        ConfigError: the prefix contains characters other than letters, digits, and `_ . : / -`.
    """

    def __init__(self, prefix: object) -> None:
        if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
            raise ConfigError(
                f"prefix must be 1 to 64 letters, digits or any of _ . : / - , got {shown(prefix)}"
            )
        self._start = f"{prefix}:{{"
        self._length = len(self._start.encode())

    def of(self, stream: str) -> tuple[str, str]:
        """The keys of a stream: its records and their index.

        Raises:
            InputError: the name would put its keys into different slots.
        """
        if stream.startswith("}"):
            raise InputError("a stream in Redis cannot have a name that begins with '}'")
        key_prefix = f"{self._start}{stream}}}:"
        return f"{key_prefix}h", f"{key_prefix}z"

    def pattern(self, prefix: str) -> str:
        """The SCAN pattern for streams whose name begins with `prefix`: one key per stream."""
        return f"{_GLOB.sub(_escape, self._start + prefix)}*}}:h"

    def stream(self, key: bytes | str) -> str:
        """The stream that a key belongs to."""
        key_bytes = key.encode() if isinstance(key, str) else key
        return key_bytes[self._length : -3].decode(errors="replace")


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[1]}"
