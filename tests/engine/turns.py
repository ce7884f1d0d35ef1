"""Processes that take turns at a store, call by call, in any order that a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tests.engine.doubles import Wrapper
from threadkeep.protocols import Backend

Actor = Callable[[Backend], object]


class Turn(Wrapper):
    """A store that waits for its process's turn before each call."""

    def __init__(self, inner: Backend, back: threading.Semaphore) -> None:
        super().__init__(inner)
        self.blocking = False  # nobody sleeps, whoever meets whom
        self.back, self.mine = back, threading.Semaphore(0)
        self.over = False

    def read(self, *queries, now):
        self._wait()
        return super().read(*queries, now=now)

    def commit(self, stream, **how):
        self._wait()
        return super().commit(stream, **how)

    def _wait(self):
        self.back.release()
        self.mine.acquire()


def interleave(inner: Backend, actors: Sequence[Actor], order: Sequence[int]) -> list[Exception]:
    """Run the actors, each as a process of its own; the order says whose call comes next.

    Where it ends, they go on one after the other. Returns what they raised.
    """
    back, errors = threading.Semaphore(0), []
    turns = [Turn(inner, back) for _ in actors]

    def run(actor, turn):
        try:
            actor(turn)
        except Exception as error:
            errors.append(error)
        turn.over = True
        back.release()

    threads = [threading.Thread(target=run, args=pair) for pair in zip(actors, turns, strict=True)]
    for thread in threads:
        thread.start()
        back.acquire()  # it came to its first call
    queue = list(order)
    while waiting := [turn for turn in turns if not turn.over]:
        turn = turns[queue.pop(0)] if queue else waiting[0]
        if not turn.over:
            turn.mine.release()
            back.acquire()
    for thread in threads:
        thread.join()
    return errors
