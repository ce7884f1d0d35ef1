"""One call: a slot, a deadline, retries of what may pass, and errors in our words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from redis.exceptions import NoScriptError

from threadkeep.backends.common.deadline import Deadline, backoff
from threadkeep.backends.redis import driver_errors
from threadkeep.backends.redis.clients import Client
from threadkeep.backends.redis.deadline import use_deadline
from threadkeep.backends.redis.driver_errors import Fault, Kind
from threadkeep.backends.redis.pool import ClientPool
from threadkeep.backends.redis.scripts import LuaScript
from threadkeep.errors import BackendError

T = TypeVar("T")

Run = tuple[LuaScript, Sequence[str], Sequence[Any]]
"""A script with its keys and arguments."""

_BRIEF: Final = 1.0
"""Seconds given to what a failover mends, and waiting alone does not."""


class RetryingClient:
    """Runs work on the client of a pool."""

    def __init__(self, pool: ClientPool, *, where: str, timeout: float) -> None:
        self._pool = pool
        self._where = where
        self._timeout = timeout
        self._proven = False  # it answered before, so a server that is gone may come back

    def run(self, work: Callable[[Client], T], *, repeatable: bool = True) -> T:
        """Do it, again where that may help, until the deadline.

        Args:
            repeatable: may it be done again if a connection broke and nobody knows whether it
                was done?

        Raises:
            BackendTimeout: not done within the time-out.
            BackendError: what the server says, or that it cannot be reached.
        """
        deadline = Deadline(self._timeout)
        attempt = 0
        while True:
            try:
                return self._once(work, deadline)
            except driver_errors.ERRORS as error:
                fault = driver_errors.understand(error)
                if fault.kind is Kind.LOST and not repeatable:
                    raise driver_errors.unknown(self._where) from error
                if not self._hopeful(fault, deadline) or not backoff(attempt, deadline):
                    raise self._error(fault, deadline) from error
            attempt += 1

    def _once(self, work: Callable[[Client], T], deadline: Deadline) -> T:
        self._pool.acquire(deadline)
        try:
            with use_deadline(deadline):
                done = work(self._pool.client(deadline))
            self._proven = True
            return done
        finally:
            self._pool.release()

    def _hopeful(self, fault: Fault, deadline: Deadline) -> bool:
        if fault.kind in (Kind.UNREACHABLE, Kind.SILENT):
            return self._proven
        if fault.kind is Kind.BRIEFLY:
            return deadline.elapsed() < _BRIEF
        return fault.kind in (Kind.AGAIN, Kind.LOST)

    def _error(self, fault: Fault, deadline: Deadline) -> BackendError:
        waited = fault.kind in (Kind.AGAIN, Kind.LOST)
        if waited or (fault.kind is not Kind.FATAL and self._hopeful(fault, deadline)):
            return driver_errors.late(self._where, deadline.timeout, fault)
        return driver_errors.error(fault, self._where)


def evaluate(client: Client, run: Run) -> Any:
    """Run a script by its hash; a server that does not know it is sent the text, and keeps it."""
    script, keys, args = run
    try:
        return client.evalsha(script.sha, len(keys), *keys, *args)
    except NoScriptError:
        return client.eval(script.text, len(keys), *keys, *args)


def evaluate_all(client: Client, runs: Sequence[Run]) -> list[Any]:
    """Several scripts in one round trip; not for a cluster, whose pipelines take none."""
    with client.pipeline(transaction=False) as pipeline:
        for script, keys, args in runs:
            pipeline.evalsha(script.sha, len(keys), *keys, *args)
        answers = pipeline.execute(raise_on_error=False)
    return [
        evaluate(client, run) if isinstance(answer, NoScriptError) else _checked(answer)
        for run, answer in zip(runs, answers, strict=True)
    ]


def _checked(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer
