"""Convert messages to threadkeep items and back; messages of the framework round-trip exactly.

Each function result is an item of its own, as other frameworks have it. Each item holds its own
contents only, so that what is forgotten is nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from agent_framework import Message

from agent_framework_threadkeep.content_codec import (
    Part,
    from_neutral,
    is_packed_result,
    packed_result,
    result_text,
    to_block,
    to_call,
    unpacked_result,
    with_bytes,
    without_bytes,
)
from threadkeep import Item
from threadkeep.adapters.codec import content_of, payload_of, results_apart
from threadkeep.adapters.json_values import as_json
from threadkeep.adapters.plain_items import PLAIN_ROLES, is_plain_text
from threadkeep.errors import InputError
from threadkeep.messages import as_blocks, contributions

FORMAT: Final = "agent-framework/1"
_HIDDEN: Final = frozenset({"notice", "opaque"})
_RESULT_ROLES: Final = frozenset({"tool", "function"})
_COUNTS: Final = {
    "input_token_count": "input_tokens",
    "output_token_count": "output_tokens",
    "total_token_count": "total_tokens",
}


def to_items(message: Message, number: int = 0) -> list[Item]:
    """The items of a message, which `to_messages` converts back to an equal message.

    As the framework's own dumps, an item has no `raw_representation`, and a marker in place of the
    exception of a failed function.

    Raises:
        InputError: it holds what is not JSON.
    """
    dump = _dump(message, number)
    contents: list[Part] = dump.pop("contents", [])
    if _is_plain(dump, contents):
        return [Item(role=message.role, content=contents[0]["text"])]
    if not contents:
        return [Item(type="notice", role=message.role, raw=_raw({"message": dump}))]
    groups = list(results_apart(contents, _is_result))
    group_id = uuid4().hex if len(groups) > 1 else None
    items: list[Item] = []
    for group in groups:
        is_result = _is_result(group[0])
        item_fields, slim_parts = _result(group[0]) if is_result else _message(message.role, group)
        envelope = {"message": dump} if not items else {"role": message.role}
        group_mark = {} if group_id is None else {"group": group_id}
        items.append(
            Item(**item_fields, raw=_raw({**envelope, **group_mark, "contents": slim_parts}))
        )
    return items


def to_messages(items: Sequence[Item]) -> list[Message]:
    """The messages of a conversation: native ones exact, foreign ones translated.

    Each result stands behind its call. Thoughts of other frameworks' models are left out, since no
    other model can read them.
    """
    messages: list[Message] = []
    for contribution in _parts(items):
        previous_item: Item | None = None
        for item in contribution:
            native_message = _native_message(item)
            message = _foreign_message(item) if native_message is None else native_message
            if message is None:
                continue
            if previous_item is not None and _continues(
                previous_item, item, is_native=native_message is not None
            ):
                messages[-1].contents.extend(message.contents)
            else:
                messages.append(message)
            previous_item = item
    return messages


def _parts(items: Sequence[Item]) -> list[Sequence[Item]]:
    """What one speaker contributed, with the results of its calls; no item is left out."""
    item_groups = [(*c.heads, *c.results) for c in contributions(items, as_is=lambda _: True)]
    return [*item_groups] if sum(map(len, item_groups)) == len(items) else [items]


def _continues(previous: Item, item: Item, *, is_native: bool) -> bool:
    """Whether an item is a part of the message before it, as its writer stored them apart."""
    if is_native:
        group_id = _data(item).get("group")
        return group_id is not None and group_id == _data(previous).get("group")
    is_separate = bool(item.tool_calls) and (item.type != "message" or bool(previous.tool_calls))
    return is_separate and previous.role == item.role == "assistant" and not _data(previous)


def usage_of(details: Any) -> dict[str, Any] | None:
    """The framework's token counts, as the Responses API names them; `None` if there are none."""
    usage: dict[str, Any] = {_COUNTS.get(key, key): count for key, count in (details or {}).items()}
    return {name: count for name, count in usage.items() if count is not None} or None


def _dump(message: Message, number: int) -> dict[str, Any]:
    try:
        message_dump = message.to_dict(exclude={"contents", "additional_properties"})
        message_dump["additional_properties"] = message.additional_properties
        message_dump["contents"] = [content.to_dict() for content in message.contents]
        return dict(as_json(message_dump, any_type=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"message {number} cannot be stored as JSON: {error}") from error


def _is_plain(dump: dict[str, Any], contents: list[Part]) -> bool:
    """Whether role and text say it all."""
    has_more = any(dump.get(field_name) for field_name in dump.keys() - {"type", "role"})
    if has_more or dump["role"] not in PLAIN_ROLES or len(contents) != 1:
        return False
    text_defaults = {"type": "text", "additional_properties": {}}
    text_part = dict(contents[0])
    return isinstance(text_part.pop("text", None), str) and text_part == text_defaults


def _native_message(item: Item) -> Message | None:
    """The message, or the part of it that the item holds; `None` if another framework wrote it."""
    if is_plain_text(item):
        return Message(item.role, [str(item.content)])
    if not (data := _data(item)):
        return None
    try:
        envelope = dict(data["message"] if "message" in data else {"role": data["role"]})
        contents = [_stored_part(part, item) for part in data.get("contents", ())]
        return Message.from_dict({**envelope, "contents": contents})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None  # of another shape: what is neutral


def _data(item: Item) -> dict[str, Any]:
    """The payload of the framework; empty if another one wrote the item."""
    return payload_of(item, FORMAT) or {}


def _stored_part(part: Part, item: Item) -> Part:
    if is_packed_result(part):
        return unpacked_result(part)
    return with_bytes(part, item.content)


def _is_result(part: Part) -> bool:
    return bool(part["type"] == "function_result")


def _result(part: Part) -> tuple[dict[str, Any], list[Part]]:
    item_fields = {
        "type": "tool_result",
        "role": "tool",
        "tool_call_id": part.get("call_id") or "",
        "content": result_text(part),
    }
    error_status = {"status": "error"} if part.get("exception") else {}
    return {**item_fields, **error_status}, [packed_result(part)]


def _message(role: str, parts: list[Part]) -> tuple[dict[str, Any], list[Part]]:
    content, slim_parts = content_of(parts, to_block, without_bytes)
    details = next((part.get("usage_details") for part in parts if part["type"] == "usage"), None)
    return {
        "role": "assistant" if role == "tool" else role,
        "content": content,
        "tool_calls": [to_call(part) for part in parts if part["type"] == "function_call"],
        "usage": usage_of(details),
    }, slim_parts


def _foreign_message(item: Item) -> Message | None:
    if item.type in _HIDDEN:
        return None
    if item.role in _RESULT_ROLES:
        result = {"type": "function_result", "call_id": item.tool_call_id, "result": _text(item)}
        text_parts = [{"type": "text", "text": _text(item)}]
        return Message("tool", [{**result, "items": text_parts}])
    blocks = as_blocks(item.content)
    parts = [part for block in blocks if (part := from_neutral(block)) is not None]
    contents = [*parts, *map(_call, item.tool_calls)]
    return Message(item.role, contents) if contents else None


def _text(item: Item) -> str:
    if isinstance(item.content, str):
        return item.content
    parts = [from_neutral(block) for block in item.content]
    return "\n".join(str(part.get("text") or "") for part in parts if part is not None)


def _call(call: dict[str, Any]) -> Part:
    call_names = {"call_id": call.get("id") or "", "name": call.get("name") or ""}
    return {"type": "function_call", **call_names, "arguments": call.get("args"), "hosted": False}


def _raw(data: dict[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT, "data": data}
