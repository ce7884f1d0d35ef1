"""The ids of entries: made of the ids of items, and back, without a look-up.

OpenAI refuses a message whose id does not begin with `msg`, so an item's own id may need a prefix,
and the further entries of an item a number. What could be mistaken for either gets them too.
"""

from __future__ import annotations

import re
from typing import Final

_PREFIXES: Final = {"message": "msg", "reasoning": "rs", "function_call": "fc"}
_OTHER: Final = "item"
_MARK: Final = "~"
_PREFIXED: Final = re.compile(rf"(?:msg|rs|fc|{_OTHER}){_MARK}")
_NUMBERED: Final = re.compile(rf"(.+){_MARK}([0-9]{{1,6}})", re.DOTALL)


def entry_id(item_id: str, kind: str, number: int = 0) -> str:
    """The id of an entry.

    Args:
        item_id: the id of its item.
        kind: the type of the entry.
        number: its place among the entries of its item.
    """
    prefix = _PREFIXES.get(kind, "")
    id = item_id
    if not id.startswith(prefix) or _PREFIXED.match(id):
        id = f"{prefix or _OTHER}{_MARK}{id}"
    return f"{id}{_MARK}{number}" if number or _NUMBERED.fullmatch(id) else id


def item_id(id: str) -> tuple[str, int]:
    """The id of the item of an entry, and the entry's number in it."""
    entry_number = 0
    if number_match := _NUMBERED.fullmatch(id):
        id, entry_number = number_match[1], int(number_match[2])
    prefix_match = _PREFIXED.match(id)
    if prefix_match and len(id) > prefix_match.end():
        id = id[prefix_match.end() :]
    return id, entry_number
