"""`ThreadkeepMiddleware`: the memory of an agent made by `create_agent`."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, NotRequired

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ExtendedModelResponse,
    ModelCallResult,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
)
from langchain_core.messages import BaseMessage
from langgraph.config import get_config
from langgraph.runtime import Runtime

from langchain_threadkeep import inject as injecting
from langchain_threadkeep import record_responses as recording
from langchain_threadkeep import turn_window
from langchain_threadkeep.codec import whole
from langchain_threadkeep.identity import (
    Id,
    People,
    UserId,
    Who,
    sub_agent,
)
from langchain_threadkeep.model_request import prompt, with_files
from langchain_threadkeep.tools import memory_tools
from langchain_threadkeep.turn import (
    Mark,
    Resend,
    Turn,
    begin,
)
from threadkeep import Memory, Session
from threadkeep.adapters.injection import injection
from threadkeep.adapters.shared import shared
from threadkeep.errors import ConfigError

_TURNS: Final = 1_000

Request = ModelRequest[Any]


class ThreadkeepState(AgentState[Any]):
    """The agent's state, and in it where the turn begins that is under way."""

    threadkeep: NotRequired[Annotated[Mark | None, PrivateStateAttr]]


class ThreadkeepMiddleware(AgentMiddleware[ThreadkeepState, Any, Any]):
    """Stores every message of an agent as it comes, and shows the model a window of the session.

    The question is stored before the model is asked, answers and tool results as they come; the
    agent's state is never rewritten. Works with a checkpointer and without one. Put it last in the
    list, so that it sees a request, and a change of an answer, as all others left them.

    A sub-agent, run inside a tool of another agent, writes to `<session>/<name of the agent>`.

    Args:
        memory: a `Memory`, or a URL; one store per URL is opened in a process. No I/O yet.
        session_id: the session, or a callable of the run's `Runtime`; `None` = its `thread_id`.
        user_id: a callable of the run's `Runtime`, or a `ContextVar`, which goes first; or an id
            (a `str`, an `int` or a `UUID`), which goes after the server's authenticated user,
            `runtime.context.user_id` and `configurable.user_id`.
        window: what the model sees: a policy, a list of them, or `{"max_tokens": 3000}`;
            `None` = the Memory's own window, else 30,000 tokens.
        resend: `detect` recognises transcripts that a client sends again with every request,
            word for word and without ids; `append` takes every message as a new one.
        files: name the session's files to the model, at the end of the system message.
        record_responses: keep each answer of the model as a `Response` too, with its tokens.
        inject: tell the model what long-term memory holds: the user's instructions and facts and
            the session's summary at the end of the system message, what was said before about the
            question beside it. Read once in a turn, stored nowhere. `{"max_tokens": 800,
            "recall": True}` says how much, and whether earlier conversations are searched.
        tools: give the agent `save_memory`, `search_memory` and `forget_memory`.

    Raises:
        ConfigError: the URL, the window, `resend` or `inject` is not understood, or `user_id` is
            none; a run raises it too, where the first place that is set holds no user id.
    """

    state_schema = ThreadkeepState

    def __init__(
        self,
        memory: Memory | str,
        session_id: Id = None,
        user_id: UserId = None,
        window: object = None,
        *,
        resend: Resend = "detect",
        files: bool = False,
        record_responses: bool = False,
        inject: bool | Mapping[str, Any] = True,
        tools: bool = False,
    ) -> None:
        super().__init__()
        if resend not in ("detect", "append"):
            raise ConfigError(f"resend must be 'detect' or 'append', got {resend!r}")
        self.memory = shared(memory)
        self.tools = memory_tools(self.memory, session_id, user_id) if tools else []
        self._people = People(session_id, user_id)
        self._policies = turn_window.bounded(turn_window.told(window), self.memory)
        self._resend: Resend = resend
        self._files = files
        self._records = record_responses
        self._inject = injection(inject)
        self._turns: OrderedDict[tuple[Who, str | None], Turn] = OrderedDict()
        self._lock = threading.Lock()

    def before_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> dict[str, Any]:
        """Store the input."""
        return self._begin(state, self._who(runtime))

    async def abefore_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> dict[str, Any]:
        """As `before_agent`."""
        mark: dict[str, Any] = await self._hop(self._begin, state, self._who(runtime))
        return mark

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelCallResult[Any]:
        """Show the model the window, and store its answer."""
        turn, told, shown = self._ask(request, self._who(request.runtime))
        response = handler(shown)
        self._hear(turn, told, _messages(response))
        return response

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelCallResult[Any]:
        """As `wrap_model_call`."""
        turn, told, shown = await self._hop(self._ask, request, self._who(request.runtime))
        response = await handler(shown)
        await self._hop(self._hear, turn, told, _messages(response))
        return response

    def after_model(self, state: ThreadkeepState, runtime: Runtime[Any]) -> None:
        """Store what became of the answer."""
        self._settle(state, self._who(runtime))

    async def aafter_model(self, state: ThreadkeepState, runtime: Runtime[Any]) -> None:
        """As `after_model`."""
        await self._hop(self._settle, state, self._who(runtime))

    def after_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> None:
        """Store what came last, and what was changed since it was stored."""
        self._end(state, self._who(runtime))

    async def aafter_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> None:
        """As `after_agent`."""
        await self._hop(self._end, state, self._who(runtime))

    def _begin(self, state: ThreadkeepState, who: Who) -> dict[str, Any]:
        turn = begin(self._chat(who), whole(state["messages"]), self._resend)
        self._remember(who, turn)
        return {"threadkeep": turn.mark}

    def _ask(self, request: Request, who: Who) -> tuple[Turn, Request, Request]:
        """The turn, the request with the window, and as it is sent: with what is remembered."""
        state: Any = request.state
        turn = self._keep(state, who)
        found = prompt(turn, self._policies, state["messages"], request.messages)
        messages: list[Any] = found.messages
        told = request.override(messages=messages)
        if self._files:
            system = with_files(request.system_message, turn.chat.files.list())
            told = told.override(system_message=system)
        if self._inject is None:
            return turn, told, told
        return turn, told, injecting.inject(self._inject, turn, found.window, told)

    def _hear(self, turn: Turn, told: ModelRequest[Any], said: list[BaseMessage]) -> None:
        turn.hear(said)
        if self._records:
            recording.record(turn, told, said)

    def _keep(self, state: ThreadkeepState, who: Who) -> Turn:
        turn = self._turn(state, who)
        turn.keep(state["messages"])
        return turn

    def _settle(self, state: ThreadkeepState, who: Who) -> None:
        self._turn(state, who).settle(state["messages"])

    def _end(self, state: ThreadkeepState, who: Who) -> None:
        turn = self._keep(state, who)
        with self._lock:
            self._turns.pop((who, turn.mark["turn"]), None)

    def _turn(self, state: ThreadkeepState, who: Who) -> Turn:
        """The turn under way; taken up where another process, or another run, left it."""
        mark = state.get("threadkeep")
        if mark is None:  # the agent began before it had a memory
            turn = begin(self._chat(who), whole(state["messages"]), self._resend)
        else:
            with self._lock:
                found = self._turns.get((who, mark["turn"]))  # never another user's
            if found is not None and found.mark == mark:
                return found
            turn = Turn(self._chat(who), mark)
        self._remember(who, turn)
        return turn

    def _remember(self, who: Who, turn: Turn) -> None:
        with self._lock:
            self._turns[who, turn.mark["turn"]] = turn
            while len(self._turns) > _TURNS:
                self._turns.popitem(last=False)

    def _who(self, runtime: Any) -> Who:
        config: Any = get_config()
        return self._people.who(config, runtime)._replace(agent=sub_agent(config))

    def _chat(self, who: Who) -> Session:
        return self.memory.session(who.session_of_run, user=who.user, agent=who.agent)

    async def _hop(self, verb: Callable[..., Any], *args: Any) -> Any:
        return await self.memory.engine.hop(functools.partial(verb, *args))


def _messages(response: ModelCallResult[Any]) -> list[BaseMessage]:
    """What the model said; answers that have no id yet are stored when the state gave them one."""
    if isinstance(response, ExtendedModelResponse):
        response = response.model_response
    found = response.result if isinstance(response, ModelResponse) else [response]
    return [message for message in whole(found) if message.id]
