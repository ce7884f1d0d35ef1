"""Begin an agent's turn: which messages of the state are stored already, and which are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage

from langchain_threadkeep.branches import leave_branches, switch_branch
from langchain_threadkeep.codec import chunks_to_messages, message_id
from langchain_threadkeep.dedupe import stored_prefix
from langchain_threadkeep.record_ids import RecentHistory, items_with_ids, opens_turn
from langchain_threadkeep.state_marks import (
    checksum,
    is_checkpointed,
    is_replay,
    lineage_of,
    marked,
    new_lineage,
    says_the_same,
    state_item,
)
from langchain_threadkeep.turn import AgentTurn, HeldMessage, Resend, TurnPosition, held_of
from threadkeep import Item, Session
from threadkeep.adapters import limits

_NEAR_REACH: Final = 12
_FAR_REACH: Final = 1_000
_CHANGED: Final = -1
"""The checksum of a message whose item says something else."""


class StateOrigin(NamedTuple):
    """Where a graph's state comes from.

    Attributes:
        position: the position saved in it; `None` = the middleware never saw it before.
        checkpointed: whether a checkpointer keeps it.
        replayed: whether the run continues from an earlier checkpoint.
    """

    position: TurnPosition | None = None
    checkpointed: bool = False
    replayed: bool = False

    @classmethod
    def of(cls, state: Mapping[str, Any], config: Mapping[str, Any]) -> StateOrigin:
        """Return the origin of the state of a run."""
        return cls(state.get("threadkeep"), is_checkpointed(config), is_replay(config))


@dataclass
class StoredMessages:
    """The leading messages of a run's input that are stored.

    Attributes:
        length: how many they are.
        question: the item of the last question among them.
        items: the item of each that could be matched, by index.
    """

    length: int = 0
    question: Item | None = None
    items: dict[int, Item] = field(default_factory=dict)


def begin_turn(
    chat: Session,
    messages: Sequence[BaseMessage],
    resend: Resend,
    origin: StateOrigin = StateOrigin(),  # noqa: B008 (immutable)
) -> AgentTurn:
    """Bring the store in step with a run's state, store its new messages, and return its turn."""
    messages = chunks_to_messages(messages)
    turn, recent = AgentTurn(chat), RecentHistory(chat)
    if (position := origin.position) is not None:
        turn.lineage, turn.last = position.get("lineage"), position.get("last", 0)
        turn.held, turn.repeated = held_of(position), set(position.get("repeated", ()))
        turn.parts = dict(position.get("parts", {}))
    _follow_branch(turn, recent, messages, origin)
    held = [n for n, m in enumerate(messages) if m.id in turn.held or m.id in turn.repeated]
    start = held[-1] + 1 if held else 0
    rest = messages[start:]
    if held and rest and isinstance(rest[0], AIMessage):
        resend = "append"  # a hook added it to the state; what clients resend begins with a person
    stored = _stored_messages(recent, rest, resend, continues=bool(held))
    _hold(turn, rest[: stored.length], stored.items)
    turn.revise(messages)
    new = rest[stored.length :]
    newest = recent.newest_of_user()
    answered = _question_of(turn, recent, messages) if not rest else newest
    items = [
        marked(item, turn.lineage)
        for item in items_with_ids(recent, new, answered.id if answered else None, state_item)
    ]
    items = limits.add(chat, *items) if items else []
    _hold(turn, new, dict(enumerate(items)), stored_now=True)
    turn.last = max([turn.last, *(item.seq for item in items)])
    _set_position(turn, messages, new, items, stored.question or answered, recent)
    return turn


def origin_by_items(
    chat: Session, messages: Sequence[BaseMessage], config: Mapping[str, Any]
) -> StateOrigin:
    """Return the origin of a state that saves no position, from the items of its messages.

    A state of which no message is stored cannot be told from one that begins anew.
    """
    by_id = RecentHistory(chat).by_id(max(_NEAR_REACH, 2 * len(messages)))
    matches = [(m, item) for m in messages if (item := _match(by_id, m)) is not None]
    marks = (lineage_of(item) for _, item in reversed(matches))
    position = AgentTurn(
        chat,
        lineage=next(filter(None, marks), None),
        last=min((item.seq for item in by_id.values()), default=1) - 1,
        held={
            str(m.id): HeldMessage(item.id, checksum(m) if says_the_same(item, m) else _CHANGED)
            for m, item in matches
        },
    ).position()
    return StateOrigin(position if matches else None, is_checkpointed(config), is_replay(config))


def follow_state(chat: Session, messages: Sequence[BaseMessage], origin: StateOrigin) -> None:
    """Replace and hide what a state changed and removed, and store nothing new."""
    turn = AgentTurn(chat) if origin.position is None else AgentTurn.at(chat, origin.position)
    _follow_branch(turn, RecentHistory(chat), messages, origin)


def resume_turn(
    chat: Session, messages: Sequence[BaseMessage], resend: Resend, origin: StateOrigin
) -> AgentTurn:
    """Return the turn of a state in the middle of a run that this process did not begin."""
    if origin.position is None:  # the agent started without this middleware
        return begin_turn(chat, messages, resend, origin)
    turn = AgentTurn.at(chat, origin.position)
    _follow_branch(turn, RecentHistory(chat), messages, origin)
    return turn


