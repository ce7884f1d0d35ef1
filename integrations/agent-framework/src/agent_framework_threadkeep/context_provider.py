"""`ThreadkeepContextProvider`: long-term memory in what an agent is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_framework import ContextProvider, Message

from agent_framework_threadkeep.identity import UserId, run_of, user_of_run
from threadkeep import Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import session_id_text, user_source
from threadkeep.adapters.injection import parse_injection
from threadkeep.adapters.shared import shared_memory

if TYPE_CHECKING:
    from agent_framework import AgentSession, SessionContext, SupportsAgentRun


class ThreadkeepContextProvider(ContextProvider):
    """Long-term memory for agents: `Agent(context_providers=[history, this])`.

    Before a run it adds facts, instructions and the session's summary to the agent's instructions,
    and what was said in earlier conversations about the question as a message beside it. None of
    it is saved by a history provider, unless that has `store_context_messages=True`.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        user: the user, a `str`, an `int` or a `UUID`; or a callable that gets the run's
            `AgentSession`, or a `ContextVar`. A `user_id` in the state of the session takes
            precedence over a plain id.
        inject: `False` = nothing; a dict with `max_tokens` (800) and `recall` (`True`).
        source_id: as in the framework.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id, the URL or `inject` is not valid.
    """

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        user: UserId = None,
        inject: object = True,
        source_id: str = "threadkeep_context",
        user_id: UserId = None,
    ) -> None:
        super().__init__(source_id)
        self.memory = shared_memory(memory)
        self._user = user_source(user, user_id)
        self._injection = parse_injection(inject)
        user_of_run(self._user)

    async def before_run(
        self,
        *,
        agent: SupportsAgentRun,
        session: AgentSession,
        context: SessionContext,
        state: dict[str, Any],
    ) -> None:
        """Add what is known to the run.

        Raises:
            ConfigError: the run's user id is not valid.
            NotOwner: the session belongs to another user.
        """
        if self._injection is None:
            return
        with run_of(session):
            user = user_of_run(self._user)
        chat = self.memory.session(session_id_text(context.session_id), user=user, agent=agent.name)
        query = _query(context.input_messages) if self._injection.recall else ""
        memory_context = await chat.acontext(query or None, max_tokens=self._injection.max_tokens)
        if memory_context.stable:
            context.extend_instructions(self.source_id, memory_context.stable)
        if memory_context.volatile:
            context.extend_messages(self, [Message("user", [memory_context.volatile])])

    def __repr__(self) -> str:
        return f"<ThreadkeepContextProvider of {self.memory!r}>"


def _query(messages: list[Message]) -> str:
    """The text of what the user asks."""
    return "\n".join(message.text for message in messages if message.role == "user").strip()
