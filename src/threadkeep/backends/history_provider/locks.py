"""One call at a time to all providers of a class, for those without `compare_and_set`."""

from __future__ import annotations

import threading
from typing import Final

from threadkeep.backends.common import fork


class _Locks(fork.ForkAware):
    """A lock for each class."""

    def __init__(self) -> None:
        self.by_class: dict[type, threading.Lock] = {}
        fork.register(self)

    def after_fork_in_child(self) -> None:
        """No thread that held a lock is here, so a lock of the parent's is never released."""
        for provider_class in self.by_class:
            self.by_class[provider_class] = threading.Lock()


_LOCK: Final = fork.held_across_fork()
_LOCKS: Final = _Locks()


def lock_of(provider: object) -> threading.Lock:
    """The lock of a provider's class: two objects of it may share a store, and seldom a lock."""
    with _LOCK:
        return _LOCKS.by_class.setdefault(type(provider), threading.Lock())