def _follow_branch(
    turn: AgentTurn, recent: RecentHistory, messages: Sequence[BaseMessage], origin: StateOrigin
) -> None:
    """Replace and hide what the state changed and removed, and follow it to its branch."""
    turn.revise(messages)
    message_ids = {message.id for message in messages if message.id}
    turn.repeated &= message_ids
    if turn.lineage is None and origin.checkpointed:
        turn.lineage = new_lineage()
        if origin.replayed:
            leave_branches(turn.chat, message_ids)
    elif turn.lineage is not None:
        newer = recent.newer_than(turn.last)
        records = {held.record for held in turn.held.values()}
        if switch_branch(turn.chat, newer, turn.lineage, records, message_ids):
            recent.reset()
        turn.last = max([turn.last, *(item.seq for item in newer)])
    if turn.changed:
        recent.reset()


def _hold(
    turn: AgentTurn,
    messages: Sequence[BaseMessage],
    items: Mapping[int, Item],
    *,
    stored_now: bool = False,
) -> None:
    """Note which items messages of the state are; what differs from its item will replace it."""
    records = {held.record for held in turn.held.values()}
    for index, message in enumerate(messages):
        item = items.get(index)
        if item is None or not message.id or item.id in records:
            turn.repeated.add(message.id)
            continue
        same = stored_now or says_the_same(item, message)
        turn.held[message.id] = HeldMessage(item.id, checksum(message) if same else _CHANGED)
        records.add(item.id)


def _stored_messages(
    recent: RecentHistory, messages: Sequence[BaseMessage], resend: Resend, *, continues: bool
) -> StoredMessages:
    """The leading messages that are stored, by their ids, or as a transcript that is resent.

    Args:
        continues: whether known messages of the same state precede them.
    """
    stored = _match_ids(recent, messages)
    remaining = messages[stored.length :]
    if resend == "append" or not remaining:
        return stored
    reach = _NEAR_REACH if len(remaining) == 1 else max(_FAR_REACH, 4 * len(remaining))
    continues = continues or stored.length > 0
    prefix = stored_prefix(remaining, recent.items(reach), continues=continues)
    last = prefix.last_item
    if prefix.length == len(remaining) and last is not None and last.role == "user":
        stored.question = last
    stored.items |= {stored.length + index: item for index, item in prefix.items.items()}
    stored.length += prefix.length
    return stored


def _match(by_id: Mapping[str, Item], message: BaseMessage) -> Item | None:
    """The item of a message; one of another kind with the same id is not it."""
    item = by_id.get(message.id or "")
    if item is None:
        return None
    neutral = state_item(message)
    return item if (item.role, item.type) == (neutral.role, neutral.type) else None


def _match_ids(recent: RecentHistory, messages: Sequence[BaseMessage]) -> StoredMessages:
    for reach in (_NEAR_REACH, max(_FAR_REACH, 4 * len(messages))):
        by_id = recent.by_id(reach)
        for index in range(len(messages) - 1, -1, -1):
            if _match(by_id, messages[index]) is not None:
                return _after_match(recent, messages, index, by_id)
        if len(messages) <= 1 or len(by_id) < reach:
            break
    return StoredMessages()


def _after_match(
    recent: RecentHistory, messages: Sequence[BaseMessage], index: int, by_id: dict[str, Item]
) -> StoredMessages:
    message = messages[index]
    newest = recent.newest_of_user()
    matches = ((n, _match(by_id, m)) for n, m in enumerate(messages[: index + 1]))
    items = {n: item for n, item in matches if item is not None}
    if index == len(messages) - 1 and opens_turn(message):
        if newest is not None and message.id not in (newest.id, message_id(newest)):
            items.pop(index)
            return StoredMessages(index, None, items)  # said again, it is a new question
        return StoredMessages(index + 1, newest, items)
    opening = next((m for m in reversed(messages[: index + 1]) if opens_turn(m)), None)
    question = by_id.get(str(opening.id)) if opening else None
    return StoredMessages(index + 1, question, items)


def _question_of(
    turn: AgentTurn, recent: RecentHistory, messages: Sequence[BaseMessage]
) -> Item | None:
    """The item of the last question of the state, if it is not too far back."""
    opening = next((m for m in reversed(messages) if opens_turn(m)), None)
    held = turn.held.get(opening.id or "") if opening else None
    question = (
        recent.by_id().get(held.record) or recent.by_id(_FAR_REACH).get(held.record)
        if held
        else None
    )
    return question or recent.newest_of_user()


def _set_position(
    turn: AgentTurn,
    messages: Sequence[BaseMessage],
    new: Sequence[BaseMessage],
    items: Sequence[Item],
    question: Item | None,
    recent: RecentHistory,
) -> None:
    """Set where the turn begins: at its newest question, else at the last message."""
    pairs = zip(reversed(new), reversed(items), strict=True)
    opened = next(((m, item) for m, item in pairs if opens_turn(m)), None)
    if opened is not None:
        message, item = opened
        turn.opening, turn.turn, turn.seq, turn.since = message.id, item.id, item.seq, item.seq
        is_newest = all(item.seq > other.seq for other in recent.items())
        turn.stored = {} if is_newest else None
        return
    if question is None:  # no question at all: the last message opens the turn
        last = items[-1] if items else None
        turn.opening = messages[-1].id if messages else None
        turn.turn, turn.seq = (last.id, last.seq) if last else (None, 0)
        turn.since = turn.seq
        return
    opening = next((m for m in reversed(messages) if opens_turn(m)), None)
    turn.opening = opening.id if opening else None
    turn.turn, turn.seq = question.id, question.seq
    turn.since = items[0].seq if items else question.seq
