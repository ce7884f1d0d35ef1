"""The one registry of what must not be used after a fork: pools, clients, threads and locks."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final

from threadkeep.backends.common import fork_gate


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


class ProcessLock(ForkAware):
    """A lock that a forked child has anew, free: for what the child begins anew itself."""

    def __init__(self) -> None:
        self.after_fork_in_child()
        register(self)

    def after_fork_in_child(self) -> None:
        """Forget who holds it: that thread does not exist here."""
        self._lock = threading.Lock()

    def acquire(self, timeout: float = -1) -> bool:
        """Take the lock; returns False if it did not become free in time."""
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Free the lock."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def register(resource: ForkAware) -> None:
    """Have the hooks of a resource called at each fork, as long as it exists."""
    with _LOCK:
        _RESOURCES.add(resource)


def held_across_fork() -> threading.Lock:
    """Make a lock that no child inherits locked for ever; for module constants.

    Who holds it must not `register` anything: a fork would wait for ever.
    """
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
    fork_gate.shut()  # last, since who holds such a lock may want to connect


def _in_parent() -> None:
    fork_gate.reopen()
    _release_held()
    for resource in _RESOURCES:
        resource.after_fork_in_parent()
    _LOCK.release()


def _in_child() -> None:
    fork_gate.start_over()
    _release_held()
    for resource in _RESOURCES:
        resource.after_fork_in_child()
    _LOCK.release()


def _release_held() -> None:
    for lock in _HELD:
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
