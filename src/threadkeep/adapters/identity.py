"""Resolve the ids that adapters are given: of users, of sessions.

The user id of a run comes the sources where applications put it; the first set one wins.
A value of a wrong type is an error in every source: ignoring it would grant the run the operator's
access to the sessions of all users.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from threadkeep.core.user_id import UserId, describe, id_text, optional_user_id, user_id
from threadkeep.errors import ConfigError

UserIdSource: TypeAlias = "UserId | Callable[[Any], UserId | None] | ContextVar[Any] | None"
"""The argument `user=` of an adapter: an id, or a source that has one for each run."""

SessionId: TypeAlias = UserId
"""The id of a session; an `int` or a `UUID` is the session of its text."""

Candidate: TypeAlias = tuple[str, object]
"""The name of a source, for error messages, and its value (`None` = unset)."""

Candidates: TypeAlias = Iterator[Candidate]

__all__ = [
    "Candidate",
    "Candidates",
    "SessionId",
    "UserId",
    "UserIdSource",
    "check_source",
    "first_user_id",
    "fixed_value",
    "optional_user_id",
    "plain_user",
    "read_field",
    "run_value",
    "session_id_text",
    "user_id",
    "user_source",
]

_MISSING: Final = object()


def first_user_id(candidates: Iterable[Candidate]) -> str | None:
    """Return the id of the first candidate that is not `None`; `None` if there is none.

    Raises:
        ConfigError: its value is not a valid user id; the error names the source.
    """
    for location, candidate_id in candidates:
        if candidate_id is not None:
            return user_id(candidate_id, location)
    return None


def session_id_text(value: object, source: str = "session_id") -> str:
    """The id of a session as stored: a `str` as it is, an `int` or a `UUID` as its text.

    Raises:
        ConfigError: it is anything else, or empty: no object's `repr` becomes a session.
    """
    id_string = id_text(value)
    if not id_string:
        raise ConfigError(
            f"{source} must be a str that is not empty, an int or a UUID, got {describe(value)}"
        )
    return id_string


def user_source(user: UserIdSource, user_id: UserIdSource) -> UserIdSource:
    """The argument `user=` of an adapter, or its alias `user_id=`, validated before any run.

    Raises:
        ConfigError: it is no id and no source of one, or both are given and differ.
    """
    check_source(user, "user")
    check_source(user_id, "user_id")
    if user is None or user_id is None:
        return user_id if user is None else user
    is_plain = fixed_value(user) is not None and fixed_value(user_id) is not None
    if id_text(user) != id_text(user_id) if is_plain else user is not user_id:
        raise ConfigError("user and user_id are the same argument, and differ: pass user alone")
    return user


def plain_user(user: UserId | None, user_id: UserId | None) -> str | None:
    """As `user_source`, for an adapter that serves one user: the id as stored.

    Raises:
        ConfigError: it is no id, or both are given and differ.
    """
    owner_id, alias = optional_user_id(user, "user"), optional_user_id(user_id, "user_id")
    user_id_source = user_source(owner_id, alias)
    return user_id_source if isinstance(user_id_source, str) else None


def check_source(source: UserIdSource, name: str = "user") -> None:
    """Validate a `user=` argument at construction, before any run.

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
