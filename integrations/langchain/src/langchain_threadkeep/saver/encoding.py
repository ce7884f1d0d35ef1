"""Encodes the values of a checkpoint or of writes, with the records that they need."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from langchain_threadkeep.record_ids import opens_turn
from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.list_growth import LONG, grow
from langchain_threadkeep.saver.list_values import ListValue, compare
from langchain_threadkeep.saver.records import ELEMENT, value_records
from langchain_threadkeep.saver.references import EncodedMessage, reference
from langchain_threadkeep.saver.state import KnownCheckpoint, StreamState
from langchain_threadkeep.saver.value_encoder import Encoder
from langchain_threadkeep.saver.values import Form
from threadkeep import Drop, Record
from threadkeep.adapters import checkpoints

INPUT: Final = "__start__"
"""The channel that holds the input of a run."""

POSITION: Final = "threadkeep"
"""The channel in which `ThreadkeepMiddleware` keeps the position of a turn."""


class NewMessage:
    """A message that was encoded in this step, and the item that it may become."""

    __slots__ = ("encoded", "item_id", "message", "reference")

    def __init__(self, message: BaseMessage, encoded: EncodedMessage, item_id: str) -> None:
        self.message, self.encoded, self.item_id = message, encoded, item_id
        self.reference = reference(encoded, item_id)


class ValueWriter:
    """Encodes values, and collects the records that go with them.

    Args:
        context: the store and its options.
        state: of the stream.
        is_tip: whether a segment is the last of its run.

    Attributes:
        put: the records of long lists.
        drop: what these replace.
        tips: the last segment of each run that was added to.
        messages: those encoded here, by reference.
    """

    def __init__(
        self, context: SaverContext, state: StreamState, is_tip: Callable[[str, int], bool]
    ) -> None:
        self._context, self._state, self._is_tip = context, state, is_tip
        self.encoder = Encoder(context.serde, self._reference)
        self.put: list[Record] = []
        self.drop: list[Drop] = []
        self.tips: dict[str, int] = {}
        self.messages: dict[str, NewMessage] = {}
        self._turn: str | None = None
        self._place = "0"

    def begin_turn(self, entry: KnownCheckpoint | None) -> None:
        """Take the question that messages answer from the checkpoint that they are written to."""
        message_list = None if entry is None else self._message_list(entry.lists)
        if message_list is not None:
            self._turn = self._newest_turn(message_list)
        turn_position = None if entry is None else entry.body.values.get(POSITION)
        self._turn = _position_turn(turn_position) or self._turn

    def write(self, channel: str, value: Any) -> Form:
        """The form of a pending write."""
        if channel in self._context.options.messages:
            return self.encoder.encode_said(value)
        return self.encoder.encode(value)

    def value(
        self, channel: str, value: Any, old: ListValue | None, position: Any
    ) -> tuple[Form, ListValue | None]:
        """The form of a channel's value, and the list if it is a long one."""
        if type(value) is _DeltaSnapshot:
            stored_form, stored_list = self.value(channel, value.value, old, position)
            return {"D": stored_form}, stored_list
        is_messages = channel in self._context.options.messages
        if channel == INPUT and type(value) is dict:
            return self._input(value), None
        if type(value) is not list or (len(value) < LONG and not is_messages):
            return self.encoder.encode(value), None
        if is_messages:
            self._turn = None
        return self._long_list(value, old, position if is_messages else None)

    def _input(self, value: dict[Any, Any]) -> Form:
        """The input of a run, by the channels that it is for."""
        message_channels = self._context.options.messages
        if not any(channel in message_channels for channel in value) or any(
            type(key) is not str for key in value
        ):
            return self.encoder.encode(value)
        form_by_channel = {
            channel: self.encoder.encode_said(channel_value)
            if channel in message_channels
            else self.encoder.encode(channel_value)
            for channel, channel_value in value.items()
        }
        return {"d": form_by_channel}

    def records(self, now: float) -> Iterator[Record]:
        """The records of large values."""
        yield from value_records(self.encoder.large, now)

    def _long_list(
        self, elements: list[Any], old: ListValue | None, position: Any
    ) -> tuple[Form, ListValue]:
        turn_finder = _Turns(elements, position)

        def encode(element: Any, index: int) -> str:
            if not isinstance(element, BaseMessage):
                element_form = {"e": self.encoder.encode(element)}
                return json.dumps(element_form, separators=(",", ":"))
            self._turn, self._place = turn_finder.turn_of(index, key_by_index), str(index)
            return self._reference(element, in_list=True)

        key_by_index: dict[int, str] = {}

        def remember(element: Any, index: int) -> str:
            key_by_index[index] = encode(element, index)
            return key_by_index[index]

        turn_finder.earlier_list = old
        is_strict = self._context.options.strict
        compared_elements = compare(old, elements, remember, strict=is_strict)
        list_growth = grow(
            old, elements, compared_elements, self._is_tip, self._context.store.now()
        )
        self.put += list_growth.put
        self.drop += list_growth.drop
        if old is None or list_growth.value.spans != old.spans:
            self.tips[list_growth.value.spans[0].run] = list_growth.value.spans[0].segment
        return {"r": [list(span) for span in list_growth.value.spans]}, list_growth.value

    def _reference(self, message: BaseMessage, *, in_list: bool = False) -> str:
        encoded_message = self._encoded(message)
        thread_state = self._state.thread
        item_id = thread_state.items.use(encoded_message.digest)
        earlier_reference = None if in_list else thread_state.references.use(encoded_message.digest)
        if item_id is None and earlier_reference is not None:
            item_id = references.parse(earlier_reference).item_id
        if item_id is None:
            item_id = references.item_id(message, self._turn, encoded_message, self._place)
        new_message = NewMessage(message, encoded_message, item_id)
        return self.messages.setdefault(new_message.reference, new_message).reference

    def _encoded(self, message: BaseMessage) -> EncodedMessage:
        """The message encoded; a task's write usually comes before the same object's list."""
        encoded_cache, object_key = self._state.thread.encoded, str(id(message))
        cached_entry = encoded_cache.use(object_key)
        message_fingerprint = references.fingerprint(message)
        if (
            cached_entry is not None
            and cached_entry[0] is message
            and message_fingerprint is not None
            and cached_entry[1] == message_fingerprint
        ):
            return cached_entry[2]
        encoded_message = references.encode(message, self._context.serde)
        encoded_cache.keep(object_key, (message, message_fingerprint, encoded_message))
        return encoded_message

    def element(self, new_message: NewMessage, now: float) -> Record:
        """The record of a message that no item restores."""
        element_fields: dict[str, Any] = {"item": new_message.item_id}
        if new_message.encoded.typed is None:
            element_fields["body"] = new_message.encoded.body
        else:
            element_fields["form"] = self.encoder.encode_typed(*new_message.encoded.typed)
        element_id = references.element_id(new_message.reference)
        return Record(ELEMENT, element_id, checkpoints.dumps(element_fields, "message"), now)

    def _message_list(self, lists: Mapping[str, ListValue]) -> ListValue | None:
        channel_names = [channel for channel in lists if channel in self._context.options.messages]
        return lists[channel_names[0]] if channel_names else None

    def _newest_turn(self, value: ListValue) -> str | None:
        for element, element_key in zip(reversed(value.objects), reversed(value.keys), strict=True):
            if isinstance(element, BaseMessage) and opens_turn(element):
                return references.parse(element_key).item_id
        return None


