"""Who is it: the session and the user of a run, found where an application may have put them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from threadkeep.errors import ConfigError

Id = str | Callable[[Any], str | None] | None

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
        user_id: a callable (of the run's `Runtime`) goes first, a plain id last.
    """

    session_id: Id = None
    user_id: Id = None

    def who(self, config: Mapping[str, Any], runtime: Any = None) -> Who:
        """Session and user of a run.

        Raises:
            ConfigError: nothing says which session it is.
        """
        said = config.get("configurable") or {}
        session = _text(self.session_id(runtime) if callable(self.session_id) else self.session_id)
        if session is None:
            session = next((found for name in _SESSIONS if (found := _text(said.get(name)))), None)
        if session is None:
            raise ConfigError(
                "which session is it? Pass config={'configurable': {'thread_id': ...}}, or "
                "session_id= to the adapter"
            )
        return Who(session, self._user(said, runtime))

    def _user(self, said: Mapping[str, Any], runtime: Any) -> str | None:
        chosen = self.user_id(runtime) if callable(self.user_id) else None
        server = getattr(getattr(runtime, "server_info", None), "user", None)
        places = (
            chosen,
            getattr(server, "identity", None),
            _of(getattr(runtime, "context", None), "user_id"),
            *(said.get(name) for name in _USERS),
            None if callable(self.user_id) else self.user_id,
        )
        return next((found for place in places if (found := _text(place))), None)


def sub_agent(config: Mapping[str, Any]) -> str | None:
    """The name of the agent, if it runs inside a tool of another agent."""
    namespace = str((config.get("configurable") or {}).get("checkpoint_ns") or "")
    above = namespace.split("|")[:-1]
    if not any(part.partition(":")[0] == _AGENTS for part in above):
        return None
    return str((config.get("metadata") or {}).get("lc_agent_name") or "agent")


def _of(context: Any, name: str) -> Any:
    return context.get(name) if isinstance(context, Mapping) else getattr(context, name, None)


def _text(value: Any) -> str | None:
    return None if value is None or value == "" or callable(value) else str(value)
