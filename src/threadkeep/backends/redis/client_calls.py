"""Runs calls on the client of a pool: a deadline, retries, and errors mapped to ours."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from redis.exceptions import NoScriptError

from threadkeep.backends.common.client_pool import ClientPool
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.common.faults import Failed, FaultKind
from threadkeep.backends.common.retry import RetryLoop
from threadkeep.backends.redis.clients import Client
from threadkeep.backends.redis.deadline import use_deadline
from threadkeep.backends.redis.driver_errors import ERRORS, classify
from threadkeep.backends.redis.scripts import LuaScript
from threadkeep.errors import BackendError

T = TypeVar("T")

Run = tuple[LuaScript, Sequence[str], Sequence[Any]]
"""A script with its keys and arguments."""


class RetryingClient:
    """Runs work on the client of a pool."""

    def __init__(self, pool: ClientPool[Client], *, location: str, timeout: float) -> None:
        self._pool = pool
        self._loop = RetryLoop(location, timeout)

    def run(self, work: Callable[[Client], T], *, repeatable: bool = True) -> T:
        """Run work with retries; see `RetryLoop.run`."""
        return self._loop.run(partial(self._attempt, work), repeatable=repeatable)

    def ping_by(self, make_client: Callable[[], Client]) -> None:
        """Have the server asked for a sign of life by a client that is made for it."""

        def ping(deadline: Deadline) -> None:
            handled_error = sys.exception()
            try:
                with use_deadline(deadline):
                    client = make_client()
                    try:
                        client.ping()
                    finally:
                        client.close()
            except ERRORS as error:
                fault = classify(error, handled_error)
                is_connection_lost = fault.kind in (FaultKind.LOST, FaultKind.TIMEOUT)
                fault_kind = FaultKind.UNREACHABLE if is_connection_lost else fault.kind
                raise Failed(fault._replace(kind=fault_kind), error) from None

        self._loop.ping = ping

    def _attempt(self, work: Callable[[Client], T], deadline: Deadline) -> T:
        handled_error = sys.exception()
        self._pool.acquire(deadline)
        try:
            with use_deadline(deadline):
                work_result = work(self._pool.client(deadline))
            self._loop.connected = True
            return work_result
        except BackendError:  # some are OSErrors
            raise
        except ERRORS as error:
            raise Failed(classify(error, handled_error), error) from None
        finally:
            self._pool.release()


def evaluate(client: Client, run: Run) -> Any:
    """Run a script by its hash; a server that does not know it is sent the text, and keeps it."""
    script, script_keys, script_args = run
    try:
        return client.evalsha(script.sha, len(script_keys), *script_keys, *script_args)
    except NoScriptError:
        return client.eval(script.text, len(script_keys), *script_keys, *script_args)


def evaluate_all(client: Client, runs: Sequence[Run]) -> list[Any]:
    """Several scripts in one round trip; not for a cluster, whose pipelines take none."""
    with client.pipeline(transaction=False) as pipeline:
        for script, keys, argv in runs:
            pipeline.evalsha(script.sha, len(keys), *keys, *argv)
        replies = pipeline.execute(raise_on_error=False)
    return [
        evaluate(client, run) if isinstance(reply, NoScriptError) else _checked(reply)
        for run, reply in zip(runs, replies, strict=True)
    ]


def _checked(reply: Any) -> Any:
    if isinstance(reply, Exception):
        raise reply
    return reply
