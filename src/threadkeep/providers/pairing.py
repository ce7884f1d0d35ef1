"""What every provider asks of tool calls: results beside their calls, and ids that are unique."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from threadkeep.groups import Group, group
from threadkeep.types import Item, Json

_CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Contribution:
    """One speaker's part of a prompt: messages, reasoning and calls, then the calls' results."""

    heads: list[Item]
    results: list[Item]


def contributions(items: Sequence[Item]) -> list[Contribution]:
    """The items as providers want them: each result right behind the output that called for it.

    Call ids that a provider would refuse (empty, too long, used before) get others, the same in
    call and result; results without a call are left out.
    """
    seen: set[str] = set()
    return [_contribution(found, seen) for found in group(items)[0]]


def tool_name(name: str | None) -> str:
    """The name of a tool as providers take it."""
    name = name or "tool"
    if _NAME.fullmatch(name):
        return name
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "tool"


def _contribution(found: Group, seen: set[str]) -> Contribution:
    if not found.calls:
        return Contribution(found.heads, [])
    ids = [_unique(call, found, index, seen) for index, call in enumerate(found.calls)]
    results = [
        _renamed_result(answer, new)
        for answer, new in zip(found.answers, ids, strict=True)
        if answer is not None
    ]
    return Contribution(list(_renamed_heads(found.heads, iter(ids))), results)


def _unique(call: dict[str, Json], found: Group, index: int, seen: set[str]) -> str:
    call_id = call.get("id") or ""
    number = 0
    while not _CALL_ID.fullmatch(call_id) or call_id in seen:
        source = f"{found.heads[0].id}:{index}:{call.get('id')}:{number}"
        call_id = "call_" + hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:24]
        number += 1
    seen.add(call_id)
    return call_id


def _renamed_heads(heads: Iterable[Item], ids: Iterable[str]) -> Iterable[Item]:
    fresh = iter(ids)
    for head in heads:
        calls = [{**call, "id": next(fresh)} for call in head.tool_calls]
        same = all(a["id"] == b.get("id") for a, b in zip(calls, head.tool_calls, strict=True))
        yield head if same else dataclasses.replace(head, tool_calls=calls, raw=None)


def _renamed_result(answer: Item, call_id: str) -> Item:
    if answer.tool_call_id == call_id:
        return answer
    return dataclasses.replace(answer, tool_call_id=call_id, raw=None)