class _Turns:
    """Finds the item id of the question that a message of a list answers."""

    def __init__(self, elements: Sequence[Any], position: Any) -> None:
        self._elements = elements
        self.earlier_list: ListValue | None = None
        self._opening, self._turn = _opening(position), _position_turn(position)

    def turn_of(self, index: int, keys: Mapping[int, str]) -> str | None:
        """The question before an index.

        Args:
            index: of the message.
            keys: of messages that were encoded just now.
        """
        for earlier_index in range(index - 1, -1, -1):
            element = self._elements[earlier_index]
            if not isinstance(element, BaseMessage):
                continue
            if self._opening is not None and element.id == self._opening:
                return self._turn
            if opens_turn(element) and self._opening is None:
                return self._item_id(earlier_index, element, keys)
        return None if self._opening is None else self._turn

    def _item_id(self, index: int, element: BaseMessage, keys: Mapping[int, str]) -> str | None:
        if index in keys:
            return references.parse(keys[index]).item_id
        earlier_list = self.earlier_list
        if (
            earlier_list is not None
            and index < len(earlier_list.objects)
            and earlier_list.objects[index] is element
        ):
            return references.parse(earlier_list.keys[index]).item_id
        return element.id


def _opening(position: Any) -> str | None:
    return position.get("opening") if isinstance(position, dict) else None


def _position_turn(position: Any) -> str | None:
    """The item id of the turn that the middleware is in."""
    is_json_form = isinstance(position, dict) and "j" in position
    turn_fields = position["j"] if is_json_form else position
    turn_item_id = turn_fields.get("turn") if isinstance(turn_fields, dict) else None
    return turn_item_id if isinstance(turn_item_id, str) and turn_item_id else None
