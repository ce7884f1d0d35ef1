"""One call at a time to all providers of a class, for those without `compare_and_set`."""

from __future__ import annotations

import os
import threading
from typing import Final

_LOCK: Final = threading.Lock()
_by_class: dict[type, threading.Lock] = {}


def lock_of(provider: object) -> threading.Lock:
    """The lock of a provider's class: two objects of it may share a store, and seldom a lock."""
    with _LOCK:
        return _by_class.setdefault(type(provider), threading.Lock())


def _renew_after_fork() -> None:
    """No thread that held a lock survives a fork; a lock of the parent would never be released."""
    for cls in _by_class:
        _by_class[cls] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )
    os.register_at_fork(after_in_child=_renew_after_fork)
