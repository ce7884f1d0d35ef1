"""The user of a run, by the places where an application may have put the id."""

from __future__ import annotations

from typing import Any

from agents import RunContextWrapper

from threadkeep.adapters import identity

Wrapper = RunContextWrapper[Any]
UserId = identity.UserIdSource


def user_of_run(user_id: UserId, wrapper: Wrapper | None) -> str | None:
    """The first that is set: by a callable, in the run's context, beforehand.

    Args:
        user_id: a user id; or a callable that gets the run's context (`None` outside a run), or a
            `ContextVar`.
        wrapper: of a run, whose `context.user_id` (or `context["user_id"]`) is looked at.

    Raises:
        ConfigError: what is set is no user id; the error says where it stands.
    """
    return identity.first_user_id(_candidates(user_id, wrapper))


def _candidates(user_id: UserId, wrapper: Wrapper | None) -> identity.Candidates:
    context = None if wrapper is None else wrapper.context
    yield "what user_id= gives for the run", identity.of_run(user_id, context)
    place = "user_id of the run's context"
    yield place, identity.field(context, "user_id", place)
    yield "user_id", identity.plain(user_id)
