"""`ThreadkeepCapability`: what an agent's model sees of a conversation, and what it remembers."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability, WrapRunHandler
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.run import AgentRunResult
from pydantic_ai.toolsets import AbstractToolset, CombinedToolset

from pydantic_ai_threadkeep.inject import question, with_context
from pydantic_ai_threadkeep.message_window import MessageItems, cut
from pydantic_ai_threadkeep.record_responses import answer_of
from pydantic_ai_threadkeep.run_user import PARENT_USER, session_of_run, user_of_run
from pydantic_ai_threadkeep.tools import chat_of, memory_toolset, read_more_toolset
from threadkeep import Memory, Session
from threadkeep.adapters import record_responses as responses
from threadkeep.adapters import windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import SessionId, UserIdSource, session_id_text, user_source
from threadkeep.adapters.injection import parse_injection
from threadkeep.adapters.read_more import ReadMore
from threadkeep.adapters.recall_cache import RecallCache
from threadkeep.adapters.shared import shared_memory


class ThreadkeepCapability(AbstractCapability[Any]):
    """A capability: a window over the conversation, and long-term memory of the user.

    `Agent(capabilities=[ThreadkeepCapability(...)])`. What it leaves out or adds is so in the
    request to the model alone: the run's history stays whole, and is saved whole by a
    `ThreadkeepConversationStore`.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        session_id: the session whose summary and instructions are told, and that responses are
            recorded in; `None` = the run's `conversation_id`.
        user: the user, a `str`, an `int` or a `UUID`; or a callable that gets the `RunContext`,
            or a `ContextVar`. The run's `deps.user_id` takes precedence over a plain id. An agent
            that runs inside a tool of another has the user of the outer run, unless it is told.
        window: limits what the model sees: a policy, a list of them, or `{"max_tokens": 3000}`.
            A tool step is in it as a whole, and prompts of the system always are. `None` = the
            Memory's own window, or everything without one.
        record_responses: also store each model answer as a `Response` with its token usage.
        inject: add long-term memory to the request: the user's instructions and facts and the
            session's summary after the instructions, recalled notes beside the question.
            `{"max_tokens": 800, "recall": True}` sets the budget, and whether earlier
            conversations are searched.
        tools: give the agent `save_memory`, `search_memory` and `forget_memory`.
        read_more: give the agent the tool `read_more`, which shows what the window left out of a
            large tool result.
        user_id: another name for `user`.

    Raises:
        ConfigError: the URL, the window, `inject` or an id is not valid; a run raises it too if
            the first source that is set has no valid user id.
    """

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        session_id: SessionId | None = None,
        user: UserIdSource = None,
        window: object = None,
        record_responses: bool = False,
        inject: bool | Mapping[str, Any] = True,
        tools: bool = False,
        read_more: bool = False,
        user_id: UserIdSource = None,
    ) -> None:
        super().__init__()
        self.memory = shared_memory(memory)
        self._session_id = None if session_id is None else session_id_text(session_id)
        self._user = user_source(user, user_id)
        self._policies = windows.parse_window(window)
        self._records, self._injection = record_responses, parse_injection(inject)
        self._tools, self._read_more = tools, read_more
        self._over = windows.OverWarning()
        self._recall, self._items = RecallCache(), MessageItems([])

    async def for_run(self, ctx: RunContext[Any]) -> ThreadkeepCapability:
        """The capability with what one run needs of its own."""
        run_capability = copy.copy(self)
        run_capability._recall, run_capability._items = RecallCache(), MessageItems([])
        return run_capability

    async def wrap_run(
        self, ctx: RunContext[Any], *, handler: WrapRunHandler
    ) -> AgentRunResult[Any]:
        """Tell agents that run inside a tool of this one who the user is."""
        token = PARENT_USER.set(user_of_run(self._user, ctx))
        try:
            return await handler()
        finally:
            PARENT_USER.reset(token)

    async def before_model_request(
        self, ctx: RunContext[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Cut the request to the window."""
        policies = windows.or_memory_window(self._policies, self.memory)
        run_session = self.open(ctx)
        if not policies or run_session is None:
            return request_context
        if self._read_more:
            policies = windows.readable(policies)
        self._items = MessageItems(request_context.messages)
        messages, window = cut(self._items, policies, run_session)
        self._over.check(window, run_session.id)
        return dataclasses.replace(request_context, messages=list(messages))

    async def prepare_model_request(
        self, ctx: RunContext[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Add memory: here, where what is added to the instructions is in no history."""
        run_session = self.open(ctx)
        if self._injection is None or run_session is None:
            return request_context
        query = question(request_context.messages) if self._injection.recall else ""
        turn, budget = (ctx.run_id, run_session.id, run_session.user), self._injection.max_tokens
        read_context = run_session.context
        context = await self.memory.to_thread(self._recall.get, read_context, query, turn, budget)
        return with_context(request_context, context)

    async def after_model_request(
        self,
        ctx: RunContext[Any],
        *,
        request_context: ModelRequestContext,
        response: ModelResponse,
    ) -> ModelResponse:
        """Record the answer; a failure is logged as an error."""
        if self._records and (run_session := self.open(ctx)) is not None:
            await responses.arecord(run_session, answer_of(request_context.messages, response))
        return response

    def get_toolset(self) -> AbstractToolset[Any] | None:
        """The tools that the options name."""
        toolsets: list[AbstractToolset[Any]] = []
        if self._tools:
            toolsets.append(memory_toolset(self.open))
        if self._read_more:
            toolsets.append(read_more_toolset(self._pages))
        return CombinedToolset(toolsets) if toolsets else None

    def open(self, ctx: RunContext[Any]) -> Session | None:
        """The session of a run, for its user; `None` if the run has no conversation.

        Raises:
            ConfigError: the run's user id is not valid.
        """
        session, agent = session_of_run(self._session_id, ctx), ctx.agent
        agent_name = None if agent is None else agent.name
        return chat_of(self.memory, session, user_of_run(self._user, ctx), agent_name)

    @classmethod
    def get_serialization_name(cls) -> str | None:
        """`None`: a `Memory` is no part of a specification."""
        return None

    def _pages(self, ctx: RunContext[Any]) -> ReadMore:
        run_session = self.open(ctx)
        policies = windows.or_memory_window(self._policies, self.memory)
        assert run_session is not None, "a run has a conversation"  # noqa: S101  # its id is made if none is given
        return ReadMore(run_session, policies, find=self._items.find)

    def __repr__(self) -> str:
        return f"<ThreadkeepCapability on {self.memory!r}>"
