"""What a model is shown in a turn: the window of the session, as other middlewares left it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_threadkeep import turn_window
from langchain_threadkeep.codec import is_notice, message_id
from langchain_threadkeep.inject import with_text
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from langchain_threadkeep.turn import Turn
from threadkeep import Item


class Prompt(NamedTuple):
    """The messages for a model, and the items of the session that they show."""

    messages: list[BaseMessage]
    window: Sequence[Item]


def prompt(
    turn: Turn,
    policies: turn_window.Policies,
    state: Sequence[BaseMessage],
    request: Sequence[BaseMessage],
) -> Prompt:
    """What the model is shown.

    Args:
        turn: the turn that is under way; all of it is stored.
        policies: of the window.
        state: the messages of the graph's state.
        request: the messages of the request; where they differ from the state's, another
            middleware changed, added or took out a message for this call, and that stands.
    """
    own = turn.own(request)
    in_state = {message.id: message for message in state}
    hidden = in_state.keys() - {message.id for message in request}
    since = turn_window.BeforeOrOf(turn.mark["since"], {*own, turn.mark["turn"]}, hidden)
    window = turn.chat.window(policy=[since, *policies])
    if turn.mark["turn"] is None or all(item.id != turn.mark["turn"] for item in window):
        return Prompt(
            list(request), window
        )  # a store that keeps nothing: the state is all there is
    edited = {m.id: m for m in request if m.id and in_state.get(m.id, m) is not m}
    known = {**_edited(window, edited), **own}
    shown = to_messages(window, known=known)
    return Prompt(in_reply_order(_with_added(shown, state, request)), window)


def with_files(system: SystemMessage | None, files: Sequence[Any]) -> SystemMessage | None:
    """The system message with a list of the session's files at its end."""
    if not files:
        return system
    lines = [f"- {_line(file.name or file.url)}{_place(file)}" for file in files]
    text = "\n".join(["Files of this conversation:", *lines])
    return with_text(system, text)


def _place(file: Any) -> str:
    return f": {_line(file.url)}" if file.name and file.url else ""


def _line(name: str) -> str:
    """A name that somebody gave, in one line of what can be seen: it cannot pose as a prompt."""
    return "".join(letter for letter in " ".join(name.split()) if letter.isprintable())


def _edited(window: Iterable[Item], edited: dict[str, BaseMessage]) -> dict[str, BaseMessage]:
    if not edited:
        return {}
    return {
        item.id: edited[name]
        for item in window
        if (name := message_id(item)) is not None and name in edited
    }


def _with_added(
    shown: list[BaseMessage], state: Sequence[BaseMessage], request: Sequence[BaseMessage]
) -> list[BaseMessage]:
    """With what stands in the request only, each behind the message it stood behind."""
    stored = {message.id for message in state if message.id and not is_notice(message)}
    added: dict[str | None, list[BaseMessage]] = {}
    before: str | None = None
    places = {message.id for message in shown}
    for message in request:
        if message.id not in stored:
            added.setdefault(before, []).append(message)
        elif message.id in places:
            before = message.id
    if not added:
        return shown
    found = added.pop(None, [])
    for message in shown:
        found.append(message)
        found += added.pop(message.id, [])
    return found
