"""What every provider asks of a prompt: results beside their calls, ids that are unique, UTF-8."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from typing import Any, Final

from threadkeep.messages.tool_groups import ToolGroup, group, speaker
from threadkeep.types import Item, Json

OMITTED: Final = "(earlier conversation omitted)"
"""A user message where an API insists on one and the window holds none."""

_CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Contribution:
    """One speaker's part of a prompt: messages, reasoning and calls, then the calls' results."""

    heads: list[Item]
    results: list[Item]


def contributions(
    items: Sequence[Item],
    *,
    ids: re.Pattern[str] = _CALL_ID,
    once: bool = True,
    as_is: Callable[[ToolGroup], bool] = lambda _: False,
) -> list[Contribution]:
    """The items as providers want them: each result right behind the output that called for it.

    Call ids that a provider would refuse get others, the same in call and result; results
    without a call are left out.

    Args:
        items: a conversation.
        ids: which call ids the provider takes.
        once: no id may come again in the whole conversation; else not in one message.
        as_is: groups that are left alone.
    """
    seen: set[str] = set()
    found: list[Contribution] = []
    for group_ in group(items)[0]:
        if not group_.calls or as_is(group_):
            answers = [answer for answer in group_.answers if answer is not None]
            found.append(Contribution(group_.heads, answers))
        else:
            found.append(_contribution(group_, ids, seen if once else set()))
    return found


def asked(item: Item, ids: re.Pattern[str]) -> list[Json] | None:
    """The ids of an item's calls, last first; `None` if the provider would not take them."""
    found = [call.get("id") for call in reversed(item.tool_calls)]
    if not all(isinstance(id, str) and ids.fullmatch(id) for id in found):
        return None
    return found if len(set(found)) == len(found) else None


def role_of(item: Item) -> str:
    """The role a provider takes: `user`, `assistant`, `system` or `developer`."""
    who = speaker(item)
    if who == "system":
        return item.role
    return "assistant" if who == "assistant" else "user"


def verbatim(item: Item, format_: str) -> Any:
    """The payload kept of an item that came in the format, or `None`."""
    if item.raw is None or item.raw.get("format") != format_:
        return None
    return item.raw.get("data")


def tool_name(name: str | None) -> str:
    """The name of a tool as providers take it."""
    name = name or "tool"
    if _NAME.fullmatch(name):
        return name
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "tool"


def sendable(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages, lone surrogates replaced: no request can carry them."""
    texts: list[str] = []
    for message in messages:
        try:
            texts.append("".join(message) + "".join(message.values()))  # as nearly all can be
        except TypeError:
            _gather(message, texts)
    try:
        # takes no surrogate either, in half the time of UTF-8
        "".join(filterfalse(str.isascii, texts)).encode("utf-16-le")
    except UnicodeEncodeError:
        return [in_utf8(message) for message in messages]
    return messages


def _gather(value: Any, texts: list[str]) -> None:
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, dict):
        for entry in (*value, *value.values()):
            _gather(entry, texts)
    elif isinstance(value, list):
        for entry in value:
            _gather(entry, texts)


def in_utf8(value: Any) -> Any:
    """The value, lone surrogates replaced."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {in_utf8(key): in_utf8(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [in_utf8(entry) for entry in value]
    return value


def _contribution(found: ToolGroup, ids: re.Pattern[str], seen: set[str]) -> Contribution:
    fresh = [_unique(call, found, index, ids, seen) for index, call in enumerate(found.calls)]
    results = [
        _renamed_result(answer, new)
        for answer, new in zip(found.answers, fresh, strict=True)
        if answer is not None
    ]
    return Contribution(list(_renamed_heads(found.heads, iter(fresh))), results)


def _unique(
    call: dict[str, Json], found: ToolGroup, index: int, ids: re.Pattern[str], seen: set[str]
) -> str:
    call_id = call.get("id") or ""
    number = 0
    while not ids.fullmatch(call_id) or call_id in seen:
        source = f"{found.heads[0].id}:{index}:{call.get('id')}:{number}"
        call_id = f"call_{_digest(source)}"
        number += 1
    seen.add(call_id)
    return call_id


def _digest(source: str) -> str:
    import hashlib  # rare, and a tenth of the time our import takes

    return hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:24]


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
