"""The one registry of what must not be used after a fork: pools, clients, threads and locks."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final


class ForkAware:
    """What a fork concerns; each hook does nothing unless it is overridden.

    Nothing registers or disappears between the hooks of one fork.
    """

    def before_fork(self) -> None:
        """Get ready, in the process that is about to fork."""

    def after_fork_in_parent(self) -> None:
        """Go on, in the process that forked."""

    def after_fork_in_child(self) -> None:
        """Start over: threads are gone, and connections belong to the parent."""


def register(resource: ForkAware) -> None:
    """Have the hooks of a resource called at each fork, as long as it exists."""
    with _LOCK:
        _RESOURCES.add(resource)


def held_across_fork() -> threading.Lock:
    """Make a lock that no child inherits locked for ever; for module constants."""
    lock = threading.Lock()
    _HELD.append(lock)
    return lock


_LOCK: Final = threading.Lock()
_RESOURCES: Final[weakref.WeakSet[ForkAware]] = weakref.WeakSet()
_HELD: Final[list[threading.Lock]] = []


def _before() -> None:
    _LOCK.acquire()  # first, since a hook may wait for running calls
    for resource in _RESOURCES:
        resource.before_fork()
    for lock in _HELD:
        lock.acquire()


def _in_parent() -> None:
    _release_held()
    for resource in _RESOURCES:
        resource.after_fork_in_parent()
    _LOCK.release()


def _in_child() -> None:
    _release_held()
    for resource in _RESOURCES:
        resource.after_fork_in_child()
    _LOCK.release()


def _release_held() -> None:
    for lock in _HELD:
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
