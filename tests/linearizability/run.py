"""A run: clients in processes of their own, and trouble for them and their server meanwhile."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.linearizability.checker import explain
from tests.linearizability.client import BEGIN, Client
from tests.linearizability.operations import NEVER, Operation, OperationLog, read_log
from threadkeep import connect

CLIENTS = 4
CLOCKS = (0.0, -600.0, 600.0, 45.0)  # seconds that the clients' clocks are wrong
PATIENCE = 120.0  # seconds that clients may need to import and connect
TROUBLE = 0.4  # seconds between two troubles


@dataclass
class Run:
    """One run on one store.

    Attributes:
        store: a URL for `connect`.
        folder: of the logs.
        prefix: of the streams' names.
        seconds: how long clients ask.
        seed: of all choices.
        restart: kills the server and starts it again; `None` = it is left alone.
        trouble: how often what was done to clients and server.
    """

    store: str
    folder: Path
    prefix: str
    seconds: float
    seed: int
    restart: Callable[[], None] | None = None
    trouble: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _names: int = 0

    def operations(self) -> list[Operation]:
        """Run it, read every stream once more at the end; what all clients saw."""
        self._with_clients()
        seen = self._logged()
        log = OperationLog(self.folder / "last.jsonl", "last")
        with connect(self.store) as memory:
            last = Client(memory.backend, log, "last", 0, 0.0)
            for stream in sorted({operation.stream for operation in seen}):
                last.read(stream)
        log.close()
        return self._logged()

    def _with_clients(self) -> None:
        choose = random.Random(self.seed)
        clients = [self._start() for _ in range(CLIENTS)]
        try:
            end = self._begin() + self.seconds
            while time.monotonic() < end - 2 * TROUBLE:
                time.sleep(TROUBLE * choose.uniform(0.5, 1.5))
                self._make_trouble(choose, clients)
            for client in clients:
                client.wait(self.seconds + PATIENCE)
        finally:
            for client in clients:
                client.kill()
                client.wait()

    def _begin(self) -> float:
        """Wait until all clients are ready, and tell them the moment when they begin."""
        end = time.monotonic() + PATIENCE
        while len(list(self.folder.glob("*.ready"))) < CLIENTS:
            assert time.monotonic() < end, "the clients did not start"
            time.sleep(0.01)
        begin = time.monotonic()
        draft = self.folder / "begin.draft"
        draft.write_text(repr(begin), encoding="utf-8")
        draft.rename(self.folder / BEGIN)
        return begin

    def _make_trouble(self, choose: random.Random, clients: list[subprocess.Popen[bytes]]) -> None:
        which = choose.randrange(len(clients))
        kind = choose.choice(("kill", "stop", "restart" if self.restart else "stop"))
        self.trouble[kind] += 1
        if kind == "restart" and self.restart:
            self.restart()
        elif kind == "kill":
            clients[which].kill()
            clients[which].wait()
            clients[which] = self._start()
        else:
            clients[which].send_signal(signal.SIGSTOP)
            time.sleep(choose.uniform(0.1, 0.8))
            clients[which].send_signal(signal.SIGCONT)

    def _start(self) -> subprocess.Popen[bytes]:
        self._names += 1
        offset = CLOCKS[self._names % len(CLOCKS)]
        arguments = (
            self.store, self.folder, f"c{self._names}", self.prefix, self.seconds,
            self.seed * 1_000 + self._names, offset,
        )  # fmt: skip
        program = (sys.executable, "-m", "tests.linearizability.client")
        return subprocess.Popen([*program, *map(str, arguments)])

    def _logged(self) -> list[Operation]:
        logs = sorted(self.folder.glob("*.jsonl"))
        return [operation for log in logs for operation in read_log(log)]


def assert_linearizable(operations: list[Operation]) -> dict[str, int]:
    """Each stream's history has an order that explains it; how many of what were looked at."""
    streams: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        streams[operation.stream].append(operation)
    for stream, history in streams.items():
        explained = explain(history)
        assert explained.found, "\n".join(_report(stream, history, explained.blocked))
    without_answer = sum(operation.ended == NEVER for operation in operations)
    return {
        "streams": len(streams),
        "operations": len(operations),
        "without an answer": without_answer,
    }


def _report(stream: str, history: list[Operation], blocked: tuple[Operation, ...]) -> Iterator[str]:
    yield f"no order explains what clients saw of {stream}; none gets past one of:"
    yield from (f"  {operation}" for operation in blocked)
    yield "of the whole history:"
    begin = min(operation.called for operation in history)
    for operation in sorted(history, key=lambda operation: operation.called):
        times = f"{operation.called - begin:.4f} to {operation.ended - begin:.4f}"
        yield f"  {times} {operation.client} {operation.verb} {operation.ids} {operation.expect}"
        with contextlib.suppress(TypeError):
            yield f"      {json.dumps(operation.answer)[:400]}"
