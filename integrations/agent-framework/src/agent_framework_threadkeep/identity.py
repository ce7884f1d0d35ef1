"""Resolve the user id of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from agent_framework import AgentSession

from threadkeep.adapters import identity

UserId = identity.UserIdSource

_running: Final[ContextVar[AgentSession | None]] = ContextVar("agent_session", default=None)
"""The session of the run that a provider is called in, which `get_messages` is not told."""


@contextmanager
def run_of(session: AgentSession) -> Iterator[None]:
    """Within the block, `user_of_run` reads this session."""
    token = _running.set(session)
    try:
        yield
    finally:
        _running.reset(token)


def user_of_run(source: UserId) -> str | None:
    """The user of a run: from a callable, else the session's state, else a plain id.

    Args:
        source: a user id; or a callable that gets the run's `AgentSession` (`None` outside a run),
            or a `ContextVar`.

    Raises:
        ConfigError: the first source that is set has no valid user id; the error names the source.
    """
    return identity.first_user_id(_candidates(source, _running.get()))


def _candidates(source: UserId, session: AgentSession | None) -> identity.Candidates:
    yield "what user= gives for the run", identity.run_value(source, session)
    location = "user_id of the session's state"
    yield location, None if session is None else session.state.get("user_id")
    yield "user", identity.fixed_value(source)
