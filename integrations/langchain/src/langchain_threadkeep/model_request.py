"""Build the messages of a model request: the session's window plus other middleware's changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_threadkeep.codec import is_notice, message_id
from langchain_threadkeep.inject import with_text_after
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from langchain_threadkeep.turn import AgentTurn
from langchain_threadkeep.turn_isolation import TurnIsolation
from threadkeep import Item, Window
from threadkeep.adapters import memory_lines, windows


class Prompt(NamedTuple):
    """The messages for a model, and the session's items behind them."""

    messages: list[BaseMessage]
    window: Window


def prompt(
    turn: AgentTurn,
    policies: windows.Policies,
    state: Sequence[BaseMessage],
    request: Sequence[BaseMessage],
) -> Prompt:
    """Return the messages to send to the model.

    Args:
        turn: the current turn; all of it is stored.
        policies: the window's policies.
        state: the messages of the graph's state.
        request: the messages of the request; differences from the state are changes that other
            middleware made for this call, and are kept.
    """
    turn_messages = turn.turn_messages(request)
    in_state = {message.id: message for message in state}
    hidden = in_state.keys() - {message.id for message in request}
    isolation = TurnIsolation(
        turn.position["since"], {*turn_messages, turn.position["turn"]}, hidden
    )
    window = turn.chat.window(policy=[isolation, *policies])
    if turn.position["turn"] is None or all(item.id != turn.position["turn"] for item in window):
        return Prompt(list(request), window)  # a store that keeps nothing: use the state
    edited = {m.id: m for m in request if m.id and in_state.get(m.id, m) is not m}
    unchanged = {
        id: message
        for id, message in turn_messages.items()
        if id not in window.changed or message.id in edited
    }
    replacements = {**_edited(window, edited), **unchanged}
    messages = to_messages(window, replacements=replacements)
    return Prompt(in_reply_order(_with_added(messages, state, request)), window)


def with_files(system: SystemMessage | None, files: Sequence[Any]) -> SystemMessage | None:
    """Append a list of the session's files to the system message."""
    if not files:
        return system
    lines = ["Files of this conversation:", *memory_lines.file_lines(files)]
    return with_text_after(system, "\n".join(lines))


def _edited(window: Iterable[Item], edited: dict[str, BaseMessage]) -> dict[str, BaseMessage]:
    if not edited:
        return {}
    return {
        item.id: edited[name]
        for item in window
        if (name := message_id(item)) is not None and name in edited
    }


def _with_added(
    messages: list[BaseMessage], state: Sequence[BaseMessage], request: Sequence[BaseMessage]
) -> list[BaseMessage]:
    """Insert messages that only the request has, each after the same message as there."""
    stored = {message.id for message in state if message.id and not is_notice(message)}
    added: dict[str | None, list[BaseMessage]] = {}
    anchor: str | None = None
    shown_ids = {message.id for message in messages}
    for message in request:
        if message.id not in stored:
            added.setdefault(anchor, []).append(message)
        elif message.id in shown_ids:
            anchor = message.id
    if not added:
        return messages
    merged = added.pop(None, [])
    for message in messages:
        merged.append(message)
        merged += added.pop(message.id, [])
    return merged
