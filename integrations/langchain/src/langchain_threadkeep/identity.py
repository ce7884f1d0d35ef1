"""Resolve the session and user of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from threadkeep.adapters import identity
from threadkeep.errors import ConfigError

Id = str | Callable[[Any], str | None] | None
UserId = identity.UserIdSource

_USER_FIELDS: Final = ("langgraph_auth_user_id", "user_id")
_SESSION_FIELDS: Final = ("thread_id", "session_id")
_TOOLS_NODE: Final = "tools"
"""The graph node in which an agent's tools, and so its sub-agents, run."""


class RunIdentity(NamedTuple):
    """The session and user of a run, and the agent if a sub-agent runs."""

    session: str
    user: str | None
    agent: str | None = None

    @property
    def session_of_run(self) -> str:
        """The session the run writes to: a sub-agent has its own."""
        return self.session if self.agent is None else f"{self.session}/{self.agent}"


@dataclass(frozen=True)
class IdentityResolver:
    """Resolves session and user of a run from an adapter's arguments and the run.

    Attributes:
        session_id: takes precedence over the run's `thread_id`.
        user_id: a callable (of the run's `Runtime`) or a `ContextVar` takes precedence over the
            run's own user id; a plain id is the fallback.

    Raises:
        ConfigError: `user_id` is not valid.
    """

    session_id: Id = None
    user_id: UserId = None

    def __post_init__(self) -> None:
        identity.check_source(self.user_id)

    def resolve(self, config: Mapping[str, Any], runtime: Any = None) -> RunIdentity:
        """Return session and user of a run.

        Raises:
            ConfigError: there is no session id, or the user id is not valid.
        """
        configurable = config.get("configurable") or {}
        configured = self.session_id(runtime) if callable(self.session_id) else self.session_id
        candidates = (configured, *(configurable.get(name) for name in _SESSION_FIELDS))
        session = next((text for candidate in candidates if (text := _text(candidate))), None)
        if session is None:
            raise ConfigError(
                "which session is it? Pass config={'configurable': {'thread_id': ...}}, or "
                "session_id= to the adapter"
            )
        return RunIdentity(
            session, identity.first_user_id(self._user_candidates(configurable, runtime))
        )

    def _user_candidates(
        self, configurable: Mapping[str, Any], runtime: Any
    ) -> Iterator[identity.Candidate]:
        yield "what user_id= gives for the run", identity.run_value(self.user_id, runtime)
        server = getattr(getattr(runtime, "server_info", None), "user", None)
        location = "identity of the server's authenticated user"
        yield location, identity.read_field(server, "identity", location)
        location = "user_id of the run's context"
        yield location, identity.read_field(getattr(runtime, "context", None), "user_id", location)
        for name in _USER_FIELDS:
            yield f"{name} of the run's configurable", configurable.get(name)
        yield "user_id", identity.fixed_value(self.user_id)


def sub_agent(config: Mapping[str, Any]) -> str | None:
    """Return the name of the agent if it runs inside a tool of another agent, else `None`."""
    namespace = str((config.get("configurable") or {}).get("checkpoint_ns") or "")
    outer_nodes = namespace.split("|")[:-1]
    if not any(node.partition(":")[0] == _TOOLS_NODE for node in outer_nodes):
        return None
    return str((config.get("metadata") or {}).get("lc_agent_name") or "agent")


def _text(value: Any) -> str | None:
    return None if value is None or value == "" or callable(value) else str(value)
