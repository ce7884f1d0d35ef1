"""What a history provider is: Solace Agent Mesh's four methods, and an optional fifth."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

METHODS: Final = ("get_all_sessions", "get_session", "store_session", "delete_session")
COMPARE_AND_SET: Final = "compare_and_set"


class BaseHistoryProvider(ABC):
    """A store of sessions: dicts by id. threadkeep makes a full `Backend` of it.

    The four abstract methods are those of Solace Agent Mesh's `BaseHistoryProvider`. A class need
    not inherit from this one: whatever has the four methods is a history provider.

    With these four alone, two processes that write to one session lose each other's writes, and
    threadkeep makes one call at a time in this process. A fifth method, `compare_and_set`, lifts
    both limits; its provider must be thread-safe:

        def compare_and_set(
            self, session_id: str, data: dict | None, expected: str | None
        ) -> bool:

    It stores `data` (`None` = it deletes the session) in one atomic step if the stored session
    still has `expected` as its `data["version"]`, or if there is no session and `expected` is
    `None`. It returns whether it did. `data["version"]` is a text that is never used twice.

    Args:
        config: the keys of the configuration that are not threadkeep's own.
    """

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self.config = config or {}

    @abstractmethod
    def get_all_sessions(self) -> list[str]:
        """The ids of all sessions."""

    @abstractmethod
    def get_session(self, session_id: str) -> dict[str, Any]:
        """The data of a session as it was stored last; `{}` if there is none."""

    @abstractmethod
    def store_session(self, session_id: str, data: dict[str, Any]) -> None:
        """Store the data of a session, in place of what was stored before.

        Args:
            session_id: at most 180 characters out of `a-z`, `0-9`, `_`, `-` and `.`.
            data: JSON with the keys of Solace Agent Mesh's sessions, and `version`.
        """

    @abstractmethod
    def delete_session(self, session_id: str) -> None:
        """Delete a session; one that does not exist is no error."""


def looks_like_one(value: object) -> bool:
    """Whether a class or an object has at least one of the four methods, so is meant as one."""
    return any(callable(getattr(value, method_name, None)) for method_name in METHODS)


def missing_methods(value: object) -> list[str]:
    """The methods that a class or an object lacks, or has as an `async def`."""
    abstract_methods = getattr(value, "__abstractmethods__", ())
    return [
        method_name
        for method_name in METHODS
        if method_name in abstract_methods
        or not callable(method := getattr(value, method_name, None))
        or inspect.iscoroutinefunction(method)
    ]
