"""`with_history`: a runnable that remembers, and raises at once if it cannot."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NamedTuple

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import coerce_to_runnable
from langchain_core.runnables.config import ensure_config

from langchain_threadkeep import turn_window
from langchain_threadkeep.codec import whole
from langchain_threadkeep.identity import Id, People, UserId
from langchain_threadkeep.record_ids import Past, keyed, last_of_user
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from threadkeep import Item, Memory, Session
from threadkeep.adapters.shared import shared
from threadkeep.errors import InputError


def with_history(
    runnable: Runnable[Any, Any],
    memory: Memory | str,
    *,
    input_messages_key: str | None = None,
    output_messages_key: str | None = None,
    history_messages_key: str | None = None,
    session_id: Id = None,
    user_id: UserId = None,
    window: object = None,
) -> Runnable[Any, Any]:
    """The runnable with a memory: what `RunnableWithMessageHistory` does, without its faults.

    The input is stored before the runnable is asked, the output when it is there; a write that
    fails raises. Runs on one session at once do not disturb each other.

    Args:
        runnable: takes messages, or a dict; gives a text, messages, or a dict of one of them.
        memory: a `Memory`, or a URL.
        input_messages_key: where the input's new text or messages are.
        output_messages_key: where the output's are.
        history_messages_key: where the runnable wants its history; without it, the history goes
            before the input's messages.
        session_id: the session, or a callable; `None` = `thread_id` or `session_id` of the run.
        user_id: whose it is, after what the run itself says; or a callable, which goes first.
        window: what the runnable is shown: a policy, a list of them, or `{"max_tokens": 3000}`;
            `None` = the Memory's own window, else 30,000 tokens.

    Raises:
        ConfigError: the URL or the window is not understood.
    """
    keys = _Keys(input_messages_key, output_messages_key, history_messages_key)
    opened = shared(memory)
    policies = turn_window.bounded(turn_window.told(window), opened)
    return _Remembering(
        coerce_to_runnable(runnable), opened, People(session_id, user_id), keys, policies
    )


class _Keys(NamedTuple):
    """Where messages are in the dicts of a runnable."""

    input: str | None
    output: str | None
    history: str | None


class _Turn(NamedTuple):
    """A turn that has begun: its session, its record id, and what the runnable gets."""

    chat: Session
    id: str | None
    input: Any


class _Remembering(Runnable[Any, Any]):
    """A runnable between a read and a write of its session."""

    def __init__(
        self,
        runnable: Runnable[Any, Any],
        memory: Memory,
        people: People,
        keys: _Keys,
        policies: turn_window.Policies,
    ) -> None:
        self._runnable, self._memory, self._people = runnable, memory, people
        self._keys, self._policies = keys, policies

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        turn = self._begin(input, config)
        output = self._runnable.invoke(turn.input, config, **kwargs)
        self._end(turn, output)
        return output

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        hop = self._memory.engine.hop
        turn = await hop(functools.partial(self._begin, input, config))
        output = await self._runnable.ainvoke(turn.input, config, **kwargs)
        await hop(functools.partial(self._end, turn, output))
        return output

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        turn = self._begin(input, config)
        chunks = []
        for chunk in self._runnable.stream(turn.input, config, **kwargs):
            chunks.append(chunk)
            yield chunk
        self._end(turn, _joined(chunks))

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        hop = self._memory.engine.hop
        turn = await hop(functools.partial(self._begin, input, config))
        chunks = []
        async for chunk in self._runnable.astream(turn.input, config, **kwargs):
            chunks.append(chunk)
            yield chunk
        await hop(functools.partial(self._end, turn, _joined(chunks)))

    def _begin(self, input: Any, config: RunnableConfig | None) -> _Turn:
        """Read what went before, and store what is said now."""
        who = self._people.who(ensure_config(config))
        chat = self._memory.session(who.session, user=who.user)
        said = _messages(_picked(input, self._keys.input, "input"), HumanMessage)
        stored = chat.add(*keyed(Past(chat), said)) if said else []
        opening = last_of_user(stored)
        shown = self._shown(input, self._before(chat, stored), said)
        return _Turn(chat, opening.id if opening else None, shown)

    def _before(self, chat: Session, stored: Sequence[Item]) -> list[BaseMessage]:
        """What the window holds beside what is said now."""
        own = {item.id for item in stored}
        policies = list(self._policies)
        if stored:
            policies.insert(0, turn_window.BeforeOrOf(stored[0].seq, own))
        window = chat.window(policy=policies)
        return in_reply_order(to_messages([item for item in window if item.id not in own]))

    def _shown(self, input: Any, before: list[BaseMessage], said: list[BaseMessage]) -> Any:
        if self._keys.history is not None:
            return {**input, self._keys.history: before}
        if self._keys.input is not None:
            return {**input, self._keys.input: [*before, *said]}
        return [*before, *said]

    def _end(self, turn: _Turn, output: Any) -> None:
        answer = _messages(_picked(output, self._keys.output, "output"), AIMessage)
        if answer:
            turn.chat.add(*keyed(Past(turn.chat), answer, turn.id))


def _joined(chunks: Sequence[Any]) -> Any:
    """The whole of what was streamed."""
    if not chunks:
        return []
    whole_ = chunks[0]
    for chunk in chunks[1:]:
        whole_ = whole_ + chunk
    return whole_


def _picked(value: Any, key: str | None, usual: str) -> Any:
    if not isinstance(value, dict):
        return value
    if key is None and len(value) == 1:
        return next(iter(value.values()))
    name = key or usual
    if name not in value:
        raise InputError(f"there is no {name!r} among {sorted(value)}: say where the messages are")
    return value[name]


def _messages(value: Any, cls: type[BaseMessage]) -> list[BaseMessage]:
    if isinstance(value, str):
        return [cls(content=value)]
    if isinstance(value, BaseMessage):
        return whole([value])
    if isinstance(value, (list, tuple)) and all(isinstance(m, BaseMessage) for m in value):
        return whole(value)
    raise InputError(f"expected a text or messages, got {type(value).__name__}")
