"""`with_history`: a runnable with a history, which raises at once if a write fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import coerce_to_runnable
from langchain_core.runnables.config import ensure_config

from langchain_threadkeep.codec import chunks_to_messages
from langchain_threadkeep.encodable import encodable
from langchain_threadkeep.identity import Id, IdentityResolver, UserId
from langchain_threadkeep.record_ids import RecentHistory, items_with_ids, last_of_user
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from langchain_threadkeep.turn_isolation import TurnIsolation
from threadkeep import Item, Memory, Session
from threadkeep.adapters import limits, windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import user_source
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import InputError
from threadkeep.printable import shown


@strict_arguments
def with_history(
    runnable: Runnable[Any, Any],
    memory: Memory | str | None = None,
    *,
    input_messages_key: str | None = None,
    output_messages_key: str | None = None,
    history_messages_key: str | None = None,
    session_id: Id = None,
    user: UserId = None,
    window: object = None,
    user_id: UserId = None,
) -> Runnable[Any, Any]:
    """Add a history to a runnable, as `RunnableWithMessageHistory`, but with reliable writes.

    The input is stored before the runnable is called, the output when it has arrived; a failing
    write raises. Concurrent runs on one session do not disturb each other.

    Args:
        runnable: takes messages, or a dict; returns a text, messages, or a dict of one of them.
        memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        input_messages_key: the key of the new text or messages in the input.
        output_messages_key: the same for the output.
        history_messages_key: the key under which the runnable expects its history; without it,
            the history is put before the input's messages.
        session_id: the session, or a callable; `None` = `thread_id` or `session_id` of the run.
        user: the owner, a fallback for the run's own user id; a callable takes precedence.
        window: limits the history: a policy, a list of them, or `{"max_tokens": 3000}`;
            `None` = the Memory's own window, else 30,000 tokens.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id, the URL or the window is not valid.
    """
    message_keys = _MessageKeys(input_messages_key, output_messages_key, history_messages_key)
    resolved_memory = shared_memory(memory)
    policies = windows.or_token_limit(windows.parse_window(window), resolved_memory)
    resolver = IdentityResolver(session_id, user_source(user, user_id))
    return _HistoryRunnable(
        coerce_to_runnable(runnable), resolved_memory, resolver, message_keys, policies
    )


class _MessageKeys(NamedTuple):
    """The keys of the messages in the dicts of a runnable."""

    input: str | None
    output: str | None
    history: str | None


class _StartedRun(NamedTuple):
    """A started run: its session, the record id of its question, and the runnable's input."""

    chat: Session
    id: str | None
    input: Any


class _HistoryRunnable(Runnable[Any, Any]):
    """A runnable that reads its session before each run and writes it afterwards."""

    def __init__(
        self,
        runnable: Runnable[Any, Any],
        memory: Memory,
        resolver: IdentityResolver,
        keys: _MessageKeys,
        policies: windows.Policies,
    ) -> None:
        self._runnable, self._memory, self._resolver = runnable, memory, resolver
        self._keys, self._policies = keys, policies

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        started_run = self._begin(input, config)
        output = self._runnable.invoke(started_run.input, config, **kwargs)
        self._end(started_run, output)
        return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        started_run = await self._memory.to_thread(self._begin, input, config)
        output = await self._runnable.ainvoke(started_run.input, config, **kwargs)
        await self._memory.to_thread(self._end, started_run, output)
        return output

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        started_run = self._begin(input, config)
        chunks = []
        for chunk in self._runnable.stream(started_run.input, config, **kwargs):
            chunks.append(chunk)
            yield chunk
        self._end(started_run, _join_chunks(chunks))

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        started_run = await self._memory.to_thread(self._begin, input, config)
        chunks = []
        async for chunk in self._runnable.astream(started_run.input, config, **kwargs):
            chunks.append(chunk)
            yield chunk
        await self._memory.to_thread(self._end, started_run, _join_chunks(chunks))

    def _begin(self, input: Any, config: RunnableConfig | None) -> _StartedRun:
        """Store the input, and read the history before it."""
        run_identity = self._resolver.resolve(ensure_config(config))
        run_session = self._memory.session(run_identity.session, user=run_identity.user)
        new_messages = _messages(_pick(input, self._keys.input, "input"), HumanMessage)
        stored_items = list[Item]()
        if new_messages:
            items = items_with_ids(RecentHistory(run_session), new_messages)
            stored_items = limits.add(run_session, *items)
        opening_item = last_of_user(stored_items)
        history = self._history(run_session, stored_items)
        runnable_input = self._runnable_input(input, history, new_messages)
        return _StartedRun(run_session, opening_item.id if opening_item else None, runnable_input)

    def _history(self, chat: Session, stored_items: Sequence[Item]) -> list[BaseMessage]:
        """The messages of the window without the run's own input."""
        stored_ids = {item.id for item in stored_items}
        policies = list(self._policies)
        if stored_items:
            policies.insert(0, TurnIsolation(stored_items[0].seq, stored_ids))
        window = chat.window(policy=policies)
        history_items = [item for item in window if item.id not in stored_ids]
        return encodable(in_reply_order(to_messages(history_items)))

    def _runnable_input(
        self, input: Any, history: list[BaseMessage], new_messages: list[BaseMessage]
    ) -> Any:
        if self._keys.history is not None:
            return {**input, self._keys.history: history}
        if self._keys.input is not None:
            return {**input, self._keys.input: [*history, *new_messages]}
        return [*history, *new_messages]

    def _end(self, turn: _StartedRun, output: Any) -> None:
        answer_messages = _messages(_pick(output, self._keys.output, "output"), AIMessage)
        if answer_messages:
            limits.add(
                turn.chat, *items_with_ids(RecentHistory(turn.chat), answer_messages, turn.id)
            )


def _join_chunks(chunks: Sequence[Any]) -> Any:
    """Add up streamed chunks."""
    if not chunks:
        return []
    joined_output = chunks[0]
    for chunk in chunks[1:]:
        joined_output = joined_output + chunk
    return joined_output


def _pick(value: Any, key: str | None, default_key: str) -> Any:
    if not isinstance(value, dict):
        return value
    if key is None and len(value) == 1:
        return next(iter(value.values()))
    message_key = key or default_key
    if message_key not in value:
        keys_text = shown(sorted(value))
        raise InputError(
            f"there is no {shown(message_key)} among {keys_text}: say where the messages are"
        )
    return value[message_key]


def _messages(value: Any, cls: type[BaseMessage]) -> list[BaseMessage]:
    if isinstance(value, str):
        return [cls(content=value)]
    if isinstance(value, BaseMessage):
        return chunks_to_messages([value])
    if isinstance(value, (list, tuple)) and all(
        isinstance(message, BaseMessage) for message in value
    ):
        return chunks_to_messages(value)
    raise InputError(f"expected a text or messages, got {type(value).__name__}")
