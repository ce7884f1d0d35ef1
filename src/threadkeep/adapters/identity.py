"""Resolve the user id of a run from the sources where applications put it; the first set one wins.

A value of a wrong type is an error in every source: ignoring it would grant the run the operator's
access to the sessions of all users.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from threadkeep.core.user_id import UserId, optional_user_id, user_id
from threadkeep.errors import ConfigError

UserIdSource: TypeAlias = "UserId | Callable[[Any], UserId | None] | ContextVar[Any] | None"
"""The argument `user_id=` of an adapter: an id, or a source that has one for each run."""

Candidate: TypeAlias = tuple[str, object]
"""The name of a source, for error messages, and its value (`None` = unset)."""

Candidates: TypeAlias = Iterator[Candidate]

__all__ = [
    "Candidate",
    "Candidates",
    "UserId",
    "UserIdSource",
    "check_source",
    "read_field",
    "first_user_id",
    "run_value",
    "optional_user_id",
    "fixed_value",
    "user_id",
]

_MISSING: Final = object()


def first_user_id(candidates: Iterable[Candidate]) -> str | None:
    """Return the id of the first candidate that is not `None`; `None` if there is none.

    Raises:
        ConfigError: its value is not a valid user id; the error names the source.
    """
    for location, value in candidates:
        if value is not None:
            return user_id(value, location)
    return None


def check_source(source: UserIdSource, name: str = "user_id") -> None:
    """Validate a `user_id=` argument at construction, before any run.

    Raises:
        ConfigError: it is neither an id nor a callable nor a `ContextVar`.
    """
    optional_user_id(fixed_value(source), name)


def run_value(source: UserIdSource, run: Any) -> object:
    """The value that a callable or a `ContextVar` has for this run; `None` for a plain id."""
    if isinstance(source, ContextVar):
        return source.get(None)
    return source(run) if callable(source) else None


def fixed_value(source: UserIdSource) -> object:
    """The plain id that was passed; `None` if it is looked up in each run."""
    return None if callable(source) or isinstance(source, ContextVar) else source


def read_field(container: Any, name: str, location: str) -> object:
    """Read a key of a mapping, or an attribute of any other object; `None` if it is missing.

    Raises:
        ConfigError: the attribute is a property that fails, which does not mean "no user".
    """
    if isinstance(container, Mapping):
        return container.get(name)
    try:
        return getattr(container, name)
    except AttributeError as error:
        if inspect.getattr_static(container, name, _MISSING) is _MISSING:
            return None
        raise ConfigError(
            f"{location} cannot be read: its property raised AttributeError"
        ) from error
