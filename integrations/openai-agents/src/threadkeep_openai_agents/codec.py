"""Items of the SDK to items of threadkeep and back: verbatim for what the SDK wrote itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from threadkeep import Item, Window
from threadkeep.errors import InputError
from threadkeep.messages import parse

FORMAT: Final = "openai-agents/1"
Entry = dict[str, Any]

_NOT_THEIRS: Final = frozenset({"seq", "metadata", "created_at", "raw", "model", "usage"})
_HIDDEN: Final = frozenset({"notice", "opaque"})
_SPEAKERS: Final = frozenset({"user", "assistant", "system", "developer"})
_LAST: Final = Item(role="user", content=".")


def to_item(entry: Any, number: int = 0) -> Item:
    """The item of an entry, which comes back from `to_entries` as it is.

    No id of the SDK's becomes a key: chat models give the same one to every entry, and what is
    added twice is to be popped twice.

    Raises:
        InputError: it is no dict, nor an object that says what it is as a dict.
    """
    data = _as_dict(entry, f"item {number}")
    item = _parsed(data)
    if _is_plain(item) and list(data.items()) == list(_plain(item).items()):
        return item
    return dataclasses.replace(item, raw={"format": FORMAT, "data": data})


def to_entries(items: Sequence[Item]) -> list[Entry]:
    """The input of a run: own entries verbatim, those of other frameworks as the SDK takes them.

    The items are used up: what an entry holds is theirs.

    Reasoning of other frameworks' models is left out, since no other model can read it.
    """
    entries: list[Entry] = []
    for own, run in _runs(items):
        entries += [_own(item) for item in run] if own else _translated(run)
    return entries


def _as_dict(entry: Any, where: str) -> Entry:
    if isinstance(entry, Mapping):
        return dict(entry)
    dump = getattr(entry, "model_dump", None)
    if not callable(dump):
        raise InputError(f"{where} must be a dict, got {type(entry).__name__}")
    return dict(dump(mode="json", exclude_unset=True))


def _parsed(data: Entry) -> Item:
    """What other frameworks may read of it: as much as is understood, else the whole as it is."""
    try:
        (item,) = parse({key: value for key, value in data.items() if key not in _NOT_THEIRS})
    except (InputError, ValueError, TypeError, KeyError, AttributeError):
        kind = data.get("type")
        block = {"type": "opaque", "value": {"type": str(kind or "encrypted"), **data}}
        return Item(type=str(kind or "encrypted"), role="assistant", content=[block])
    return item if not item.id and item.raw is None else dataclasses.replace(item, id="", raw=None)


def _is_plain(item: Item) -> bool:
    """Whether role and text say everything, in the shape the SDK itself makes of a user's text."""
    if item.raw is not None or item.type != "message" or not isinstance(item.content, str):
        return False
    return item.role in _SPEAKERS and not (item.tool_calls or item.name or item.tool_call_id)


def _plain(item: Item) -> Entry:
    return {"content": item.content, "role": item.role}


def _own(item: Item) -> Entry:
    return _plain(item) if item.raw is None else dict(item.raw["data"])


def _runs(items: Sequence[Item]) -> Iterator[tuple[bool, list[Item]]]:
    """The items in runs that can be given back as they are, and runs that cannot."""
    seen = [item for item in items if _is_own(item) or item.type not in _HIDDEN]
    owns = [_is_own(item) for item in seen]
    for index, (before, item) in enumerate(pairwise(seen), start=1):
        if not owns[index - 1] and before.type == "reasoning" and item.raw is None:
            owns[index] = False  # the words that a thought led to stay with it
    start = 0
    for end in range(1, len(seen) + 1):
        if end == len(seen) or owns[end] != owns[start]:
            yield owns[start], seen[start:end]
            start = end


def _is_own(item: Item) -> bool:
    return _is_plain(item) or (item.raw or {}).get("format") == FORMAT


def _translated(run: list[Item]) -> list[Entry]:
    """Items of others, each result with its call's id, though the call may stand in another run."""
    asked = {call.get("id") for item in run for call in item.tool_calls}
    lent = [str(item.tool_call_id) for item in _results(run) if item.tool_call_id not in asked]
    calls = [_stand_in(id) for id in dict.fromkeys(lent)]
    entries = Window([*calls, *run, _LAST]).to_responses()[:-1]
    return [entry for entry in entries if not (_asks(entry) and entry["call_id"] in lent)]


def _results(run: Iterable[Item]) -> Iterator[Item]:
    return (item for item in run if item.role in {"tool", "function"})


def _stand_in(id: str) -> Item:
    call = {"id": id, "name": "tool", "args": {}}
    return Item(id=id, type="function_call", role="assistant", tool_calls=[call])


def _asks(entry: Entry) -> bool:
    return entry.get("type") == "function_call"
