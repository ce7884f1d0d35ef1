"""`ThreadkeepChatMessageHistory`: LangChain's chat history on any store of threadkeep."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, get_buffer_string
from langchain_core.runnables import ConfigurableFieldSpec

from langchain_threadkeep import turn_window, write_errors
from langchain_threadkeep.codec import whole
from langchain_threadkeep.record_ids import Past, keyed
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from threadkeep import Memory
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.shared import shared
from threadkeep.errors import InputError, ThreadkeepError

if TYPE_CHECKING:
    from langchain_core.chat_history import BaseChatMessageHistory
else:
    try:
        from langchain_core.chat_history import BaseChatMessageHistory
    except ImportError:  # deprecated, and to be gone in langchain-core 2.0
        BaseChatMessageHistory = object

OnWriteError = Callable[[Exception, Sequence[BaseMessage]], None]

_log = logging.getLogger("threadkeep.langchain")


class ThreadkeepChatMessageHistory(BaseChatMessageHistory):
    """A session as a chat message history; made without any I/O, one for each run.

    Messages come back exactly as they were added, chunks as whole messages.

    Args:
        session_id: the application's name for the session.
        memory: a `Memory`, or a URL; one store per URL is opened in a process.
        user_id: whose session it is, a `str`, an `int` or a `UUID`; another user's is refused.
        window: what `messages` gives: a policy, a list of them, or `{"max_tokens": 3000}`.
            `None` = the Memory's own window, and without one everything.
        on_write_error: called with the error and the messages if they could not be stored.
            `RunnableWithMessageHistory` logs what `add_messages` raises and goes on, so without
            a handler the next read of the session raises once more.

    Raises:
        ConfigError: the URL or the window is not understood, or the user id is none.
    """

    def __init__(
        self,
        session_id: str,
        memory: Memory | str,
        user_id: UserId | None = None,
        window: object = None,
        *,
        on_write_error: OnWriteError | None = None,
    ) -> None:
        self.memory = shared(memory)
        self.session_id = str(session_id)
        self._window = turn_window.told(window)
        self._on_write_error = on_write_error
        self._chat = self.memory.session(self.session_id, user=optional_user_id(user_id, "user_id"))
        self._entered: list[BaseMessage] | None = None

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # an attribute upstream
        """The messages of the window, or all of them, oldest first.

        Raises:
            BackendError: an earlier write failed in silence, or the store did not answer.
            NotOwner: the session belongs to another user.
        """
        counted = self._counted()
        return _Read(self._load(), self) if counted is None else counted

    async def aget_messages(self) -> list[BaseMessage]:
        """As `messages`."""
        counted = self._counted()
        return _Read(await self._hop(self._load), self) if counted is None else counted

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Append messages in one atomic step.

        A message of a person with an id is stored once; an answer, once in its turn.

        Raises:
            BackendError: the store did not take them.
            InputError: something is no message, or too large; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        for message in messages:
            if not isinstance(message, BaseMessage):
                raise InputError(f"a message must be a BaseMessage, got {type(message).__name__}")
        self._entered = None
        try:
            if messages:
                self._chat.add(*keyed(Past(self._chat), whole(messages)))
        except ThreadkeepError as error:
            self._failed(error, messages)
            raise

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """As `add_messages`."""
        await self._hop(functools.partial(self.add_messages, messages))

    def add_message(self, message: BaseMessage) -> None:
        """Append one message."""
        self.add_messages([message])

    def add_user_message(self, message: HumanMessage | str) -> None:
        """Append what the user said."""
        self.add_message(HumanMessage(message) if isinstance(message, str) else message)

    def add_ai_message(self, message: AIMessage | str) -> None:
        """Append what the model said."""
        self.add_message(AIMessage(message) if isinstance(message, str) else message)

    def clear(self) -> None:
        """Delete all messages; title, metadata and owner of the session stay."""
        self._entered = None
        self._chat.clear()

    async def aclear(self) -> None:
        """As `clear`."""
        await self._hop(self.clear)

    def __str__(self) -> str:
        return get_buffer_string(self.messages)

    def __repr__(self) -> str:
        return f"<ThreadkeepChatMessageHistory {self.session_id!r} of {self.memory!r}>"

    def _load(self) -> list[BaseMessage]:
        write_errors.report(self.memory, self._chat)
        policies = turn_window.chosen(self._window, self.memory)
        if policies:
            return in_reply_order(to_messages(self._chat.window(policy=policies)))
        return to_messages(self._chat.items())

    def _counted(self) -> _Read | None:
        """What the run that has begun was shown; it reads again at its end, only to count."""
        entered, self._entered = self._entered, None
        return None if entered is None else _Read(entered, self, again=True)

    def _failed(self, error: Exception, messages: Sequence[BaseMessage]) -> None:
        _log.error(
            "%d messages of session %r were not stored: %s", len(messages), self.session_id, error
        )
        if self._on_write_error is not None:
            self._on_write_error(error, messages)
        else:
            write_errors.remember(self.memory, self._chat, error)

    async def _hop(self, verb: Callable[[], Any]) -> Any:
        return await self.memory.engine.hop(verb)


class _Read(list[BaseMessage]):
    """What was read. `RunnableWithMessageHistory` copies it when a run begins, nobody else does.

    At the end of the run it reads again, and takes as many messages from the front of the run's
    input as there are then. If others wrote meanwhile, or the window slid, that would be wrong.
    """

    def __init__(
        self,
        messages: Sequence[BaseMessage],
        history: ThreadkeepChatMessageHistory,
        *,
        again: bool = False,
    ) -> None:
        super().__init__(messages)
        self._history = history
        self._again = again

    def copy(self) -> list[BaseMessage]:
        found = self._history._load() if self._again else list(self)
        self._history._entered = found
        return list(found)


def session_history_factory(
    memory: Memory | str, window: object = None, *, on_write_error: OnWriteError | None = None
) -> Callable[..., ThreadkeepChatMessageHistory]:
    """What `RunnableWithMessageHistory(get_session_history=)` takes: `(session_id, user_id=None)`.

    With users, pass `history_factory_config=HISTORY_FACTORY_CONFIG` beside it.
    """
    opened = shared(memory)
    turn_window.told(window)  # what is wrong with it is said here, not in the first run

    def history(session_id: str, user_id: UserId | None = None) -> ThreadkeepChatMessageHistory:
        return ThreadkeepChatMessageHistory(
            session_id, opened, user_id, window, on_write_error=on_write_error
        )

    return history


HISTORY_FACTORY_CONFIG = [
    ConfigurableFieldSpec(
        id="session_id", annotation=str, name="Session", description="Which session it is."
    ),
    ConfigurableFieldSpec(
        id="user_id", annotation=str, name="User", description="Whose session it is.",
        is_shared=True,
    ),
]  # fmt: skip
"""Session and user, for `RunnableWithMessageHistory(history_factory_config=)`."""
