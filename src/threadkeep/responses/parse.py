"""Parse dicts and SDK objects of a model's response into a `Response`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.user_id import optional_user_id
from threadkeep.errors import InputError
from threadkeep.messages.parse import parse
from threadkeep.printable import shown
from threadkeep.responses import events
from threadkeep.types import Json
from threadkeep.types.openai_limits import check_metadata
from threadkeep.types.responses import Response
from threadkeep.types.timestamps import parse_time

_TEXT_FIELDS: Final = ("id", "previous_response_id", "model", "status", "safety_identifier")
_RESPONSE_FIELDS: Final = frozenset(
    {*_TEXT_FIELDS, "user", "conversation", "input", "output", "usage", "metadata", "created_at"}
)
_DERIVED_FIELDS: Final = frozenset({"tool_calls", "extra", "seq", "store", "object", "output_text"})
_CUT_OFF: Final = frozenset({"max_tokens", "model_context_window_exceeded", "pause_turn"})
_CALL_TYPES: Final = frozenset({"function_call", "mcp_call", "custom_tool_call", "message", None})


def parse_response(source: object, overrides: Mapping[str, Any]) -> tuple[Response, bool]:
    """Parse a response; returns it and whether it may be stored (`store`).

    Args:
        source: a dict, a `Response`, an SDK's object, or the events of a stream.
        overrides: fields that take precedence.

    Raises:
        InputError: it is no response, or a field is invalid; the field is named.
    """
    data = _normalize(source)
    data |= {field_name: value for field_name, value in overrides.items() if value is not None}
    text_fields = {field_name: _text_field(data, field_name) for field_name in _TEXT_FIELDS}
    output = _entries(data.get("output", []), "response.output")
    created_at = data.get("created_at")
    extra = data.get("extra", {}) if isinstance(data.get("extra", {}), Mapping) else {}
    unknown_fields = {k: v for k, v in data.items() if k not in _RESPONSE_FIELDS | _DERIVED_FIELDS}
    response = Response(
        id=text_fields["id"] or "",
        previous_response_id=text_fields["previous_response_id"],
        model=text_fields["model"],
        status=text_fields["status"],
        user=optional_user_id(data.get("user"), "response.user"),
        safety_identifier=text_fields["safety_identifier"],
        conversation=_conversation(data.get("conversation")),
        input=_input(data.get("input")),
        output=output,
        tool_calls=_tool_calls(output),
        usage=_dict_field(data, "usage") or None,
        metadata=check_metadata(_dict_field(data, "metadata"), "response.metadata"),
        created_at=None if created_at is None else parse_time(created_at, "response.created_at"),
        extra={**extra, **unknown_fields},
    )
    return response, _is_stored(data)


def _normalize(source: object) -> dict[str, Any]:
    """The fields of a response in the shape of the Responses API, without those that are unset."""
    if events.is_event(source):
        source = events.event_response(source)
    elif events.is_stream(source):
        source = events.stream_response(source)
    data = {key: value for key, value in _as_dict(source).items() if value is not None}
    if isinstance(data.get("choices"), list):
        return _completion(data)
    if _is_anthropic(data):
        return _anthropic_message(data)
    if "type" in data:
        raise InputError(
            f"response is of type {shown(data['type'], 60)}, which is not a response: pass the "
            f"whole response of a request; messages and items go to session.add(...)"
        )
    return data


def _as_dict(source: object) -> dict[str, Any]:
    if isinstance(source, Response):
        return {name: getattr(source, name) for name in _RESPONSE_FIELDS} | {"extra": source.extra}
    if isinstance(source, Mapping):
        return dict(source)
    dump = getattr(source, "model_dump", None)
    if callable(dump):
        return dict(dump(mode="json", exclude_none=True))
    raise InputError(
        f"response must be a dict, a Response or an SDK's response object, got {_type_name(source)}"
    )


def _completion(data: dict[str, Any]) -> dict[str, Any]:
    """Convert a Chat Completion: the messages of its choices are the output."""
    messages = [c.get("message") for c in data["choices"] if isinstance(c, Mapping)]
    if len(messages) != len(data["choices"]) or not all(isinstance(m, Mapping) for m in messages):
        raise InputError("response.choices has no messages: is it a chunk of a stream?")
    other_fields = {key: value for key, value in data.items() if key not in {"choices", "created"}}
    finish_reasons = [choice.get("finish_reason") for choice in data["choices"]]
    status = "incomplete" if "length" in finish_reasons else "completed"
    date_field = {"created_at": data["created"]} if "created" in data else {}
    return {
        "status": status,
        **date_field,
        **other_fields,
        "output": messages,
        "finish_reasons": finish_reasons,
    }


def _is_anthropic(fields: Mapping[str, Any]) -> bool:
    return fields.get("type") == "message" and isinstance(fields.get("content"), list)


def _anthropic_message(data: dict[str, Any]) -> dict[str, Any]:
    """Convert a message of Anthropic, which is the whole output of a request."""
    if "model" not in data:
        raise InputError("response is a message without a model: pass the whole response")
    reason = data.get("stop_reason")
    status = "incomplete" if reason in _CUT_OFF else "completed" if reason else "in_progress"
    other_fields = {k: v for k, v in data.items() if k not in {"type", "role", "content"}}
    message_fields = {key: data[key] for key in ("type", "role", "content") if key in data}
    return {"status": status, **other_fields, "output": [message_fields]}


def _text_field(response_fields: Mapping[str, Any], key: str) -> str | None:
    return names.check(response_fields[key], f"response.{key}") if key in response_fields else None


def _conversation(conversation: object) -> str | None:
    """The conversation's id, given as a str or, as in the API, a dict with `id`."""
    if isinstance(conversation, Mapping):
        conversation = conversation.get("id")
    return None if conversation is None else names.check(conversation, "response.conversation")


