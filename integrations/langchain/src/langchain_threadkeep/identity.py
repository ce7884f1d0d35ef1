"""Session and user of a run, by the places where an application may have put them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from threadkeep.adapters import identity
from threadkeep.errors import ConfigError

Id = str | Callable[[Any], str | None] | None
UserId = identity.UserIdSource

_USERS: Final = ("langgraph_auth_user_id", "user_id")
_SESSIONS: Final = ("thread_id", "session_id")
_AGENTS: Final = "tools"
"""The node of an agent in which its tools, and so its sub-agents, run."""


class Who(NamedTuple):
    """A session and whose it is; `agent` if a sub-agent speaks in it."""

    session: str
    user: str | None
    agent: str | None = None

    @property
    def session_of_run(self) -> str:
        """The session that the run writes to: a sub-agent has one of its own."""
        return self.session if self.agent is None else f"{self.session}/{self.agent}"


@dataclass(frozen=True)
class People:
    """What an adapter was told beforehand about session and user.

    Attributes:
        session_id: goes before the run's own `thread_id`.
        user_id: a callable (of the run's `Runtime`) or a `ContextVar` goes first, a plain id last.

    Raises:
        ConfigError: `user_id` can never be one.
    """

    session_id: Id = None
    user_id: UserId = None

    def __post_init__(self) -> None:
        identity.check_source(self.user_id)

    def who(self, config: Mapping[str, Any], runtime: Any = None) -> Who:
        """Session and user of a run.

        Raises:
            ConfigError: nothing says which session it is, or what is set is no user id.
        """
        configurable = config.get("configurable") or {}
        chosen = self.session_id(runtime) if callable(self.session_id) else self.session_id
        places = (chosen, *(configurable.get(name) for name in _SESSIONS))
        session = next((text for place in places if (text := _text(place))), None)
        if session is None:
            raise ConfigError(
                "which session is it? Pass config={'configurable': {'thread_id': ...}}, or "
                "session_id= to the adapter"
            )
        return Who(session, identity.first_user_id(self._users(configurable, runtime)))

    def _users(self, configurable: Mapping[str, Any], runtime: Any) -> Iterator[identity.Candidate]:
        yield "what user_id= gives for the run", identity.of_run(self.user_id, runtime)
        server = getattr(getattr(runtime, "server_info", None), "user", None)
        place = "identity of the server's authenticated user"
        yield place, identity.field(server, "identity", place)
        place = "user_id of the run's context"
        yield place, identity.field(getattr(runtime, "context", None), "user_id", place)
        for name in _USERS:
            yield f"{name} of the run's configurable", configurable.get(name)
        yield "user_id", identity.plain(self.user_id)


def sub_agent(config: Mapping[str, Any]) -> str | None:
    """The name of the agent, if it runs inside a tool of another agent."""
    namespace = str((config.get("configurable") or {}).get("checkpoint_ns") or "")
    above = namespace.split("|")[:-1]
    if not any(part.partition(":")[0] == _AGENTS for part in above):
        return None
    return str((config.get("metadata") or {}).get("lc_agent_name") or "agent")


def _text(value: Any) -> str | None:
    return None if value is None or value == "" or callable(value) else str(value)
