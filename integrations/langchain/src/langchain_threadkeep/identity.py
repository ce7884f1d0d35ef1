"""Resolve the session and user of a run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from threadkeep.adapters import identity
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

Id: TypeAlias = "identity.SessionId | Callable[[Any], identity.SessionId | None] | None"
UserId = identity.UserIdSource

_USER_FIELDS: Final = ("langgraph_auth_user_id", "user_id")
_SESSION_FIELDS: Final = ("thread_id", "session_id")
_IGNORED_FIELD: Final = "user"
"""It belongs to the graph, which may mean anything by it, such as the record of a user."""

_TOOLS_NODE: Final = "tools"
"""The graph node in which an agent's tools, and so its sub-agents, run."""


SubAgentMemory: TypeAlias = Literal["call", "thread"]
"""What a sub-agent remembers: nothing of its other calls, or all its calls in the thread."""


class RunIdentity(NamedTuple):
    """The session and user of a run; if a sub-agent runs, its name, and the id of its call.

    The call is `None` where the sub-agent remembers its calls.
    """

    session: str
    user: str | None
    agent: str | None = None
    call: str | None = None

    @property
    def session_of_run(self) -> str:
        """The session the run writes to: a sub-agent has its own."""
        return "/".join(part for part in (self.session, self.agent, self.call) if part is not None)


@dataclass(frozen=True)
class IdentityResolver:
    """Resolves session and user of a run from an adapter's arguments and the run.

    Attributes:
        session_id: takes precedence over the run's `thread_id`.
        user: a callable (of the run's `Runtime`) or a `ContextVar` takes precedence over the
            run's own user id; a plain id is the fallback.
        sub_agent_memory: what a sub-agent remembers.

    Raises:
        ConfigError: an id is not valid.
    """

    session_id: Id = None
    user: UserId = None
    sub_agent_memory: SubAgentMemory = "call"
    _warned: list[str] = field(default_factory=list, init=False, compare=False)

    def __post_init__(self) -> None:
        if self.sub_agent_memory not in ("call", "thread"):
            raise ConfigError(
                f"sub_agent_memory must be 'call' or 'thread', got {shown(self.sub_agent_memory)}"
            )
        identity.check_source(self.user)
        if self.session_id is not None and not callable(self.session_id):
            identity.session_id_text(self.session_id)

    def resolve(self, config: Mapping[str, Any], runtime: Any = None) -> RunIdentity:
        """Return session and user of a run, and the sub-agent that runs, if one does.

        Raises:
            ConfigError: there is no session id, or an id is not valid.
        """
        configurable = config.get("configurable") or {}
        session_id = self._session(configurable, runtime)
        user_id = identity.first_user_id(self._user_candidates(configurable, runtime))
        if user_id is None and configurable.get(_IGNORED_FIELD) is not None:
            self._warn_of_ignored_field()
        agent_name = _sub_agent(config)
        is_per_call = agent_name is not None and self.sub_agent_memory == "call"
        return RunIdentity(
            session_id, user_id, agent_name, _call_id(config) if is_per_call else None
        )

    def _session(self, configurable: Mapping[str, Any], runtime: Any) -> str:
        is_callable = callable(self.session_id)
        configured_id = self.session_id(runtime) if callable(self.session_id) else self.session_id
        name = "what session_id= gives for the run" if is_callable else "session_id"
        candidates = [(name, configured_id)]
        candidates += [
            (f"{field_name} of the run's configurable", configurable.get(field_name))
            for field_name in _SESSION_FIELDS
        ]
        for location, candidate_id in candidates:
            if candidate_id is not None and candidate_id != "":
                return identity.session_id_text(candidate_id, location)
        raise ConfigError(
            "which session is it? Pass config={'configurable': {'thread_id': ...}}, or "
            "session_id= to the adapter"
        )

    def _warn_of_ignored_field(self) -> None:
        if not self._warned:
            self._warned.append(_IGNORED_FIELD)
            warnings.warn(
                "the run has no user: 'user' of its configurable is not read; pass "
                "config={'configurable': {'user_id': ...}}, or user= to the adapter",
                stacklevel=2,
            )

    def _user_candidates(
        self, configurable: Mapping[str, Any], runtime: Any
    ) -> Iterator[identity.Candidate]:
        yield "what user= gives for the run", identity.run_value(self.user, runtime)
        server_user = getattr(getattr(runtime, "server_info", None), "user", None)
        location = "identity of the server's authenticated user"
        yield location, identity.read_field(server_user, "identity", location)
        location = "user_id of the run's context"
        yield location, identity.read_field(getattr(runtime, "context", None), "user_id", location)
        for field_name in _USER_FIELDS:
            yield f"{field_name} of the run's configurable", configurable.get(field_name)
        yield "user", identity.fixed_value(self.user)


def _sub_agent(config: Mapping[str, Any]) -> str | None:
    """Return the name of the agent if it runs inside a tool of another agent, else `None`."""
    if not any(map(_is_tools_node, _outer_nodes(config))):
        return None
    return str((config.get("metadata") or {}).get("lc_agent_name") or "agent")


def _call_id(config: Mapping[str, Any]) -> str:
    """The id of the tool call in which a sub-agent runs: the same when the call is resumed.

    It is LangGraph's id of the task that runs the call; if one task runs several sub-agents, their
    number among them follows.
    """
    nodes = _outer_nodes(config)
    tool_node_index = max(
        node_index for node_index, node in enumerate(nodes) if _is_tools_node(node)
    )
    counters = [node for node in nodes[tool_node_index + 1 :] if node.isdecimal()]
    return "-".join([nodes[tool_node_index].partition(":")[2] or "call", *counters])


def _outer_nodes(config: Mapping[str, Any]) -> list[str]:
    """The nodes around the graph that runs, the outermost first."""
    namespace = str((config.get("configurable") or {}).get("checkpoint_ns") or "")
    return namespace.split("|")[:-1]


def _is_tools_node(node: str) -> bool:
    return node.partition(":")[0] == _TOOLS_NODE
