"""`ThreadkeepHistoryProvider`: the history of agents on any store of threadkeep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agent_framework import HistoryProvider, Message

from agent_framework_threadkeep.codec import to_messages
from agent_framework_threadkeep.identity import UserId, run_of, user_of_run
from agent_framework_threadkeep.record_responses import record_run
from agent_framework_threadkeep.save import save
from threadkeep import Memory, Session
from threadkeep.adapters import windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import session_id_text, user_source
from threadkeep.adapters.shared import shared_memory

if TYPE_CHECKING:
    from agent_framework import AgentSession, SessionContext, SupportsAgentRun


class ThreadkeepHistoryProvider(HistoryProvider):
    """The history of agents in any store of threadkeep: `Agent(context_providers=[this])`.

    A session of the framework is the threadkeep session of its `session_id`. Messages come back
    equal to what was saved; those of one run are saved in one atomic step. One provider serves
    any number of sessions and runs.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        user: the owner of the sessions, a `str`, an `int` or a `UUID`; or a callable that gets the
            run's `AgentSession`, or a `ContextVar`. A `user_id` in the state of the session takes
            precedence over a plain id.
        window: limits the messages that are loaded: a policy, a list of them, or
            `{"max_tokens": 3000}`. `None` = the Memory's own window, or everything without one.
        record_responses: also store the answer of each run as a `Response` with its token usage.
        source_id: as in the framework, as are the following.
        load_messages: whether runs load messages.
        store_inputs: whether what a run was asked is saved.
        store_context_messages: whether what other providers add to a run is saved.
        store_context_from: of which providers; `None` = of all.
        store_outputs: whether what a run answers is saved.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id, the URL or the window is not valid.
    """

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        user: UserId = None,
        window: object = None,
        record_responses: bool = False,
        source_id: str = "threadkeep_history",
        load_messages: bool = True,
        store_inputs: bool = True,
        store_context_messages: bool = False,
        store_context_from: set[str] | None = None,
        store_outputs: bool = True,
        user_id: UserId = None,
    ) -> None:
        super().__init__(
            source_id,
            load_messages=load_messages,
            store_inputs=store_inputs,
            store_context_messages=store_context_messages,
            store_context_from=store_context_from,
            store_outputs=store_outputs,
        )
        self.memory = shared_memory(memory)
        self._user = user_source(user, user_id)
        self._policies = windows.parse_window(window)
        self._over = windows.OverWarning()
        self._records = record_responses
        user_of_run(self._user)

    async def get_messages(
        self, session_id: str | None, *, state: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Message]:
        """The messages of a session, oldest first: its window, if there is one.

        Raises:
            ConfigError: there is no session id, or the run's user id is not valid.
            NotOwner: the session belongs to another user.
        """
        chat = self._open(session_id)
        if policies := windows.or_memory_window(self._policies, self.memory):
            window = await chat.awindow(policy=policies)
            self._over.check(window, chat.id)
            return to_messages(window)
        return to_messages(await chat.aitems())

    async def save_messages(
        self,
        session_id: str | None,
        messages: Sequence[Message],
        *,
        state: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Append the messages in one atomic step, without those that the history ends with.

        As in the framework's own providers, a transcript that is saved as a whole again adds what
        is new in it.

        Raises:
            ConfigError: there is no session id, or the run's user id is not valid.
            InputError: a message is not JSON; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        chat = self._open(session_id)
        if not messages:
            return
        await self.memory.to_thread(save, chat, messages)

    async def before_run(
        self,
        *,
        agent: SupportsAgentRun,
        session: AgentSession,
        context: SessionContext,
        state: dict[str, Any],
    ) -> None:
        """Load the history into the run."""
        with run_of(session):
            await super().before_run(agent=agent, session=session, context=context, state=state)

    async def after_run(
        self,
        *,
        agent: SupportsAgentRun,
        session: AgentSession,
        context: SessionContext,
        state: dict[str, Any],
    ) -> None:
        """Save what the run was asked and answered."""
        with run_of(session):
            await super().after_run(agent=agent, session=session, context=context, state=state)
            if self._records:
                await record_run(self._open(context.session_id), agent, context)

    def _open(self, session_id: str | None) -> Session:
        session_name = session_id_text(session_id)
        return self.memory.session(session_name, user=user_of_run(self._user))

    def __repr__(self) -> str:
        return f"<ThreadkeepHistoryProvider of {self.memory!r}>"
