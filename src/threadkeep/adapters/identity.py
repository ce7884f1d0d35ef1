"""The user of a run, by the places where applications put the id. The first that is set decides.

An id of a wrong type is an error wherever it stands: passed over, it would open the operator's
door, which leads to everybody's sessions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

from threadkeep.core.user_id import UserId, optional_user_id, user_id
from threadkeep.errors import ConfigError

UserIdSource: TypeAlias = "UserId | Callable[[Any], UserId | None] | ContextVar[Any] | None"
"""What `user_id=` of an adapter takes: an id, or what has one for each run."""

Candidate: TypeAlias = tuple[str, object]
"""Where an id may stand, and what stands there; `None` = nothing."""

Candidates: TypeAlias = Iterator[Candidate]

__all__ = [
    "Candidate",
    "Candidates",
    "UserId",
    "UserIdSource",
    "check_source",
    "field",
    "first_user_id",
    "of_run",
    "optional_user_id",
    "plain",
    "user_id",
]

_MISSING: Final = object()


def first_user_id(candidates: Iterable[Candidate]) -> str | None:
    """The id of the first candidate that is not `None`; `None` if there is none.

    Raises:
        ConfigError: that one is no user id; the error names where it stands.
    """
    for place, value in candidates:
        if value is not None:
            return user_id(value, place)
    return None


def check_source(source: UserIdSource, name: str = "user_id") -> None:
    """Refuse what can never be an id, before there is a run.

    Raises:
        ConfigError: it is neither an id nor a callable nor a `ContextVar`.
    """
    optional_user_id(plain(source), name)


def of_run(source: UserIdSource, run: Any) -> object:
    """What a callable or a `ContextVar` has for this run; `None` of a plain id."""
    if isinstance(source, ContextVar):
        return source.get(None)
    return source(run) if callable(source) else None


def plain(source: UserIdSource) -> object:
    """The id that was set beforehand; `None` if it is looked up in each run."""
    return None if callable(source) or isinstance(source, ContextVar) else source


def field(container: Any, name: str, place: str) -> object:
    """A key of a mapping, or an attribute of any other object; `None` if it has none.

    Raises:
        ConfigError: the attribute is there, and its property fails: that is not "nobody".
    """
    if isinstance(container, Mapping):
        return container.get(name)
    try:
        return getattr(container, name)
    except AttributeError as error:
        if inspect.getattr_static(container, name, _MISSING) is _MISSING:
            return None
        raise ConfigError(f"{place} cannot be read: its property raised AttributeError") from error
