"""Whose run it is: the user id, found where an application may have put it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agents import RunContextWrapper

Wrapper = RunContextWrapper[Any]
UserId = str | Callable[[Any], str | None] | None


def whose(user_id: UserId, wrapper: Wrapper | None) -> str | None:
    """The first that says something: a callable, the run's context, what was given beforehand.

    Args:
        user_id: a user id, or a callable that gets the run's context (`None` outside a run).
        wrapper: of a run, whose `context.user_id` (or `context["user_id"]`) is looked at.
    """
    context = None if wrapper is None else wrapper.context
    found = user_id(context) if callable(user_id) else None
    return found or said(context, "user_id") or (None if callable(user_id) else user_id)


def said(context: Any, name: str) -> str | None:
    """What a run's context has under a name, as attribute or key, if it is a text."""
    found = context.get(name) if isinstance(context, Mapping) else getattr(context, name, None)
    return found if isinstance(found, str) and found else None
