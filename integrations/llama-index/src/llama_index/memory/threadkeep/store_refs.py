"""A store as a text that names it without any secret, and the live store of such a text."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from threadkeep import Memory
from threadkeep.adapters.shared import shared
from threadkeep.errors import ConfigError

_live: Final[WeakValueDictionary[str, Memory]] = WeakValueDictionary()


def note(memory: Memory, given: Memory | str) -> str:
    """What names the store: its URL if that holds no secret, else how it shows itself.

    Two live stores that show themselves alike are told apart by a number.
    """
    if isinstance(given, str) and _is_public(given):
        return given
    for name, known in _live.items():
        if known is memory:
            return name
    shown, number = repr(memory), 1
    name = shown
    while name in _live:
        number += 1
        name = f"{shown} #{number}"
    _live[name] = memory
    return name


def found(name: str) -> Memory:
    """The live store of a name that `note` gave, in this process or in another.

    Raises:
        ConfigError: none of that name is open here.
    """
    known = _live.get(name)
    if known is not None:
        return known
    if not name.startswith("<"):
        return shared(name)
    raise ConfigError(
        f"the store {name} is not open in this process: connect it and make a "
        "ThreadkeepMemory on it before the context is restored"
    )


def _is_public(url: str) -> bool:
    split = urlsplit(url)
    return "@" not in split.netloc and not split.query
