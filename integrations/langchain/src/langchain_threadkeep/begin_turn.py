"""Begin an agent's turn: which messages of the state are stored already, and which are new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage

from langchain_threadkeep.branches import leave_branches, switch_branch
from langchain_threadkeep.codec import chunks_to_messages
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
from langchain_threadkeep.stored_messages import FAR_REACH, NEAR_REACH, find_stored, match
from langchain_threadkeep.turn import AgentTurn, Resend
from langchain_threadkeep.turn_position import HeldMessage, TurnPosition, held_of
from threadkeep import Item, Session
from threadkeep.adapters import limits

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


def begin_turn(
    chat: Session,
    messages: Sequence[BaseMessage],
    resend: Resend,
    origin: StateOrigin = StateOrigin(),  # noqa: B008 (immutable)
) -> AgentTurn:
    """Bring the store in step with a run's state, store its new messages, and return its turn."""
    messages = chunks_to_messages(messages)
    turn, history = AgentTurn(chat), RecentHistory(chat)
    if origin.position is not None:
        _take_position(turn, origin.position)
    _follow_branch(turn, history, messages, origin)
    first_new_index = _first_new_index(turn, messages)
    later_messages = messages[first_new_index:]
    if first_new_index and later_messages and isinstance(later_messages[0], AIMessage):
        resend = "append"  # a hook added it to the state; what clients resend begins with a person
    stored_messages = find_stored(history, later_messages, resend, continues=first_new_index > 0)
    _hold(turn, later_messages[: stored_messages.length], stored_messages.items)
    turn.revise(messages)
    question = history.newest_of_user()
    if not later_messages:
        question = _question_of(turn, history, messages)
    new_messages = later_messages[stored_messages.length :]
    new_items = _store_new(turn, history, new_messages, question)
    _set_position(
        turn, messages, new_messages, new_items, stored_messages.question or question, history
    )
    return turn


def _store_new(
    turn: AgentTurn, history: RecentHistory, messages: Sequence[BaseMessage], question: Item | None
) -> list[Item]:
    """Store messages that the turn does not hold yet, as answers to a question."""
    question_id = question.id if question else None
    items = [
        marked(item, turn.lineage)
        for item in items_with_ids(history, messages, question_id, state_item)
    ]
    items = limits.add(turn.chat, *items) if items else []
    _hold(turn, messages, dict(enumerate(items)), stored_now=True)
    turn.last = max([turn.last, *(item.seq for item in items)])
    return items


def origin_by_items(
    chat: Session, messages: Sequence[BaseMessage], config: Mapping[str, Any]
) -> StateOrigin:
    """Return the origin of a state that saves no position, from the items of its messages.

    A state of which no message is stored cannot be told from one that begins anew.
    """
    item_by_id = RecentHistory(chat).by_id(max(NEAR_REACH, 2 * len(messages)))
    message_item_pairs = [
        (message, item) for message in messages if (item := match(item_by_id, message)) is not None
    ]
    lineages = (lineage_of(item) for _, item in reversed(message_item_pairs))
    position_fields = AgentTurn(
        chat,
        lineage=next(filter(None, lineages), None),
        last=min((item.seq for item in item_by_id.values()), default=1) - 1,
        held={
            str(message.id): HeldMessage(
                item.id, checksum(message) if says_the_same(chat, item, message) else _CHANGED
            )
            for message, item in message_item_pairs
        },
    ).position()
    return StateOrigin(
        position_fields if message_item_pairs else None, is_checkpointed(config), is_replay(config)
    )


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


def _take_position(turn: AgentTurn, position: Mapping[str, Any]) -> None:
    """Take over what earlier turns of the state hold, but not where the last one began."""
    turn.lineage, turn.last = position.get("lineage"), position.get("last", 0)
    turn.held, turn.repeated = held_of(position), set(position.get("repeated", ()))
    turn.parts = dict(position.get("parts", {}))


def _first_new_index(turn: AgentTurn, messages: Sequence[BaseMessage]) -> int:
    """The index behind the last message that the turn holds."""
    return next(
        (
            index + 1
            for index in range(len(messages) - 1, -1, -1)
            if messages[index].id in turn.held or messages[index].id in turn.repeated
        ),
        0,
    )


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
        newer_items = recent.newer_than(turn.last)
        held_record_ids = {held_message.record for held_message in turn.held.values()}
        if switch_branch(turn.chat, newer_items, turn.lineage, held_record_ids, message_ids):
            recent.reset()
        turn.last = max([turn.last, *(item.seq for item in newer_items)])
    if turn.changed:
        recent.reset()


def _hold(
    turn: AgentTurn,
    messages: Sequence[BaseMessage],
    item_by_index: Mapping[int, Item],
    *,
    stored_now: bool = False,
) -> None:
    """Note which items messages of the state are; what differs from its item will replace it."""
    held_record_ids = {held_message.record for held_message in turn.held.values()}
    for message_index, message in enumerate(messages):
        item = item_by_index.get(message_index)
        if item is None or not message.id or item.id in held_record_ids:
            turn.repeated.add(message.id)
            continue
        is_same = stored_now or says_the_same(turn.chat, item, message)
        turn.held[message.id] = HeldMessage(item.id, checksum(message) if is_same else _CHANGED)
        held_record_ids.add(item.id)


def _question_of(
    turn: AgentTurn, recent: RecentHistory, messages: Sequence[BaseMessage]
) -> Item | None:
    """The item of the last question of the state, if it is not too far back."""
    opening_message = next((message for message in reversed(messages) if opens_turn(message)), None)
    held_message = turn.held.get(opening_message.id or "") if opening_message else None
    question = (
        recent.by_id().get(held_message.record) or recent.by_id(FAR_REACH).get(held_message.record)
        if held_message
        else None
    )
    return question or recent.newest_of_user()


def _set_position(
    turn: AgentTurn,
    messages: Sequence[BaseMessage],
    new_messages: Sequence[BaseMessage],
    items: Sequence[Item],
    question: Item | None,
    recent: RecentHistory,
) -> None:
    """Set where the turn begins: at its newest question, else at the last message."""
    message_item_pairs = zip(reversed(new_messages), reversed(items), strict=True)
    opening_pair = next(
        ((message, item) for message, item in message_item_pairs if opens_turn(message)), None
    )
    if opening_pair is not None:
        message, item = opening_pair
        turn.opening, turn.turn, turn.seq, turn.since = message.id, item.id, item.seq, item.seq
        is_newest = all(item.seq > other_item.seq for other_item in recent.items())
        turn.stored = {} if is_newest else None
        return
    if question is None:  # no question at all: the last message opens the turn
        last_item = items[-1] if items else None
        turn.opening = messages[-1].id if messages else None
        turn.turn, turn.seq = (last_item.id, last_item.seq) if last_item else (None, 0)
        turn.since = turn.seq
        return
    opening_message = next((message for message in reversed(messages) if opens_turn(message)), None)
    turn.opening = opening_message.id if opening_message else None
    turn.turn, turn.seq = question.id, question.seq
    turn.since = items[0].seq if items else question.seq
