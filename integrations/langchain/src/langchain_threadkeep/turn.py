"""An agent's turn: what the graph's state holds is stored, and the store follows the state.

A message that the state holds is an item; where it was changed, the item is replaced; where it
was removed, the item is hidden. Messages are compared by id at the beginning of a run, at each
model call and at the end of the agent, since no hook sees what all others did.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from langchain_core.messages import BaseMessage

from langchain_threadkeep.codec import is_notice, is_summary
from langchain_threadkeep.record_ids import key, with_id
from langchain_threadkeep.state_marks import checksum, marked, state_item
from langchain_threadkeep.turn_position import HeldMessage, TurnPosition, held_of
from threadkeep import Item, Session
from threadkeep.adapters import limits
from threadkeep.adapters.revise import revise

if TYPE_CHECKING:
    from threadkeep.longterm.context import Context

Resend = Literal["detect", "append"]

_COMPARED_FIELDS: Final = (
    "role", "name", "content", "tool_calls", "tool_call_id", "status", "raw", "hidden",
)  # fmt: skip


@dataclass
class AgentTurn:
    """A turn of an agent in one process.

    Attributes:
        chat: the session.
        opening: LangChain's id of the question.
        turn: the record id of the question.
        seq: the seq of the question.
        since: from this seq on, only messages of the turn belong to the run.
        run: names the run.
        lineage: of the state, see `TurnPosition`.
        last: the seq of the newest item that was stored of the state.
        held: the messages of the state that are stored, by LangChain's id.
        repeated: ids of messages of the state that a client sent again, and others hold already.
        parts: further items that messages of the state are made of, by LangChain's id.
        stored: the stored items of the turn, by record id; `None` = not read yet.
        pending: the model's answers that are not in the state yet, by LangChain's id.
        changed: record ids of the items that were replaced or hidden since they were recorded.
        contexts: the long-term memory of the turn, with the session's summary and without, as far
            as it was read.
    """

    chat: Session
    opening: str | None = None
    turn: str | None = None
    seq: int = 0
    since: int = 0
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    lineage: str | None = None
    last: int = 0
    held: dict[str, HeldMessage] = field(default_factory=dict)
    repeated: set[str | None] = field(default_factory=set)
    parts: dict[str, list[str]] = field(default_factory=dict)
    stored: dict[str, Item] | None = None
    pending: dict[str, HeldMessage] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    contexts: dict[bool, Context] = field(default_factory=dict)

    @classmethod
    def at(cls, chat: Session, position: TurnPosition) -> AgentTurn:
        """Resume a turn at its position."""
        return cls(
            chat,
            position["opening"],
            position["turn"],
            position["seq"],
            position["since"],
            position.get("run", ""),
            position.get("lineage"),
            position.get("last", 0),
            held_of(position),
            set(position.get("repeated", ())),
            dict(position.get("parts", {})),
        )

    def position(self) -> TurnPosition:
        """Return the position, to be saved in the state."""
        return TurnPosition(
            opening=self.opening,
            turn=self.turn,
            seq=self.seq,
            since=self.since,
            run=self.run,
            lineage=self.lineage,
            last=self.last,
            held={message_id: list(held_message) for message_id, held_message in self.held.items()},
            repeated=sorted(message_id for message_id in self.repeated if message_id),
            parts=self.parts,
        )

    def hold(self, message: BaseMessage, record_ids: Sequence[str]) -> None:
        """Note that the state holds a message, and which items it is made of."""
        if message.id and record_ids:
            self.held[message.id] = HeldMessage(record_ids[0], checksum(message))
            if len(record_ids) > 1:
                self.parts[message.id] = list(record_ids[1:])

    def follow(self, messages: Sequence[BaseMessage]) -> None:
        """Bring the store in step with the messages of the state."""
        self.settle_answers(messages)
        self.revise(messages)
        self._store(self._new_messages(messages))

    def settle_answers(self, messages: Sequence[BaseMessage]) -> None:
        """Delete answers that never came into the state, because other middleware refused them."""
        if not self.pending:
            return
        present_ids = {message.id for message in messages}
        refused_ids = [
            held_message.record
            for message_id, held_message in self.pending.items()
            if message_id not in present_ids
        ]
        self.held |= {
            message_id: held_message
            for message_id, held_message in self.pending.items()
            if message_id in present_ids
        }
        self.pending = {}
        if refused_ids:
            self.chat.remove(*refused_ids)
            self._forget_stored(refused_ids)

    def revise(self, messages: Sequence[BaseMessage]) -> None:
        """Replace the items of changed messages, and hide those of removed ones."""
        message_by_id = {message.id: message for message in messages if message.id}
        removed_ids = [message_id for message_id in self.held if message_id not in message_by_id]
        changed_by_id = {
            id: message
            for id, message in message_by_id.items()
            if id in self.held and self.held[id].checksum != checksum(message)
        }
        if not removed_ids and not changed_by_id:
            return
        changed_items = [
            self._item(message, self.held[id].record) for id, message in changed_by_id.items()
        ]
        hidden_ids = self._release(removed_ids, changed_by_id)
        keep_summary = any(map(is_summary, messages))
        revise(self.chat, changed_items, hidden_ids, keep_summary=keep_summary)
        self.held |= {
            id: HeldMessage(self.held[id].record, checksum(message))
            for id, message in changed_by_id.items()
        }
        self.changed |= {item.id for item in changed_items} | set(hidden_ids)
        self._forget_stored([*hidden_ids, *(item.id for item in changed_items)])

    def _release(self, removed_ids: Sequence[str], changed_ids: Iterable[str]) -> list[str]:
        """Let go of removed messages, and of the parts of changed ones; the ids of what to hide."""
        removed_record_ids = [self.held.pop(id).record for id in removed_ids]
        held_record_ids = {message.record for message in self.held.values()}
        part_ids = [
            part_id for id in (*removed_ids, *changed_ids) for part_id in self.parts.pop(id, ())
        ]
        return [record for record in removed_record_ids if record not in held_record_ids] + part_ids

    def store_answers(self, messages: Sequence[BaseMessage]) -> None:
        """Store the model's answers before other middleware can change them."""
        message_by_id = {message.id: message for message in messages if message.id}
        key_by_id = {
            message_id: self.key_of(message) for message_id, message in message_by_id.items()
        }
        answer_items = [
            self._item(message_by_id[message_id], record_key)
            for message_id, record_key in key_by_id.items()
            if record_key
        ]
        self._add(answer_items)
        self.pending |= {
            message_id: HeldMessage(record_key, checksum(message_by_id[message_id]))
            for message_id, record_key in key_by_id.items()
            if record_key
        }

    def key_of(self, message: BaseMessage) -> str:
        """Return the record id of a message of the turn; empty = none."""
        if is_notice(message):
            return f"notice@{message.id}" if message.id else ""
        return key(message, self.turn)

    def _new_messages(self, messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        """The messages of the turn that are not held yet: those behind its question."""
        start_index = next(
            (
                message_index
                for message_index, message in enumerate(messages)
                if message.id == self.opening
            ),
            -1,
        )
        if start_index < 0:  # the question was removed: those behind the last message that is held
            held_indexes = [
                message_index
                for message_index, message in enumerate(messages)
                if message.id in self.held
            ]
            start_index = held_indexes[-1] if held_indexes else -1
        return [
            message
            for message_index, message in enumerate(messages)
            if message.id
            and message.id not in self.held
            and message.id not in self.repeated
            and (message_index > start_index or is_notice(message))
        ]

    def _store(self, messages: Sequence[BaseMessage]) -> None:
        if not messages:
            return
        items = [self._item(message, self.key_of(message)) for message in messages]
        record_ids = self._add(items)
        for message, record_id in zip(messages, record_ids, strict=True):
            self.held[str(message.id)] = HeldMessage(record_id, checksum(message))

    def _add(self, items: Sequence[Item]) -> list[str]:
        """Store items unless they are stored so already; returns their record ids."""
        if self.stored is None:
            newer_items = self.chat.items(after=self.seq, hidden=True)
            self.stored = {item.id: item for item in newer_items}
        items_to_add = [item for item in items if not _is_same(self.stored.get(item.id), item)]
        if not items_to_add:
            return [item.id for item in items]
        stored_items = limits.add(self.chat, *items_to_add)
        self.last = max(self.last, *(item.seq for item in stored_items))
        self.stored |= {item.id: item for item in items_to_add if item.id}
        new_ids = iter(
            [
                new_item.id
                for new_item, item in zip(stored_items, items_to_add, strict=True)
                if not item.id
            ]
        )
        return [item.id or next(new_ids) for item in items]

    def _item(self, message: BaseMessage, id: str) -> Item:
        return marked(with_id(state_item(message), id), self.lineage)

    def _forget_stored(self, ids: Sequence[str]) -> None:
        for record_id in ids:
            if self.stored is not None:
                self.stored.pop(record_id, None)


def _is_same(stored: Item | None, item: Item) -> bool:
    # compares items, as a message changed in place would equal itself
    return stored is not None and all(
        getattr(stored, field_name) == getattr(item, field_name) for field_name in _COMPARED_FIELDS
    )
