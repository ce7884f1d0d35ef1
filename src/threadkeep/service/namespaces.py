"""Maps service identifiers to namespaces: they separate sessions and files, not users."""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import quote

from threadkeep.errors import ConfigError

DEFAULT: Final = "default"
"""The default identifier; `connect` has the same default namespace.

Facts, instructions and summaries are stored in it for every identifier.
"""

_MAX_LENGTH: Final = 64


def for_sessions(identifier: str) -> str:
    """The namespace of an identifier's sessions and files; a long one is hashed."""
    if len(quote(identifier, safe="", errors="surrogatepass")) <= _MAX_LENGTH:
        return identifier
    return f"={hashlib.sha256(identifier.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def check_identifier(identifier: object) -> str:
    """Validate an identifier; `None` becomes `DEFAULT`.

    Raises:
        ConfigError: it is not a text, or empty.
    """
    if identifier is None:
        return DEFAULT
    if not isinstance(identifier, str) or not identifier:
        raise ConfigError("identifier must be a str that is not empty")
    return identifier
