"""`ThreadkeepMiddleware`: memory for agents made by `create_agent`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal, NotRequired

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ModelCallResult,
    ModelRequest,
    ModelResponse,
    PrivateStateAttr,
)
from langchain_core.messages import BaseMessage, RemoveMessage
from langgraph.config import get_config
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.runtime import Runtime

from langchain_threadkeep import record_responses
from langchain_threadkeep.begin_turn import StateOrigin, begin_turn, resume_turn
from langchain_threadkeep.codec import chunks_to_messages
from langchain_threadkeep.encodable import encodable_request
from langchain_threadkeep.identity import (
    Id,
    IdentityResolver,
    RunIdentity,
    SubAgentMemory,
    UserId,
)
from langchain_threadkeep.inject import inject_context
from langchain_threadkeep.model_request import answer_messages, hydrated, prompt, with_files
from langchain_threadkeep.read_more import ReadMoreOption
from langchain_threadkeep.tools import resolved_memory_tools
from langchain_threadkeep.turn import AgentTurn, Resend
from langchain_threadkeep.turn_cache import TurnCache
from langchain_threadkeep.turn_position import TurnPosition
from threadkeep import Memory, Session
from threadkeep.adapters import windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import user_source
from threadkeep.adapters.injection import parse_injection, with_summary
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

Request = ModelRequest[Any]


class ThreadkeepState(AgentState[Any]):
    """The agent's state, with the position of the current turn."""

    threadkeep: NotRequired[Annotated[TurnPosition | None, PrivateStateAttr]]


