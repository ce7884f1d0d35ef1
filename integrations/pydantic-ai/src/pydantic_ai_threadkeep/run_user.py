"""The user of a run, and the session that its memory belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from pydantic_ai import RunContext

from threadkeep.adapters import identity

PARENT_USER: Final[ContextVar[str | None]] = ContextVar("threadkeep_parent_user", default=None)
"""The user of the run in which a run of another agent begins, inside a tool."""


def user_of_run(source: identity.UserIdSource, context: RunContext[Any]) -> str | None:
    """The user of a run: from a callable, else the run's `deps`, a plain id, or the outer run.

    Args:
        source: a user id; or a callable that gets the `RunContext`, or a `ContextVar`.
        context: of the run; `deps.user_id` (or `deps["user_id"]`) is read.

    Raises:
        ConfigError: the first source that is set has no valid user id; the error names the source.
    """
    return identity.first_user_id(_candidates(source, context))


def session_of_run(fixed: str | None, context: RunContext[Any]) -> str | None:
    """The session of a run: the one given, else that of its conversation."""
    return fixed or context.conversation_id


def _candidates(source: identity.UserIdSource, context: RunContext[Any]) -> identity.Candidates:
    yield "what user= gives for the run", identity.run_value(source, context)
    location = "user_id of the run's deps"
    yield location, identity.read_field(context.deps, "user_id", location)
    yield "user", identity.fixed_value(source)
    yield "the user of the outer run", PARENT_USER.get()
