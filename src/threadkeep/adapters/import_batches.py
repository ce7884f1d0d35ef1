"""What all imports from frameworks' own stores share."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown
from threadkeep.types import Item

BATCH: Final = 500
"""Items in one commit, and rows in one read."""


def add_in_batches(memory: Memory, session: str, user: str | None, items: Iterable[Item]) -> int:
    """Add the items to a session, each batch atomically; returns their number.

    The items have ids, so that an import can be repeated.

    Raises:
        NotOwner: the session belongs to another user.
    """
    chat, item_count, remaining_items = memory.session(session, user=user), 0, iter(items)
    while item_batch := list(islice(remaining_items, BATCH)):
        chat.add(*item_batch)
        item_count += len(item_batch)
    return item_count


def check_source_file(path: str | None, *, is_sqlite: bool = True) -> None:
    """Refuse a missing SQLite file, which SQLite would create.

    Args:
        path: the database of a URL; a `file:...` is taken as it is.
        is_sqlite: whether the URL is one of SQLite.

    Raises:
        ConfigError: there is no such file.
    """
    path = path or ""
    if is_sqlite and not path.startswith("file:") and not Path(path).is_file():
        raise ConfigError(f"there is no file {shown(path)} to import from")
