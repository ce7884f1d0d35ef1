"""`threadkeep.pool.in_use` over several stores: all that are open are reported, and no other."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wrappers.conftest import opened
from tests.wrappers.telemetry import Telemetry
from threadkeep.backends.common.deadline import Deadline
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.types import Query

GAUGE = "threadkeep.pool.in_use"
ACTS = st.sampled_from(["open", "open", "take", "take", "return", "close", "drop"])
STEPS = st.lists(st.tuples(ACTS, st.integers(0, 99), st.integers(0, 1)), max_size=25)


def reported(telemetry):
    return {at["threadkeep.store"]: point.value for at, point in telemetry.points(GAUGE)}


class Stores:
    """Stores under way on two providers, and what each provider should report."""

    def __init__(self, path):
        self.path = path
        self.providers = (Telemetry(), Telemetry())
        self.open: list = []  # [provider, name, store, connections lent]

    def step(self, act, number, provider):
        if act == "open":
            inner, name = self._inner(number)
            store = self.providers[provider].wrap(inner, name=name)
            self.open.append([provider, name, store, []])
        elif self.open:
            getattr(self, f"_{act}")(self.open[number % len(self.open)])

    def _inner(self, number):
        if number % 4 == 0:
            return MemoryBackend(), "without-a-pool"
        path = self.path / f"{number % 3}.db"
        return SqliteBackend(path), ("histories", "longterm")[number % 2]

    def _take(self, entry):
        if entry[1] != "without-a-pool" and len(entry[3]) < 3:
            connection = ExitStack()
            connection.enter_context(entry[2].inner._connection())
            entry[3].append(connection)

    def _return(self, entry):
        if entry[3]:
            entry[3].pop().close()

    def _close(self, entry):
        self.open.remove(entry)
        entry[2].close()
        self._return_all(entry)

    def _drop(self, entry):
        """Nobody closes it, and nobody holds it any more."""
        self.open.remove(entry)
        self._return_all(entry)
        inner = entry[2].inner
        entry.clear()
        gc.collect()
        inner.close()

    def _return_all(self, entry):
        while entry[3]:
            self._return(entry)

    def expected(self, provider):
        counted: Counter[str] = Counter()
        for at, name, _, connections in self.open:
            if at == provider and name != "without-a-pool":
                counted[name] += len(connections)
        return dict(counted)

    def end(self):
        while self.open:
            self._close(self.open[0])
        for telemetry in self.providers:
            assert reported(telemetry) == {}
            telemetry.shutdown()


@pytest.fixture(scope="module")
def frozen():
    """No collection here walks through what other tests have made."""
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("frozen")
@settings(max_examples=40)
@given(steps=STEPS)
def test_any_order_of_opening_and_closing_is_reported(steps, tmp_path_factory):
    stores = Stores(tmp_path_factory.mktemp("pools"))
    for step in steps:
        stores.step(*step)
        for provider, telemetry in enumerate(stores.providers):
            assert reported(telemetry) == stores.expected(provider)
    stores.end()


def test_stores_of_servers_are_reported_until_they_are_closed(telemetry, tmp_path):
    names = ("postgres", "redis", "sqlite")
    stores = {name: telemetry.wrap(opened(name, tmp_path), name=name) for name in names}
    for name, store in stores.items():
        store.read(Query("s", "item"), now=1.0)
        assert reported(telemetry) == dict.fromkeys(names, 0), name
    again = telemetry.wrap(opened("postgres", tmp_path), name="postgres")
    connections = [store.inner._pool.acquire(Deadline(5)) for store in (stores["postgres"], again)]
    assert reported(telemetry) == {"postgres": 2, "redis": 0, "sqlite": 0}
    for connection, store in zip(connections, (stores["postgres"], again), strict=True):
        store.inner._pool.release(connection, broken=False)
    again.close()
    remaining = set(names)
    for name, store in stores.items():
        store.close()
        remaining.remove(name)
        assert reported(telemetry) == dict.fromkeys(remaining, 0)


class Untold(MemoryBackend):
    @property
    def in_use(self):
        raise RuntimeError("not now")


def test_a_store_that_cannot_say_hides_no_other(telemetry, tmp_path):
    stores = [telemetry.wrap(Untold()), telemetry.wrap(SqliteBackend(tmp_path / "chat.db"))]
    assert reported(telemetry) == {"SqliteBackend": 0}
    for store in stores:
        store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_process_reports_its_own_connections(telemetry, tmp_path):
    stores = [  # a fork waits for connections that are in use
        telemetry.wrap(SqliteBackend(tmp_path / f"{name}.db", timeout=0.2), name=name)
        for name in ("a", "b")
    ]
    with stores[0].inner._connection():
        assert reported(telemetry) == {"a": 1, "b": 0}
        child = os.fork()
        if child == 0:
            try:
                first = reported(telemetry) == {"a": 0, "b": 0}
                stores[0].close()
                os._exit(0 if first and reported(telemetry) == {"b": 0} else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert reported(telemetry) == {"a": 1, "b": 0}
    for store in stores:
        store.close()


GLOBAL = """
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from threadkeep import connect
    from threadkeep.backends.observed import ObservedBackend
    from threadkeep.backends.sqlite import SqliteBackend

    def points():
        data = reader.get_metrics_data()
        metrics = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return sum(len(m.data.data_points) for m in metrics if m.name == "threadkeep.pool.in_use")

    def store(name, provider=None):
        return ObservedBackend(SqliteBackend(f"{name}.db"), name=name, meter_provider=provider)

    early = [store("early"), store("early too")]
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics.set_meter_provider(provider)
    late = [store("late"), store("explicit", provider)]
    counts = [points()]
    for each in (*early, *late):
        each.close()
        counts.append(points())
    print(*counts)
"""


def test_an_sdk_that_is_set_up_late_is_told_of_all_stores(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(GLOBAL)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (["4", "3", "2", "1", "0"], "")
