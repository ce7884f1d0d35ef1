"""A client that writes to a store and reads from it, and writes down what it saw."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

from tests.linearizability.operations import OperationLog
from threadkeep import connect
from threadkeep.errors import Conflict, ThreadkeepError
from threadkeep.protocols import Backend
from threadkeep.types import KEEP, Drop, Query, Record

STREAMS = 2  # at a time
CHANGE = 0.5  # seconds until clients go on to the next streams, so that no history grows long
LIFE = 3_600.0  # seconds, far more than clocks are apart
BEGIN = "begin"
"""The file that says when the clients begin, in seconds of the monotonic clock."""
VERBS = ("append", "swap", "read", "remove", "touch", "delete")
WEIGHTS = (40, 20, 30, 5, 3, 2)


class Client:
    """One client: it asks the store, one thing after another, until its time is over.

    Args:
        backend: the store.
        log: where it writes down what it asks and hears.
        name: whose operations these are.
        seed: of its choices.
        clock_offset: seconds its clock is wrong.
    """

    def __init__(
        self, backend: Backend, log: OperationLog, name: str, seed: int, clock_offset: float
    ) -> None:
        self._backend = backend
        self._log = log
        self._name = name
        self._random = random.Random(seed)
        self._offset = clock_offset
        self._versions: dict[str, int] = {}
        self._ids: dict[str, list[str]] = {}
        self._count = 0

    def run(self, prefix: str, begin: float, end: float) -> None:
        """Go on until a moment of the monotonic clock."""
        while (now := time.monotonic()) < end:
            epoch = int((now - begin) / CHANGE)
            stream = f"{prefix}/{epoch}/{self._random.randrange(STREAMS)}"
            self._step(stream, self._random.choices(VERBS, WEIGHTS)[0])

    def read(self, stream: str) -> None:
        """Read a stream whole."""
        self._step(stream, "read")

    def _step(self, stream: str, verb: str) -> None:
        ids = self._chosen_ids(stream, verb)
        expect = self._versions.get(stream, 0) if verb == "swap" else None
        number = self._log.call(stream, verb, ids, expect)
        try:
            answer = self._ask(stream, verb, ids, expect)
        except Conflict:
            answer = {"conflict": True}
            self._versions.pop(stream, None)
        except ThreadkeepError:
            return  # it may have happened, or may still happen
        self._log.answer(number, answer)
        if "version" in answer:
            self._versions[stream] = answer["version"]

    def _chosen_ids(self, stream: str, verb: str) -> list[str]:
        if verb == "remove":
            return self._random.sample(known, 1) if (known := self._ids.get(stream)) else ["none"]
        if verb not in ("append", "swap"):
            return []
        self._count += 1
        size = self._random.randint(1, 3)
        ids = [f"{self._name}-{self._count}-{part}" for part in range(size)]
        self._ids.setdefault(stream, []).extend(ids)
        return ids

    def _ask(self, stream: str, verb: str, ids: list[str], expect: int | None) -> dict[str, Any]:
        now = time.time() + self._offset
        if verb == "read":
            (page,) = self._backend.read(Query(stream, "item"), now=now)
            records = [[record.seq, record.id] for record in page.records]
            return {"version": page.version, "records": records}
        token = ids[0] if verb == "swap" else None
        commit = self._backend.commit(
            stream, **_change(verb, ids, now), expect=expect, token=token, now=now
        )
        return commit._asdict()


def _change(verb: str, ids: list[str], now: float) -> dict[str, Any]:
    """The arguments of `commit` for a verb that writes."""
    if verb == "delete":
        return {"drop": [Drop()], "ttl": KEEP}
    if verb == "remove":
        return {"drop": [Drop("item", ids)], "ttl": KEEP}
    put = [Record(kind="item", id=id, body=f'{{"of":"{id}"}}', at=now) for id in ids]
    return {"put": put, "ttl": LIFE}


def main(arguments: list[str]) -> None:
    """What a client's process does: it says that it is ready, and asks from the beginning on."""
    store, folder, name, prefix, seconds, seed, offset = arguments
    log = OperationLog(Path(folder) / f"{name}.jsonl", name)
    with connect(store, clock=lambda: time.time() + float(offset)) as memory:
        list(memory.backend.streams(prefix, limit=1))  # it is connected
        client = Client(memory.backend, log, name, int(seed), float(offset))
        (Path(folder) / f"{name}.ready").touch()
        begin = _wait_for(Path(folder) / BEGIN)
        client.run(prefix, begin, begin + float(seconds))


def _wait_for(path: Path) -> float:
    """The moment that is written in a file, when it is there."""
    while not path.exists():
        time.sleep(0.005)
    return float(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main(sys.argv[1:])
