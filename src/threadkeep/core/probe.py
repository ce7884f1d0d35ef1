"""Asks a store for a sign of life; no caller waits longer than it wants to, whatever hangs."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import Final

from threadkeep.core.call_limit import Purpose, limit_calls, serving
from threadkeep.core.engine import Engine
from threadkeep.errors import ThreadkeepError
from threadkeep.protocols import SupportsDescribe
from threadkeep.types import Query
from threadkeep.types.health import StoreCheck

_MAX_PENDING: Final = 4  # threads at most that a store which hangs may keep
_SHARE: Final = 0.9  # of the caller's time, so that the store's own error comes in time
_SESSION: Final = "threadkeep-check"
_FIRST_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.01


class Probe:
    """One read of a store, in a thread of its own where the store may wait.

    Attributes:
        answered: set when `latency` or `error` is known.
        ended: set when nothing more is to come.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()  # its thread does not survive a fork
        self.latency: float | None = None
        self.error = ""
        self.answered = threading.Event()
        self.ended = threading.Event()

    @property
    def pending(self) -> bool:
        """Whether its thread still runs."""
        return self.pid == os.getpid() and not self.ended.is_set()


class Prober:
    """The probes of one engine's store. Only a few of them hang at once; others wait for those."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._version = ""
        self._pending: list[Probe] = []

    def check(self, store: str, timeout: float) -> StoreCheck:
        """Probe the store; returns after `timeout` seconds at most."""
        start_time = time.monotonic()
        probe = self._start(timeout)
        for probe_event in (probe.answered, probe.ended):
            probe_event.wait(max(0.0, timeout - (time.monotonic() - start_time)))
        return self._report(probe, store, timeout)

    async def acheck(self, store: str, timeout: float) -> StoreCheck:  # noqa: ASYNC109 (as above)
        """As `check`, without a thread of the Memory, which may all hang."""
        import asyncio  # only here: a quarter of our import time

        start_time = time.monotonic()
        probe, pause_seconds = self._start(timeout), _FIRST_PAUSE
        while not probe.ended.is_set():
            seconds_left = timeout - (time.monotonic() - start_time)
            if seconds_left <= 0:
                break
            await asyncio.sleep(min(pause_seconds, seconds_left))
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE)
        return self._report(probe, store, timeout)

    def _start(self, timeout: float) -> Probe:
        self._pending = [probe for probe in self._pending if probe.pending]
        if len(self._pending) >= _MAX_PENDING:
            return self._pending[-1]
        probe = Probe()
        if not self._engine.backend.blocking:
            self._run(probe, timeout)
            return probe
        self._pending.append(probe)
        threading.Thread(
            target=self._run, args=(probe, timeout), name="threadkeep-check", daemon=True
        ).start()
        return probe

    def _run(self, probe: Probe, timeout: float) -> None:
        start_time = time.perf_counter()
        try:
            with limit_calls(timeout * _SHARE), serving(Purpose.PROBE):
                query = Query(self._engine.stream("session", _SESSION), "session", limit=0)
                self._engine.read(query)
            probe.latency = time.perf_counter() - start_time
        except ThreadkeepError as error:
            probe.error = str(error)
        except Exception as error:  # of somebody else's backend; its text may hold a secret
            probe.error = f"the store raised {type(error).__name__}"
        probe.answered.set()
        if probe.latency is not None and not self._version:
            self._find_version(timeout - probe.latency)
        probe.ended.set()

    def _find_version(self, timeout: float) -> None:
        backend = self._engine.backend
        if isinstance(backend, SupportsDescribe):
            call_limit = limit_calls(max(0.001, timeout * _SHARE))
            with suppress(Exception), call_limit, serving(Purpose.PROBE):
                self._version = str(backend.describe().get("engine", ""))

    def _report(self, probe: Probe, store: str, timeout: float) -> StoreCheck:
        latency, error = probe.latency, probe.error
        if latency is None and not error:
            error = f"no answer within {timeout:g} s: is the store reachable, and not overloaded?"
        return StoreCheck(latency is not None, store, self._version, latency, error)
