"""The events of a streamed response, with ids of ours, and the response as far as it arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from threadkeep.serve.record import Turn, mint

_PREFIXES: Final = {"message": "msg", "reasoning": "rs", "function_call": "fc"}
_TERMINAL: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
_TEXT_DELTAS: Final = {
    "response.output_text.delta": ("output_text", "text"),
    "response.refusal.delta": ("refusal", "refusal"),
}
_DEFAULT_STATUS: Final = {"response.failed": "failed", "response.incomplete": "incomplete"}


class ResponseRewriter:
    """Gives a response and its items the ids of a turn; one for each response.

    Upstreams may repeat their ids, and nobody else's may be taken for ours.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._ids: dict[str, str] = {}

    def response(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """The response with our ids, its conversation and its predecessor."""
        turn = self._turn
        output = response.get("output")
        return {
            **response,
            "id": turn.response_id,
            "conversation": None if turn.conversation is None else {"id": turn.conversation},
            "previous_response_id": turn.previous,
            "store": turn.store,
            "output": [self.item(entry) for entry in output] if isinstance(output, list) else [],
        }

    def item(self, item: Any) -> Any:
        """An item with an id of ours."""
        if not isinstance(item, dict):
            return item
        item_type = str(item.get("type", "message"))
        return {**item, "id": self._id(item.get("id"), item_type)}

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An event with our ids."""
        own_event = dict(event)
        if isinstance(event.get("response"), dict):
            own_event["response"] = self.response(event["response"])
        if "item" in event:
            own_event["item"] = self.item(event["item"])
        if "item_id" in event:
            own_event["item_id"] = self._id(event["item_id"], "")
        return own_event

    def _id(self, upstream_id: Any, kind: str) -> str:
        if not isinstance(upstream_id, str) or not upstream_id:
            return mint(_PREFIXES.get(kind, "item"))
        if upstream_id not in self._ids:
            self._ids[upstream_id] = mint(_PREFIXES.get(kind, "item"))
        return self._ids[upstream_id]


class ResponseAnswer:
    """A response as far as its events have arrived.

    Attributes:
        is_done: its last event has arrived.
        sequence: the number of the next event.
    """

    def __init__(self) -> None:
        self.is_done = False
        self.sequence = 0
        self._snapshot: dict[str, Any] = {}
        self._items: dict[int, dict[str, Any]] = {}

    @property
    def has_arrived(self) -> bool:
        """Whether anything of an output has arrived, or the whole response."""
        return self.is_done or bool(self._items)

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in an event, with our ids already."""
        event_type = str(event.get("type"))
        sequence_number = event.get("sequence_number")
        self.sequence = sequence_number + 1 if type(sequence_number) is int else self.sequence + 1
        if isinstance(event.get("response"), dict):
            self._snapshot = dict(event["response"])
        if event_type in _TERMINAL:
            self.is_done = True
            self._snapshot.setdefault("status", _DEFAULT_STATUS.get(event_type, "completed"))
        output_index, item = event.get("output_index"), event.get("item")
        if type(output_index) is not int:
            return
        if isinstance(item, dict):
            self._items[output_index] = dict(item)
        elif output_index in self._items:
            _extend(self._items[output_index], event_type, event)

    def response(self) -> dict[str, Any]:
        """The response with its status: `incomplete` if its last event has not arrived."""
        items = [self._items[output_index] for output_index in sorted(self._items)]
        if self.is_done:
            return {**self._snapshot, "output": self._snapshot.get("output") or items}
        partial_items = [
            item if item.get("status") == "completed" else {**item, "status": "incomplete"}
            for item in items
        ]
        return {**self._snapshot, "status": "incomplete", "output": partial_items}


def _extend(item: dict[str, Any], event_type: str, event: Mapping[str, Any]) -> None:
    """Add a delta to an item."""
    delta = event.get("delta")
    if not isinstance(delta, str):
        return
    if event_type == "response.function_call_arguments.delta":
        item["arguments"] = str(item.get("arguments") or "") + delta
    elif event_type in _TEXT_DELTAS:
        part_type, text_key = _TEXT_DELTAS[event_type]
        text_part = _part(item, event.get("content_index"), part_type)
        text_part[text_key] = str(text_part.get(text_key) or "") + delta


def _part(item: dict[str, Any], raw_index: Any, kind: str) -> dict[str, Any]:
    """The part of a message that a delta goes into."""
    item_content = item.get("content")
    parts = [dict(part) for part in item_content] if isinstance(item_content, list) else []
    part_index = raw_index if type(raw_index) is int and 0 <= raw_index < len(parts) else len(parts)
    if part_index == len(parts):
        annotation_fields: dict[str, Any] = {"annotations": []} if kind == "output_text" else {}
        parts.append({"type": kind, **annotation_fields})
    item["content"] = parts
    return parts[part_index]