class ThreadkeepMiddleware(AgentMiddleware[ThreadkeepState, Any, Any]):
    """Stores each message of an agent as it arrives, and sends the model a window of the session.

    The question is stored before the model is called, answers and tool results as they arrive. It
    works with and without a checkpointer. Put it last in the list, so that it sees requests as all
    other middleware left them.

    What the agent's state holds wins: a message that is changed there replaces its item, one that
    is removed is hidden, and a run from an earlier checkpoint shows its own branch. What differs
    only in a request holds for that call, and is not stored.

    A sub-agent, run inside a tool of another agent, writes to a session of its own, which lists
    leave out: `memory.sessions(parent=)` lists them.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        session_id: the session, or a callable of the run's `Runtime`; `None` = its `thread_id`.
        user: a callable of the run's `Runtime`, or a `ContextVar`, which takes precedence; or
            an id (a `str`, an `int` or a `UUID`), the fallback for the server's authenticated
            user, `runtime.context.user_id` and `configurable.user_id`.
        window: limits what the model sees: a policy, a list of them, or `{"max_tokens": 3000}`;
            `None` = the Memory's own window, else 30,000 tokens.
        resend: `detect` recognises transcripts that a client resends with every request, word for
            word and without ids; `append` treats every message as new.
        files: list the session's files at the end of the system message.
        record_responses: also store each model answer as a `Response` with its token usage.
        inject: add long-term memory to the prompt: the user's instructions and facts and the
            session's summary at the end of the system message, recalled notes beside the question.
            It is read once per turn and never stored. `{"max_tokens": 800, "recall": True}` sets
            the budget, and whether earlier conversations are searched.
        summary: `True` makes sure that the session's summary stands in for what the window leaves
            out: the Memory must have a model, which writes it in the background and whose failures
            end no run. Its text stays the same for a few turns, for prompt caches. A summary in the
            agent's state, as of `SummarizationMiddleware`, takes its place. `False` never tells it;
            `None` = it is told where there is one.
        tools: give the agent `save_memory`, `search_memory` and `forget_memory`.
        hydrate: `"state"` puts the window into the agent's state when a run begins, so that the
            hooks of all middleware see, and may change or remove, what the model will see; with
            `None` only the request to the model has it.
        read_more: give the agent the tool `read_more`, which shows what the window left out of a
            large tool result; `None` = where it has other tools.
        sub_agent_memory: `"call"` gives each call of a sub-agent a fresh memory, in a session
            `<session>/<name of the agent>/<id of the call>`; `"thread"` lets it remember its
            earlier calls in the thread, in `<session>/<name of the agent>`.
        user_id: another name for `user`.

    Raises:
        ConfigError: the URL, the window, `resend`, `inject`, `summary` or an id is not valid; a run
            raises it too if the first source that is set has no valid user id.
    """

    state_schema = ThreadkeepState

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        session_id: Id = None,
        user: UserId = None,
        window: object = None,
        resend: Resend = "detect",
        files: bool = False,
        record_responses: bool = False,
        inject: bool | Mapping[str, Any] = True,
        summary: bool | None = None,
        tools: bool = False,
        hydrate: Literal["state"] | None = None,
        read_more: bool | None = None,
        sub_agent_memory: SubAgentMemory = "call",
        user_id: UserId = None,
    ) -> None:
        super().__init__()
        _check_options(resend, hydrate)
        self.memory = shared_memory(memory)
        user_option = user_source(user, user_id)
        self._resolver = IdentityResolver(session_id, user_option, sub_agent_memory)
        self._policies = windows.or_token_limit(windows.parse_window(window), self.memory)
        self._read_more = ReadMoreOption(read_more, self.memory, self._resolver, self._policies)
        agent_memory_tools = resolved_memory_tools(self.memory, self._resolver) if tools else []
        self.tools = [*agent_memory_tools, *self._read_more.tools]
        self._over = windows.OverWarning()
        self._resend: Resend = resend
        self._files = files
        self._hydrates = hydrate == "state"
        self._record_responses = record_responses
        self._inject = with_summary(parse_injection(inject), summary, self.memory)
        self._turns = TurnCache()

    def before_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> dict[str, Any]:
        """Store the input."""
        return self._begin(state, self._resolve_identity(runtime))

    async def abefore_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> dict[str, Any]:
        """As `before_agent`."""
        state_update: dict[str, Any] = await self._to_thread(
            self._begin, state, self._resolve_identity(runtime)
        )
        return state_update

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelCallResult[Any]:
        """Send the model the window, and store its answer."""
        turn, windowed_request, final_request = self._prepare_request(
            request, self._resolve_identity(request.runtime)
        )
        response = handler(final_request)
        self._store_answers(turn, windowed_request, answer_messages(response))
        return response

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelCallResult[Any]:
        """As `wrap_model_call`."""
        turn, windowed_request, final_request = await self._to_thread(
            self._prepare_request, request, self._resolve_identity(request.runtime)
        )
        response = await handler(final_request)
        await self._to_thread(
            self._store_answers, turn, windowed_request, answer_messages(response)
        )
        return response

    def after_model(self, state: ThreadkeepState, runtime: Runtime[Any]) -> None:
        """Update the stored answer if other middleware changed or refused it."""
        self._follow(state, self._resolve_identity(runtime))

    async def aafter_model(self, state: ThreadkeepState, runtime: Runtime[Any]) -> None:
        """As `after_model`."""
        await self._to_thread(self._follow, state, self._resolve_identity(runtime))

    def after_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> dict[str, Any]:
        """Store the last messages, and changes of stored ones."""
        return self._end(state, self._resolve_identity(runtime))

    async def aafter_agent(self, state: ThreadkeepState, runtime: Runtime[Any]) -> dict[str, Any]:
        """As `after_agent`."""
        state_update: dict[str, Any] = await self._to_thread(
            self._end, state, self._resolve_identity(runtime)
        )
        return state_update

    def _begin(self, state: ThreadkeepState, identity: RunIdentity) -> dict[str, Any]:
        origin = StateOrigin.of(state, get_config())
        turn = begin_turn(self._chat(identity), state["messages"], self._resend, origin)
        self._turns.keep(identity, turn)
        messages = hydrated(turn, self._policies, state["messages"]) if self._hydrates else None
        state_update: dict[str, Any] = {"threadkeep": turn.position()}
        if messages is not None:
            state_update["messages"] = [RemoveMessage(id=REMOVE_ALL_MESSAGES), *messages]
        return state_update

    def _prepare_request(
        self, request: Request, identity: RunIdentity
    ) -> tuple[AgentTurn, Request, Request]:
        """The turn, the request with the window, and the same with injected memory."""
        state: Any = request.state
        turn = self._follow(state, identity)
        policies, request = self._read_more.apply(request)
        window_prompt = prompt(turn, policies, state["messages"], request.messages)
        self._over.check(window_prompt.window, turn.chat.id)
        window_messages: list[Any] = window_prompt.messages
        windowed_request = request.override(messages=window_messages)
        if self._files:
            system_message = with_files(request.system_message, turn.chat.files.list())
            windowed_request = windowed_request.override(system_message=system_message)
        final_request = windowed_request
        if self._inject is not None:
            window = window_prompt.window
            final_request = inject_context(self._inject, turn, window, windowed_request)
        return turn, windowed_request, encodable_request(final_request)

    def _store_answers(
        self, turn: AgentTurn, windowed_request: ModelRequest[Any], answers: list[BaseMessage]
    ) -> None:
        turn.store_answers(answers)
        if self._record_responses:
            record_responses.record(turn, windowed_request, answers)

    def _follow(self, state: ThreadkeepState, identity: RunIdentity) -> AgentTurn:
        """Bring the store in step with the state."""
        turn, messages = self._turn(state, identity), chunks_to_messages(state["messages"])
        turn.follow(messages)
        if self._record_responses:
            record_responses.revise(turn, messages)
        return turn

    def _end(self, state: ThreadkeepState, identity: RunIdentity) -> dict[str, Any]:
        turn = self._follow(state, identity)
        self._turns.drop(identity, turn)
        return {"threadkeep": turn.position()}

    def _turn(self, state: ThreadkeepState, identity: RunIdentity) -> AgentTurn:
        """The current turn, resumed where another process or run left it."""
        saved_position = state.get("threadkeep")
        if saved_position is not None:
            cached_turn = self._turns.get(identity, saved_position.get("run", ""))
            if cached_turn is not None:  # never another user's
                return cached_turn
        origin = StateOrigin.of(state, get_config())
        turn = resume_turn(
            self._chat(identity), chunks_to_messages(state["messages"]), self._resend, origin
        )
        self._turns.keep(identity, turn)
        return turn

    def _resolve_identity(self, runtime: Any) -> RunIdentity:
        config: Any = get_config()
        return self._resolver.resolve(config, runtime)

    def _chat(self, identity: RunIdentity) -> Session:
        return self.memory.session(
            identity.session_of_run, user=identity.user, agent=identity.agent
        )

    async def _to_thread(self, verb: Callable[..., Any], *args: Any) -> Any:
        return await self.memory.to_thread(verb, *args)


def _check_options(resend: object, hydrate: object) -> None:
    if resend not in ("detect", "append"):
        raise ConfigError(f"resend must be 'detect' or 'append', got {shown(resend)}")
    if hydrate not in (None, "state"):
        raise ConfigError(f"hydrate must be None or 'state', got {shown(hydrate)}")
