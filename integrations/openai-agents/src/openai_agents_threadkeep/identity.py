"""Resolve the user id of a run."""

from __future__ import annotations

from typing import Any

from agents import RunContextWrapper

from threadkeep.adapters import identity

Wrapper = RunContextWrapper[Any]
UserId = identity.UserIdSource


def user_of_run(source: UserId, wrapper: Wrapper | None) -> str | None:
    """Return the user of a run: from a callable, else the run's context, else a plain id.

    Args:
        source: a user id; or a callable that gets the run's context (`None` outside a run), or a
            `ContextVar`.
        wrapper: the run's context wrapper; its `context.user_id` (or `context["user_id"]`) is read.

    Raises:
        ConfigError: the first source that is set has no valid user id; the error names the source.
    """
    return identity.first_user_id(_candidates(source, wrapper))


def _candidates(source: UserId, wrapper: Wrapper | None) -> identity.Candidates:
    context = None if wrapper is None else wrapper.context
    yield "what user= gives for the run", identity.run_value(source, context)
    location = "user_id of the run's context"
    yield location, identity.read_field(context, "user_id", location)
    yield "user", identity.fixed_value(source)
