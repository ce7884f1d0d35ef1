"""The threads in which async verbs run."""

from __future__ import annotations

import contextvars
import functools
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from threadkeep.core.call_limit import run_asked_at

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

R = TypeVar("R")


class VerbThreads:
    """Threads for verbs that only read, and as many for all others.

    So a read never waits behind writes that ride out a failover, and is refused in time. They are
    made when they are first needed, in each process anew: no thread survives a fork.

    Args:
        size: how many of either.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._executors: dict[tuple[int, bool], ThreadPoolExecutor] = {}

    async def run(self, verb: Callable[[], R], *, reading: bool) -> R:
        """Run a whole verb; what it waits for a thread counts, should the store be down."""
        import asyncio  # only here: a quarter of our import time

        context = contextvars.copy_context()
        bound_verb = functools.partial(context.run, run_asked_at, time.monotonic(), verb)
        return await asyncio.get_running_loop().run_in_executor(self._executor(reading), bound_verb)

    def close(self) -> None:
        """Let the threads of this process end when they have done what they do."""
        for is_read in (True, False):
            if executor := self._executors.pop((os.getpid(), is_read), None):
                executor.shutdown(wait=False)

    def _executor(self, reading: bool) -> ThreadPoolExecutor:
        key = (os.getpid(), reading)
        executor = self._executors.get(key)
        if executor is None:
            from concurrent.futures import ThreadPoolExecutor

            executor = self._executors.setdefault(key, ThreadPoolExecutor(self._size, "threadkeep"))
        return executor
