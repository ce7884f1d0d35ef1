"""The users of whom long-term memory knows something, whether they have sessions or not."""

from __future__ import annotations

from typing import Any

from threadkeep.core import names
from threadkeep.core.engine import Engine


def known_users(engine: Engine, cursor: Any, limit: int) -> tuple[list[str], Any]:
    """A page of them, about as large as the limit, and the cursor of the next one.

    Those whose names are too long to be read back are left out.
    """
    longterm = engine.longterm
    prefix = names.noun_prefix(longterm.settings.namespace, "user")
    stream_names, next_cursor = longterm.streams(prefix, cursor=cursor, limit=limit)
    encoded_names = (names.parts(stream)[1] for stream in dict.fromkeys(stream_names))
    return [names.decoded(name) for name in encoded_names if not name.startswith("=")], next_cursor
