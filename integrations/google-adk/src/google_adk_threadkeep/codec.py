"""Convert events to threadkeep items and back; events that ADK wrote round-trip exactly.

Each function response is an item of its own, as other frameworks have it, and so is what stands
between them: an event of parallel calls is several items. Each holds its own parts only, so that
what is forgotten is nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from google.adk.events.event import Event

from google_adk_threadkeep.content_codec import (
    Part,
    result_text,
    to_block,
    to_call,
    to_response,
    with_bytes,
    without_bytes,
)
from google_adk_threadkeep.foreign_events import Caller, foreign_event
from threadkeep import Item
from threadkeep.adapters.codec import content_of, payload_of, results_apart
from threadkeep.errors import InputError

FORMAT: Final = "google-adk/1"
_IDENTITY: Final = ("id", "invocation_id", "author", "timestamp")


def dump(event: Event) -> dict[str, Any]:
    """An event as JSON.

    Raises:
        InputError: it holds what is not JSON.
    """
    try:
        return event.model_dump(mode="json", exclude_none=True)
    except (ValueError, RecursionError) as error:
        raise InputError(f"event cannot be stored as JSON: {error}") from error


def to_items(event: Event) -> list[Item]:
    """The items of an event, which `to_events` converts back to an equal event.

    Raises:
        InputError: it holds what is not JSON.
    """
    event_dump = dump(event)
    content_dump = event_dump.get("content") or {}
    parts: list[Part] = content_dump.get("parts") or []
    if not parts:
        return [_item(event, {"type": "notice", "role": "system"}, {"event": event_dump}, 0)]
    envelope = {**event_dump, "content": {k: v for k, v in content_dump.items() if k != "parts"}}
    identity_fields = {name: event_dump[name] for name in _IDENTITY if name in event_dump}
    items: list[Item] = []
    for group in results_apart(parts, _is_result):
        item_fields, raw_parts = (
            _result(group[0]) if _is_result(group[0]) else _message(event, group)
        )
        reference = {"of": identity_fields} if items else {"event": envelope}
        items.append(_item(event, item_fields, {**reference, "parts": raw_parts}, len(items)))
    return items


def to_events(items: Sequence[Item], agent: str = "assistant") -> list[Event]:
    """The events of a conversation: native ones exact, foreign ones translated.

    Args:
        items: oldest first.
        agent: the author of answers that other frameworks stored.
    """
    events: list[Event] = []
    caller_by_id: dict[str, Caller] = {}
    for item in items:
        event = _native_event(item)
        if event is None:
            event = foreign_event(item, caller_by_id.get(item.tool_call_id or "", Caller(agent)))
        elif events and _is_rest(item) and events[-1].id == event.id:
            events[-1].content.parts += event.content.parts  # type: ignore[union-attr, operator]
            continue
        if event is not None:
            events.append(event)
            calls = ((call.get("id", ""), call.get("name")) for call in item.tool_calls)
            caller_by_id.update((call_id, Caller(event.author, name)) for call_id, name in calls)
    return events


def event_id_of(item: Item) -> str:
    """The id of the event that an item belongs to."""
    raw_data = payload_of(item, FORMAT) or {}
    return str((raw_data.get("event") or raw_data.get("of") or {}).get("id", item.id))


def timestamp_of(item: Item) -> float:
    """When the event of an item happened, in epoch seconds."""
    raw_data = payload_of(item, FORMAT) or {}
    timestamp = (raw_data.get("event") or raw_data.get("of") or {}).get("timestamp")
    if timestamp is not None:
        return float(timestamp)
    return 0.0 if item.created_at is None else item.created_at.timestamp()


def _is_rest(item: Item) -> bool:
    return "of" in (payload_of(item, FORMAT) or {})


def _native_event(item: Item) -> Event | None:
    """The event as ADK wrote it, or the part of it that the item holds; `None` if it is foreign."""
    if (raw_data := payload_of(item, FORMAT)) is None:
        return None
    try:
        event_dump = dict(raw_data["event"] if "event" in raw_data else raw_data["of"])
        if parts := [_stored_part(part, item) for part in raw_data.get("parts", ())]:
            role = "model" if item.role == "assistant" else "user"
            event_dump["content"] = {**event_dump.get("content", {"role": role}), "parts": parts}
        return Event.model_validate(event_dump)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None  # of another shape: what is neutral


def _stored_part(part: Part, item: Item) -> Part:
    if "output" not in part:
        return with_bytes(part, item.content)
    response = to_response(part["output"], part.get("key"))
    part_fields = {name: value for name, value in part.items() if name not in {"output", "key"}}
    return {**part_fields, "function_response": {**part["function_response"], "response": response}}


def _is_result(part: Part) -> bool:
    return "function_response" in part


def _result(part: Part) -> tuple[dict[str, Any], list[Part]]:
    response = part["function_response"]
    call_id = response.get("id") or response.get("name") or ""
    item_fields = {"type": "tool_result", "role": "tool", "tool_call_id": call_id}
    item_fields |= {"name": response["name"]} if response.get("name") else {}
    if "response" not in response or response.get("parts"):
        return {**item_fields, "content": result_text(response.get("response") or {})[0]}, [part]
    output_text, output_key = result_text(response["response"])
    response_fields = {name: value for name, value in response.items() if name != "response"}
    stored_part = {**part, "function_response": response_fields, "output": output_text}
    return {**item_fields, "content": output_text}, [
        stored_part if output_key is None else {**stored_part, "key": output_key}
    ]


def _message(event: Event, parts: list[Part]) -> tuple[dict[str, Any], list[Part]]:
    content, slim_parts = content_of(parts, to_block, without_bytes)
    role = None if event.content is None else event.content.role
    is_user_message = role == "user" or (role is None and event.author == "user")
    return {
        "role": "user" if is_user_message else "assistant",
        "content": content,
        "tool_calls": [to_call(part) for part in parts if "function_call" in part],
    }, slim_parts


def _item(event: Event, fields: dict[str, Any], raw_data: dict[str, Any], item_number: int) -> Item:
    is_answer = fields["role"] == "assistant"
    return Item(
        **fields,
        id=event.id if not item_number else f"{event.id}#{item_number}",
        model=event.model_version if is_answer else None,
        usage=usage_of(event) if is_answer and not item_number else None,
        created_at=_datetime(event.timestamp),
        raw={"format": FORMAT, "data": raw_data},
    )


def usage_of(event: Event) -> dict[str, Any] | None:
    """The token counts of an answer, as the Responses API names them; `None` if there are none."""
    usage = event.usage_metadata
    if usage is None:
        return None
    thought_tokens = usage.thoughts_token_count or 0
    count_by_name = {
        "input_tokens": usage.prompt_token_count,
        "output_tokens": (usage.candidates_token_count or 0) + thought_tokens,
        "total_tokens": usage.total_token_count,
        "input_tokens_details": {"cached_tokens": usage.cached_content_token_count or 0},
        "output_tokens_details": {"reasoning_tokens": thought_tokens},
    }
    return {name: count for name, count in count_by_name.items() if count is not None}


def _datetime(timestamp: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None