def _input(raw_input: object) -> str | list[dict[str, Json]] | None:
    if raw_input is None or isinstance(raw_input, str):
        return raw_input
    return _entries(raw_input, "response.input")


def _entries(raw_entries: object, location: str) -> list[dict[str, Json]]:
    if not isinstance(raw_entries, (list, tuple)):
        raise InputError(f"{location} must be a list of items, got {_type_name(raw_entries)}")
    return [_entry(entry, f"{location}[{index}]") for index, entry in enumerate(raw_entries)]


def _entry(raw_entry: object, location: str) -> dict[str, Json]:
    if isinstance(raw_entry, Mapping):
        return dict(raw_entry)
    dump = getattr(raw_entry, "model_dump", None)
    if callable(dump):
        return dict(dump(mode="json", exclude_none=True))
    raise InputError(f"{location} must be a dict or an SDK's object, got {_type_name(raw_entry)}")


def _tool_calls(output_entries: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The tool calls of an output; entries that cannot be parsed have none."""
    tool_calls: list[dict[str, Json]] = []
    for output_entry in output_entries:
        if output_entry.get("type") in _CALL_TYPES:
            try:
                tool_calls += [call for item in parse(output_entry) for call in item.tool_calls]
            except InputError:
                continue
    return tool_calls


def _dict_field(response_fields: Mapping[str, Any], field_name: str) -> dict[str, Json]:
    raw_value = response_fields.get(field_name, {})
    if not isinstance(raw_value, Mapping):
        raise InputError(f"response.{field_name} must be a dict, got {_type_name(raw_value)}")
    return dict(raw_value)


def _is_stored(response_fields: Mapping[str, Any]) -> bool:
    store_field = response_fields.get("store", True)
    if not isinstance(store_field, bool):
        raise InputError(f"response.store must be True or False, got {_type_name(store_field)}")
    return store_field


def _type_name(value: object) -> str:
    return type(value).__name__
