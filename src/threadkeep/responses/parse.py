"""Whatever an application holds of a model's answer, as a `Response`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.user_id import optional_user_id
from threadkeep.errors import InputError
from threadkeep.messages.parse import parse
from threadkeep.types import Json
from threadkeep.types.openai_limits import check_metadata
from threadkeep.types.responses import Response
from threadkeep.types.timestamps import when

_TEXTS: Final = ("id", "previous_response_id", "model", "status", "safety_identifier")
_OURS: Final = frozenset(
    {*_TEXTS, "user", "conversation", "input", "output", "usage", "metadata", "created_at"}
)
_DERIVED: Final = frozenset({"tool_calls", "extra", "seq", "store", "object", "output_text"})
_CALLS: Final = frozenset({"function_call", "mcp_call", "custom_tool_call", "message", None})


def understood(given: object, said: Mapping[str, Any]) -> tuple[Response, bool]:
    """The response, and whether its maker allows that it is stored.

    Args:
        given: a dict, a `Response`, or an SDK's object.
        said: fields that were given beside it; they win.

    Raises:
        InputError: it is no response, or a field is not what it should be; the field is named.
    """
    data = {key: value for key, value in _as_dict(given).items() if value is not None}
    if isinstance(data.get("choices"), list):
        data = _completion(data)
    data |= {name: value for name, value in said.items() if value is not None}
    texts = {key: _text(data, key) for key in _TEXTS}
    output = _entries(data.get("output", []), "response.output")
    made = data.get("created_at")
    extra = data.get("extra", {}) if isinstance(data.get("extra", {}), Mapping) else {}
    rest = {k: v for k, v in data.items() if k not in _OURS | _DERIVED}
    response = Response(
        id=texts["id"] or "",
        previous_response_id=texts["previous_response_id"],
        model=texts["model"],
        status=texts["status"],
        user=optional_user_id(data.get("user"), "response.user"),
        safety_identifier=texts["safety_identifier"],
        conversation=_conversation(data.get("conversation")),
        input=_input(data.get("input")),
        output=output,
        tool_calls=_tool_calls(output),
        usage=_object(data, "usage") or None,
        metadata=check_metadata(_object(data, "metadata"), "response.metadata"),
        created_at=None if made is None else when(made, "response.created_at"),
        extra={**extra, **rest},
    )
    return response, _stored(data)


def _as_dict(given: object) -> dict[str, Any]:
    if isinstance(given, Response):
        return {name: getattr(given, name) for name in _OURS} | {"extra": given.extra}
    if isinstance(given, Mapping):
        return dict(given)
    dump = getattr(given, "model_dump", None)
    if callable(dump):
        return dict(dump(mode="json", exclude_none=True))
    raise InputError(
        f"response must be a dict, a Response or an SDK's response object, got {_kind(given)}"
    )


def _completion(data: dict[str, Any]) -> dict[str, Any]:
    """A Chat Completion as a response: its choices' messages are the output."""
    messages = [c.get("message") for c in data["choices"] if isinstance(c, Mapping)]
    if len(messages) != len(data["choices"]) or not all(isinstance(m, Mapping) for m in messages):
        raise InputError("response.choices has no messages: is it a chunk of a stream?")
    rest = {key: value for key, value in data.items() if key not in {"choices", "created"}}
    reasons = [choice.get("finish_reason") for choice in data["choices"]]
    cut = "incomplete" if "length" in reasons else "completed"
    made = {"created_at": data["created"]} if "created" in data else {}
    return {"status": cut, **made, **rest, "output": messages, "finish_reasons": reasons}


def _text(data: Mapping[str, Any], key: str) -> str | None:
    return names.check(data[key], f"response.{key}") if key in data else None


def _conversation(given: object) -> str | None:
    """An id, or as the API has it, a dict with one."""
    if isinstance(given, Mapping):
        given = given.get("id")
    return None if given is None else names.check(given, "response.conversation")


def _input(given: object) -> str | list[dict[str, Json]] | None:
    if given is None or isinstance(given, str):
        return given
    return _entries(given, "response.input")


def _entries(given: object, where: str) -> list[dict[str, Json]]:
    if not isinstance(given, (list, tuple)):
        raise InputError(f"{where} must be a list of items, got {_kind(given)}")
    return [_entry(entry, f"{where}[{number}]") for number, entry in enumerate(given)]


def _entry(entry: object, where: str) -> dict[str, Json]:
    if isinstance(entry, Mapping):
        return dict(entry)
    dump = getattr(entry, "model_dump", None)
    if callable(dump):
        return dict(dump(mode="json", exclude_none=True))
    raise InputError(f"{where} must be a dict or an SDK's object, got {_kind(entry)}")


def _tool_calls(output: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The calls in an output; an entry that is none of ours to understand has none."""
    found: list[dict[str, Json]] = []
    for entry in output:
        if entry.get("type") in _CALLS:
            try:
                found += [call for item in parse(entry) for call in item.tool_calls]
            except InputError:
                continue
    return found


def _object(data: Mapping[str, Any], key: str) -> dict[str, Json]:
    value = data.get(key, {})
    if not isinstance(value, Mapping):
        raise InputError(f"response.{key} must be a dict, got {_kind(value)}")
    return dict(value)


def _stored(data: Mapping[str, Any]) -> bool:
    store = data.get("store", True)
    if not isinstance(store, bool):
        raise InputError(f"response.store must be True or False, got {_kind(store)}")
    return store


def _kind(value: object) -> str:
    return type(value).__name__
