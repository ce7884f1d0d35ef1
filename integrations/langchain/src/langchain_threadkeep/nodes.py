"""Nodes for your own `StateGraph`: load the history before the model, save messages after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, RemoveMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from langchain_threadkeep.begin_turn import begin_turn, follow_state, origin_by_items
from langchain_threadkeep.codec import chunks_to_messages
from langchain_threadkeep.identity import Id, IdentityResolver, UserId
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from langchain_threadkeep.turn import Resend
from threadkeep import Memory, Session
from threadkeep.adapters import windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import user_source
from threadkeep.adapters.shared import shared_memory

Node = RunnableLambda[Any, dict[str, Any]]
Update = dict[str, list[BaseMessage]]


@strict_arguments
def load_history_node(
    memory: Memory | str | None = None,
    *,
    session_id: Id = None,
    user: UserId = None,
    window: object = None,
    messages_key: str = "messages",
    user_id: UserId = None,
) -> Node:
    """Return a node that puts the session's window before the messages of the state.

    Messages already in the state, as with a checkpointer, are not duplicated. Those that the state
    changed are replaced in the store, and those that it removed, or that are of another branch,
    are hidden, as long as the state holds any message that is stored. Session and user are
    resolved as in `ThreadkeepMiddleware`.

    Args:
        memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        session_id: the session, or a callable; `None` = the run's `thread_id`.
        user: the owner, a fallback for the run's own user id; a callable takes precedence.
        window: a policy, a list of them, or `{"max_tokens": 3000}`; `None` = the Memory's own
            window, else 30,000 tokens.
        messages_key: the key of the messages in the state.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id, the URL or the window is not valid.
    """
    resolved_memory = shared_memory(memory)
    window_policies = windows.or_token_limit(windows.parse_window(window), resolved_memory)

    def load(chat: Session, messages: list[BaseMessage], config: RunnableConfig) -> Update:
        follow_state(chat, messages, origin_by_items(chat, messages, {**config}))
        window_messages = in_reply_order(to_messages(chat.window(policy=window_policies), ids=True))
        merged_messages = _merge(window_messages, messages)
        if merged_messages == messages:
            return {}
        return {messages_key: [RemoveMessage(id=REMOVE_ALL_MESSAGES), *merged_messages]}

    resolver = IdentityResolver(session_id, user_source(user, user_id))
    return _node(load, resolved_memory, resolver, messages_key, "load_history")


@strict_arguments
def save_history_node(
    memory: Memory | str | None = None,
    *,
    session_id: Id = None,
    user: UserId = None,
    messages_key: str = "messages",
    resend: Resend = "detect",
    user_id: UserId = None,
) -> Node:
    """Return a node that stores the state's new messages atomically.

    Args:
        memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        session_id: the session, or a callable; `None` = the run's `thread_id`.
        user: the owner, a fallback for the run's own user id; a callable takes precedence.
        messages_key: the key of the messages in the state.
        resend: as for `ThreadkeepMiddleware`.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id or the URL is not valid.
    """
    resolved_memory = shared_memory(memory)

    def save(chat: Session, messages: list[BaseMessage], config: RunnableConfig) -> Update:
        begin_turn(chat, messages, resend, origin_by_items(chat, messages, {**config}))
        return {}

    resolver = IdentityResolver(session_id, user_source(user, user_id))
    return _node(save, resolved_memory, resolver, messages_key, "save_history")


def _node(
    handler: Callable[[Session, list[BaseMessage], RunnableConfig], Update],
    memory: Memory,
    resolver: IdentityResolver,
    key: str,
    name: str,
) -> Node:
    def run(state: Any, config: RunnableConfig) -> Update:
        run_identity = resolver.resolve(config)
        messages = state[key] if isinstance(state, dict) else getattr(state, key)
        return handler(
            memory.session(run_identity.session, user=run_identity.user),
            chunks_to_messages(messages),
            config,
        )

    async def arun(state: Any, config: RunnableConfig) -> Update:
        return await memory.to_thread(run, state, config)

    return RunnableLambda(run, arun, name=name)


def _merge(prior: Sequence[BaseMessage], state: list[BaseMessage]) -> list[BaseMessage]:
    """Merge history and state; the state's version of a message takes precedence."""
    prior_ids = {message.id for message in prior}
    message_by_id = {message.id: message for message in state}
    first_known_index = next(
        (message_index for message_index, message in enumerate(state) if message.id in prior_ids), 0
    )
    new_messages = [message for message in state[first_known_index:] if message.id not in prior_ids]
    return [
        *state[:first_known_index],
        *(message_by_id.get(message.id, message) for message in prior),
        *new_messages,
    ]
