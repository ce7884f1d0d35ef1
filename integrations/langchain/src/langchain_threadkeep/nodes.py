"""Nodes for a `StateGraph` of one's own: the history before the model, what was said after it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from langchain_threadkeep import turn_window
from langchain_threadkeep.codec import whole
from langchain_threadkeep.identity import Id, People, UserId
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from langchain_threadkeep.turn import Resend, begin
from threadkeep import Memory, Session
from threadkeep.adapters.shared import shared

Node = RunnableLambda[Any, dict[str, Any]]
Update = dict[str, list[BaseMessage]]


def load_history_node(
    memory: Memory | str,
    window: object = None,
    *,
    session_id: Id = None,
    user_id: UserId = None,
    messages_key: str = "messages",
) -> Node:
    """A node that puts the window of the session before the messages of the state.

    What is in the state already, as with a checkpointer, is not put there twice. Who it is: as
    with `ThreadkeepMiddleware`.

    Args:
        memory: a `Memory`, or a URL.
        window: a policy, a list of them, or `{"max_tokens": 3000}`; `None` = the Memory's own
            window, else 30,000 tokens.
        session_id: the session, or a callable; `None` = the run's `thread_id`.
        user_id: whose it is, after what the run itself says; or a callable, which goes first.
        messages_key: of the state.

    Raises:
        ConfigError: the URL or the window is not understood.
    """
    opened = shared(memory)
    policies = turn_window.bounded(turn_window.told(window), opened)

    def load(chat: Session, messages: list[BaseMessage]) -> Update:
        prior = in_reply_order(to_messages(chat.window(policy=policies), ids=True))
        merged = _merged(prior, messages)
        if merged == messages:
            return {}
        return {messages_key: [RemoveMessage(id=REMOVE_ALL_MESSAGES), *merged]}

    return _node(load, opened, People(session_id, user_id), messages_key, "load_history")


def save_history_node(
    memory: Memory | str,
    *,
    session_id: Id = None,
    user_id: UserId = None,
    messages_key: str = "messages",
    resend: Resend = "detect",
) -> Node:
    """A node that stores what of the state's messages is not stored yet, in one atomic step.

    Args:
        memory: a `Memory`, or a URL.
        session_id: the session, or a callable; `None` = the run's `thread_id`.
        user_id: whose it is, after what the run itself says; or a callable, which goes first.
        messages_key: of the state.
        resend: as with `ThreadkeepMiddleware`.

    Raises:
        ConfigError: the URL is not understood.
    """
    opened = shared(memory)

    def save(chat: Session, messages: list[BaseMessage]) -> Update:
        begin(chat, messages, resend)
        return {}

    return _node(save, opened, People(session_id, user_id), messages_key, "save_history")


def _node(
    verb: Callable[[Session, list[BaseMessage]], Update],
    memory: Memory,
    people: People,
    key: str,
    name: str,
) -> Node:
    def run(state: Any, config: RunnableConfig) -> Update:
        who = people.who(config)
        given = state[key] if isinstance(state, dict) else getattr(state, key)
        return verb(memory.session(who.session, user=who.user), whole(given))

    async def arun(state: Any, config: RunnableConfig) -> Update:
        found: Update = await memory.engine.hop(functools.partial(run, state, config))
        return found

    return RunnableLambda(run, arun, name=name)


def _merged(prior: Sequence[BaseMessage], state: list[BaseMessage]) -> list[BaseMessage]:
    """The history, with the state's own message where both have one, and the state's rest."""
    ids = {message.id for message in prior}
    by_id = {message.id: message for message in state}
    first = next((n for n, message in enumerate(state) if message.id in ids), 0)
    rest = [message for message in state[first:] if message.id not in ids]
    return [*state[:first], *(by_id.get(message.id, message) for message in prior), *rest]
