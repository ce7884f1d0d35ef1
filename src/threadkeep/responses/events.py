"""Take the response from the events of a stream of the Responses API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from threadkeep.errors import InputError
from threadkeep.printable import shown
from threadkeep.types.responses import FINAL_STATUSES

_PREFIX: Final = "response."
_ERROR: Final = "error"
_ITEM_DONE: Final = "response.output_item.done"
_ADVICE: Final = {
    "message_": "stream.get_final_message()",
    "content_block_": "stream.get_final_message()",
    "chat.completion.chunk": "stream.get_final_completion()",
}


def is_event(source: object) -> bool:
    """Return True for one event of a stream."""
    kind = _get(source, "type")
    return isinstance(kind, str) and kind.startswith((_PREFIX, "message_", "content_block_"))


def is_stream(source: object) -> bool:
    """Return True for a list or an iterator, which must be of events."""
    if isinstance(source, (Mapping, str, bytes)) or hasattr(source, "model_dump"):
        return False
    return hasattr(source, "__iter__") or hasattr(source, "__aiter__")


def event_response(event: object, location: str = "response") -> Any:
    """The response as an event has it.

    Raises:
        InputError: it has none.
    """
    _check(event, location)
    response = _get(event, "response")
    if response is None:
        raise InputError(
            f"{location} is an event of type {shown(_get(event, 'type'), 60)}, which has no "
            f"response: pass all events, or the last one"
        )
    return response


def stream_response(events: object) -> dict[str, Any]:
    """The response as it stood after the last event.

    A stream that broke off is `incomplete`, or `failed` after an error, with the items that were
    done. In the background the response goes on, so its status stays.

    Raises:
        InputError: an entry is no event of the Responses API, or none has the response.
    """
    if not isinstance(events, Iterable):
        raise InputError(
            "response is an async iterator: pass [event async for event in stream], or "
            "response=event.response of its last event"
        )
    raw_response: Any = None
    error_fields: dict[str, Any] | None = None
    output_items: list[Any] = []
    for event_index, event in enumerate(events):
        _check(event, f"response[{event_index}]")
        event_type, snapshot = _get(event, "type"), _get(event, "response")
        if event_type == _ERROR:
            error_fields = {key: _get(event, key) for key in ("code", "message")}
        elif event_type == _ITEM_DONE:
            output_items.append(_get(event, "item"))
        raw_response = snapshot or raw_response
    if raw_response is None:
        raise InputError("no event has the response: pass the stream from its first event on")
    return _closed(_dumped(raw_response), output_items, error_fields)


def _closed(
    response: dict[str, Any], items: list[Any], error_fields: dict[str, Any] | None
) -> dict[str, Any]:
    if not response.get("output"):
        response["output"] = [item for item in items if item is not None]
    if error_fields is not None:
        return {**response, "status": "failed", "error": error_fields}
    if str(response.get("status")) not in FINAL_STATUSES and not response.get("background"):
        response["status"] = "incomplete"
    return response


def _check(event: object, location: str) -> None:
    kind = _get(event, "type")
    if isinstance(kind, str) and (kind.startswith(_PREFIX) or kind == _ERROR):
        return
    label = str(kind or _get(event, "object") or type(event).__name__)[:60]
    advice = next((text for prefix, text in _ADVICE.items() if label.startswith(prefix)), None)
    raise InputError(
        f"{location} is not an event of the Responses API, got {shown(label)}"
        + (f": pass {advice}" if advice else "; a response is passed alone, not in a list")
    )


def _dumped(response: Any) -> dict[str, Any]:
    if isinstance(response, Mapping):
        return dict(response)
    dump = getattr(response, "model_dump", None)
    if not callable(dump):
        raise InputError(f"an event's response must be a dict, got {type(response).__name__}")
    return dict(dump(mode="json", exclude_none=True))


def _get(source: object, key: str) -> Any:
    return source.get(key) if isinstance(source, Mapping) else getattr(source, key, None)
