"""What identifiers keep apart: sessions and files. The one place that decides it."""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import quote

from threadkeep.errors import ConfigError

DEFAULT: Final = "default"
"""The identifier of a service that was given none; `connect` has the same namespace.

Facts, instructions and summaries stand in it whatever the identifier: they are the user's.
"""

_LONGEST: Final = 64


def of_sessions(identifier: str) -> str:
    """The namespace of an identifier's sessions and files; a long one is hashed."""
    if len(quote(identifier, safe="", errors="surrogatepass")) <= _LONGEST:
        return identifier
    return f"={hashlib.sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def checked(identifier: object) -> str:
    """The identifier, `DEFAULT` if there is none.

    Raises:
        ConfigError: it is no text, or an empty one.
    """
    if identifier is None:
        return DEFAULT
    if not isinstance(identifier, str) or not identifier:
        raise ConfigError("identifier must be a str that is not empty")
    return identifier
