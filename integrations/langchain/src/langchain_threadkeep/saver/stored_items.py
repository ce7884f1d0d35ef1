"""Items as they were read, and the messages that they restore: the hot path of a cold read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_threadkeep import fast_path
from langchain_threadkeep.codec import FORMAT
from langchain_threadkeep.json_values import TAG, unpack
from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.references import DIGEST
from threadkeep import Record
from threadkeep.adapters import checkpoints

_CLASSES: Final[dict[Any, type[BaseMessage]]] = {"user": HumanMessage, "assistant": AIMessage}
_FIELDS: Final = frozenset({"role", "content", "model", "usage", "raw"})
"""The fields of the items that are restored without the codec."""

_DECODER: Final = json.JSONDecoder()
"""Called without what `json.loads` does for other inputs: half of a cold read is this."""

_SPECIAL: Final = frozenset({"type", "content", "tool_calls", "invalid_tool_calls"})


class StoredItems:
    """Items of a session, by their record ids.

    Attributes:
        newest: the largest seq.
    """

    def __init__(self) -> None:
        self.newest = 0
        self._records: dict[str, Record | None] = {}
        self._exact: dict[str, bool] = {}

    def lacking(self, ids: Iterable[str]) -> list[str]:
        """The record ids of items that were not asked for yet; they count as asked for now."""
        item_keys = dict.fromkeys(map(checkpoints.key, ids))
        new_keys = [key for key in item_keys if key not in self._records]
        self._records.update(dict.fromkeys(new_keys))
        return new_keys

    def take(self, record: Record) -> None:
        """Add an item that was read."""
        self._records[record.id] = record
        self.newest = max(self.newest, record.seq)

    def is_exact(self, reference: str) -> bool:
        """Return True if the item is exactly the message of a reference."""
        is_match = self._exact.get(reference)
        if is_match is None:
            is_match = self._exact[reference] = self._compare(reference)
        return is_match

    def message(self, reference: str) -> BaseMessage | None:
        """A new message from what the item says now; `None` if there is no item."""
        record = self._record(reference)
        if record is None:
            return None
        message = _fast_message(record.body) or self._slow_message(record)
        if message is not None and message.id is None:  # the item was replaced by another text
            message.id = references.message_id(reference[DIGEST + 1 :], message)
        return message

    def _record(self, reference: str) -> Record | None:
        item_id = reference[DIGEST + 1 :]
        return (
            self._records[item_id]
            if item_id in self._records
            else self._records.get(checkpoints.key(item_id))
        )

    def _compare(self, reference: str) -> bool:
        record = self._record(reference)
        if record is None or reference[DIGEST] != ":":
            return False
        expected_digest = reference[:DIGEST]
        if references.digest(record.body.encode("utf-8", "surrogatepass")) == expected_digest:
            return True
        item = checkpoints.read_item(record)  # the application's own part may have changed
        return item is not None and references.item_digest(item) == expected_digest

    def _slow_message(self, record: Record) -> BaseMessage | None:
        item = checkpoints.read_item(record)
        return None if item is None else references.restore(item)


def _fast_message(body: str) -> BaseMessage | None:
    """The message of a text item of a user or a model; `None` = the codec has to restore it."""
    try:
        item_fields, end_index = _DECODER.raw_decode(body)
    except ValueError:
        return None
    if type(item_fields) is not dict or end_index != len(body):
        return None
    message_class = _CLASSES.get(item_fields.get("role"))
    if (
        message_class is None
        or type(item_fields.get("content")) is not str
        or not item_fields.keys() <= _FIELDS
    ):
        return None
    raw_envelope = item_fields.get("raw")
    raw_fields = {} if raw_envelope is None else raw_envelope.get("data")
    if raw_envelope is not None and (
        raw_envelope.get("format") != FORMAT or not raw_fields.keys().isdisjoint(_SPECIAL)
    ):
        return None
    field_values = unpack(raw_fields) if TAG in body else raw_fields
    usage = item_fields.get("usage")
    if usage is not None and "usage_metadata" not in field_values:
        if message_class is not AIMessage or not usage.keys() >= fast_path.COUNTED:
            return None
        field_values["usage_metadata"] = usage
    field_values["content"] = item_fields["content"]
    return fast_path.build(message_class, field_values)
