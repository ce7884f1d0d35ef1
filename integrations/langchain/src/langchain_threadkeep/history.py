"""`ThreadkeepChatMessageHistory`: LangChain's chat history on any store of threadkeep."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, get_buffer_string
from langchain_core.runnables import ConfigurableFieldSpec

from langchain_threadkeep import write_errors
from langchain_threadkeep.codec import chunks_to_messages
from langchain_threadkeep.record_ids import RecentHistory, items_with_ids
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from threadkeep import Memory
from threadkeep.adapters import limits, windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import SessionId, UserId, plain_user
from threadkeep.adapters.shared import open_conversation, shared_memory
from threadkeep.errors import InputError, ThreadkeepError

if TYPE_CHECKING:
    from langchain_core.chat_history import BaseChatMessageHistory
else:
    try:
        from langchain_core.chat_history import BaseChatMessageHistory
    except ImportError:  # deprecated, removed in langchain-core 2.0
        BaseChatMessageHistory = object

OnWriteError = Callable[[Exception, Sequence[BaseMessage]], None]

_log = logging.getLogger("threadkeep.langchain")


class ThreadkeepChatMessageHistory(BaseChatMessageHistory):
    """A session as a chat message history; construct one per run, without I/O.

    Messages are returned exactly as they were added, chunks as complete messages.

    Args:
        session_id: the application's name for the session; `None` = a new one with a random id.
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        user: the owner, a `str`, an `int` or a `UUID`; other users' sessions are refused.
        window: limits what `messages` returns: a policy, a list of them, or
            `{"max_tokens": 3000}`. `None` = the Memory's own window, or everything without one.
        on_write_error: called with the error and the messages if they could not be stored.
            `RunnableWithMessageHistory` only logs errors of `add_messages`, so without a handler
            the next read of the session raises.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id, the URL or the window is not valid.
    """

    @strict_arguments
    def __init__(
        self,
        session_id: SessionId | None = None,
        memory: Memory | str | None = None,
        *,
        user: UserId | None = None,
        window: object = None,
        on_write_error: OnWriteError | None = None,
        user_id: UserId | None = None,
    ) -> None:
        self.session_id, self.memory = open_conversation(session_id, memory)
        self._window = windows.parse_window(window)
        self._on_write_error = on_write_error
        self._chat = self.memory.session(self.session_id, user=plain_user(user, user_id))
        self._run_messages: list[BaseMessage] | None = None

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # an attribute upstream
        """The messages of the window, or all of them, oldest first.

        Raises:
            BackendError: an earlier write failed silently, or the store did not answer.
            NotOwner: the session belongs to another user.
        """
        run_messages = self._take_run_messages()
        return _LoadedMessages(self._load(), self) if run_messages is None else run_messages

    async def aget_messages(self) -> list[BaseMessage]:
        """As `messages`."""
        run_messages = self._take_run_messages()
        return (
            _LoadedMessages(await self._to_thread(self._load), self)
            if run_messages is None
            else run_messages
        )

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages atomically.

        A user message with an id is stored once, an answer with an id once per turn.

        Raises:
            BackendError: the store did not accept them.
            InputError: an element is not a message, or is too large; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        for message in messages:
            if not isinstance(message, BaseMessage):
                raise InputError(f"a message must be a BaseMessage, got {type(message).__name__}")
        self._run_messages = None
        try:
            if messages:
                limits.add(
                    self._chat,
                    *items_with_ids(RecentHistory(self._chat), chunks_to_messages(messages)),
                )
        except ThreadkeepError as error:
            self._report_write_error(error, messages)
            raise

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """As `add_messages`."""
        await self._to_thread(functools.partial(self.add_messages, messages))

    def add_message(self, message: BaseMessage) -> None:
        """Append one message."""
        self.add_messages([message])

    def add_user_message(self, message: HumanMessage | str) -> None:
        """Append a user message."""
        self.add_message(HumanMessage(message) if isinstance(message, str) else message)

    def add_ai_message(self, message: AIMessage | str) -> None:
        """Append a model answer."""
        self.add_message(AIMessage(message) if isinstance(message, str) else message)

    def clear(self) -> None:
        """Delete all messages; the session keeps its title, metadata and owner."""
        self._run_messages = None
        self._chat.clear()

    async def aclear(self) -> None:
        """As `clear`."""
        await self._to_thread(self.clear)

    def __str__(self) -> str:
        return get_buffer_string(self.messages)

    def __repr__(self) -> str:
        return f"<ThreadkeepChatMessageHistory {self.session_id!r} of {self.memory!r}>"

    def _load(self) -> list[BaseMessage]:
        write_errors.report(self.memory, self._chat)
        window_policies = windows.or_memory_window(self._window, self.memory)
        if window_policies:
            return in_reply_order(to_messages(self._chat.window(policy=window_policies)))
        return to_messages(self._chat.items())

    def _take_run_messages(self) -> _LoadedMessages | None:
        """The messages read at the start of the run, which reads again at its end to count."""
        messages, self._run_messages = self._run_messages, None
        return None if messages is None else _LoadedMessages(messages, self, reload=True)

    def _report_write_error(self, error: Exception, messages: Sequence[BaseMessage]) -> None:
        _log.error(
            "%d messages of session %r were not stored: %s", len(messages), self.session_id, error
        )
        if self._on_write_error is not None:
            self._on_write_error(error, messages)
        else:
            write_errors.remember(self.memory, self._chat, error)

    async def _to_thread(self, verb: Callable[[], Any]) -> Any:
        return await self.memory.to_thread(verb)


class _LoadedMessages(list[BaseMessage]):
    """The messages of a read. Only `RunnableWithMessageHistory` copies them, when a run starts.

    At the end of the run it reads again and drops that many leading messages from the run's input.
    With a fresh read this would be wrong if others wrote meanwhile or the window moved.
    """

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        history: ThreadkeepChatMessageHistory,
        *,
        reload: bool = False,
    ) -> None:
        super().__init__(messages)
        self._history = history
        self._reload = reload

    def copy(self) -> list[BaseMessage]:
        messages = self._history._load() if self._reload else list(self)
        self._history._run_messages = messages
        return list(messages)


@strict_arguments
def session_history_factory(
    memory: Memory | str | None = None,
    *,
    window: object = None,
    on_write_error: OnWriteError | None = None,
) -> Callable[..., ThreadkeepChatMessageHistory]:
    """For `RunnableWithMessageHistory(get_session_history=)`: takes `(session_id, user_id=None)`.

    With user ids, also pass `history_factory_config=HISTORY_FACTORY_CONFIG`.
    """
    resolved_memory = shared_memory(memory)
    windows.parse_window(window)  # validated now, not in the first run

    def history(
        session_id: SessionId, user_id: UserId | None = None
    ) -> ThreadkeepChatMessageHistory:
        return ThreadkeepChatMessageHistory(
            session_id, resolved_memory, user=user_id, window=window, on_write_error=on_write_error
        )

    return history


HISTORY_FACTORY_CONFIG = [
    ConfigurableFieldSpec(
        id="session_id", annotation=str, name="Session", description="The id of the session."
    ),
    ConfigurableFieldSpec(
        id="user_id", annotation=str, name="User", description="The owner of the session.",
        is_shared=True,
    ),
]  # fmt: skip
"""Session and user, for `RunnableWithMessageHistory(history_factory_config=)`."""
