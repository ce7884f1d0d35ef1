"""Convert SDK items to threadkeep items and back; items that the SDK wrote round-trip verbatim."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from openai_agents_threadkeep.continuation_codec import with_continuation
from threadkeep import Item, Window
from threadkeep.adapters.codec import payload_of
from threadkeep.adapters.plain_items import is_plain_text
from threadkeep.errors import InputError
from threadkeep.messages import Profile, parse, without_orphan_reasoning

FORMAT: Final = "openai-agents/1"
Entry = dict[str, Any]

_RESERVED_FIELDS: Final = frozenset({"seq", "metadata", "created_at", "raw", "model", "usage"})
_HIDDEN: Final = frozenset({"notice", "opaque"})
_FINAL_MESSAGE: Final = Item(role="user", content=".")


def to_item(entry: Any, number: int = 0) -> Item:
    """Convert an SDK entry to an item, which `to_entries` converts back unchanged.

    The SDK's ids are not used as record ids: chat models give all entries the same id, and an
    entry that is added twice must be popped twice.

    Raises:
        InputError: it is neither a dict nor an object with `model_dump`.
    """
    entry_dict = _as_dict(entry, f"item {number}")
    item = _parse_entry(entry_dict)
    if is_plain_text(item) and list(entry_dict.items()) == list(_plain_entry(item).items()):
        return item
    return dataclasses.replace(item, raw={"format": FORMAT, "data": entry_dict})


def to_entries(items: Sequence[Item], profile: Profile | None = None) -> list[Entry]:
    """Convert items to the input of a run: native ones verbatim, foreign ones translated.

    The entries share the items' contents, so do not use the items afterwards.

    Reasoning written by other frameworks is left out, since no other model can read it, but for
    what the server of the profile wants back.
    """
    entries: list[Entry] = []
    for is_native, adjacent_items in _runs(items):
        if is_native:
            entries += [_native_entry(item) for item in adjacent_items]
        else:
            entries += with_continuation(_foreign_entries(adjacent_items), adjacent_items, profile)
    return entries


def to_window_entries(items: Sequence[Item], profile: Profile | None = None) -> list[Entry]:
    """As `to_entries`, for a window, which is not the whole conversation.

    Reasoning without the output it led to is left out: the API refuses it.
    """
    return without_orphan_reasoning(to_entries(items, profile))


def _as_dict(entry: Any, location: str) -> Entry:
    if isinstance(entry, Mapping):
        return dict(entry)
    dump = getattr(entry, "model_dump", None)
    if not callable(dump):
        raise InputError(f"{location} must be a dict, got {type(entry).__name__}")
    return dict(dump(mode="json", exclude_unset=True))


def _parse_entry(data: Entry) -> Item:
    """Parse the fields that other frameworks can read; an unknown entry becomes an opaque block."""
    try:
        (item,) = parse({key: value for key, value in data.items() if key not in _RESERVED_FIELDS})
    except (InputError, ValueError, TypeError, KeyError, AttributeError):
        entry_type = data.get("type")
        block = {"type": "opaque", "value": {"type": str(entry_type or "encrypted"), **data}}
        return Item(type=str(entry_type or "encrypted"), role="assistant", content=[block])
    return item if not item.id and item.raw is None else dataclasses.replace(item, id="", raw=None)


def _plain_entry(item: Item) -> Entry:
    return {"content": item.content, "role": item.role}


def _native_entry(item: Item) -> Entry:
    return _plain_entry(item) if item.raw is None else dict(item.raw["data"])


def _runs(items: Sequence[Item]) -> Iterator[tuple[bool, list[Item]]]:
    """Split the items into runs of native and of foreign items."""
    input_items = [item for item in items if _is_native(item) or item.type not in _HIDDEN]
    native_flags = [_is_native(item) for item in input_items]
    for index, (item_before, item) in enumerate(pairwise(input_items), start=1):
        if not native_flags[index - 1] and item_before.type == "reasoning" and item.raw is None:
            native_flags[index] = False  # text stays with the reasoning that led to it
    run_start = 0
    for run_end in range(1, len(input_items) + 1):
        if run_end == len(input_items) or native_flags[run_end] != native_flags[run_start]:
            yield native_flags[run_start], input_items[run_start:run_end]
            run_start = run_end


def _is_native(item: Item) -> bool:
    return payload_of(item, FORMAT) is not None or is_plain_text(item)


def _foreign_entries(run: list[Item]) -> list[Entry]:
    """Translate foreign items; a result keeps its call's id even if the call is in another run."""
    call_ids = {tool_call.get("id") for item in run for tool_call in item.tool_calls}
    missing_ids = [
        str(item.tool_call_id) for item in _tool_results(run) if item.tool_call_id not in call_ids
    ]
    stand_ins = [_stand_in(id) for id in dict.fromkeys(missing_ids)]
    entries = Window([*stand_ins, *run, _FINAL_MESSAGE]).to_responses()[:-1]
    return [
        _in_one_text(entry)
        for entry in entries
        if not (_is_call(entry) and entry["call_id"] in missing_ids)
    ]


def _in_one_text(entry: Entry) -> Entry:
    """An answer in several parts as one text, as the SDK joins it: its chat models read no list."""
    content = entry.get("content")
    if entry.get("role") != "assistant" or not isinstance(content, list):
        return entry
    texts = [part.get("text") or part.get("refusal") for part in content]
    return {**entry, "content": "\n".join(filter(None, texts))}


def _tool_results(run: Iterable[Item]) -> Iterator[Item]:
    return (item for item in run if item.role in {"tool", "function"})


def _stand_in(call_id: str) -> Item:
    tool_call = {"id": call_id, "name": "tool", "args": {}}
    return Item(id=call_id, type="function_call", role="assistant", tool_calls=[tool_call])


def _is_call(entry: Entry) -> bool:
    return entry.get("type") == "function_call"
