"""Telemetry as the SDK's own exporters see it: what is measured, and what is never said."""

from __future__ import annotations

import gc

import pytest
from opentelemetry.trace import StatusCode

from tests.wrappers.conftest import NOW, STREAM
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.backends.observed import ObservedBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.errors import BackendError, Conflict
from threadkeep.types import Drop, Query, Record


def records(count):
    return [Record("item", f"secret-id-{n}", '"secret body"', NOW) for n in range(count)]


@pytest.mark.proves("B56")
def test_each_verb_is_one_span_and_one_measured_duration(telemetry):
    backend = telemetry.wrap(MemoryBackend())
    backend.commit(STREAM, put=records(3), drop=[Drop("item")], now=NOW)
    backend.read(Query(STREAM, "item"), Query(STREAM, "file"), now=NOW)
    backend.streams("default/")
    backend.sweep(NOW)
    verbs = ["commit", "read", "streams", "sweep"]
    assert [span.name for span in telemetry.spans()] == [f"threadkeep.{verb}" for verb in verbs]
    durations = telemetry.points("threadkeep.operation.duration")
    assert sorted(said["threadkeep.operation"] for said, _ in durations) == verbs
    assert {point.count for _, point in durations} == {1}
    assert all(0 < point.sum < 60 for _, point in durations)
    assert {said["threadkeep.store"] for said, _ in durations} == {"MemoryBackend"}
    commit, read = telemetry.spans()[:2]
    assert commit.attributes.items() >= {"threadkeep.records": 3, "threadkeep.drops": 1}.items()
    assert read.attributes.items() >= {"threadkeep.records": 3, "threadkeep.queries": 2}.items()


def test_records_are_counted_both_ways(telemetry):
    backend = telemetry.wrap(MemoryBackend())
    for _ in range(2):
        backend.commit(STREAM, put=records(3), now=NOW)
    backend.read(Query(STREAM, "item", limit=2), now=NOW)
    counted = telemetry.points("threadkeep.records")
    assert {said["threadkeep.operation"]: point.value for said, point in counted} == {
        "commit": 6,
        "read": 2,
    }


@pytest.mark.proves("B56")
def test_an_error_is_counted_by_its_type_and_goes_on(telemetry):
    backend = telemetry.wrap(MemoryBackend(), name="chats")
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.read(Query(STREAM, "item"), now=NOW)
    ((said, point),) = telemetry.points("threadkeep.operation.errors")
    assert said == {
        "threadkeep.operation": "read",
        "threadkeep.store": "chats",
        "error.type": "BackendError",
    }
    assert point.value == 1
    (span,) = telemetry.spans()
    assert span.status.status_code is StatusCode.ERROR
    ((measured, _),) = telemetry.points("threadkeep.operation.duration")
    assert measured["error.type"] == "BackendError"


def test_a_conflict_is_counted_and_is_no_fault(telemetry):
    backend = telemetry.wrap(MemoryBackend())
    with pytest.raises(Conflict):
        backend.commit(STREAM, put=records(1), expect=7, now=NOW)
    ((said, _),) = telemetry.points("threadkeep.operation.errors")
    assert said["error.type"] == "Conflict"
    assert telemetry.spans()[0].status.status_code is StatusCode.UNSET
    assert telemetry.points("threadkeep.records") == []


def test_nothing_that_is_stored_or_secret_reaches_an_attribute(telemetry):
    with connect(telemetry.wrap(SqliteBackend("/nowhere/secret/chat.db"))) as memory:
        with pytest.raises(BackendError):
            memory.session("secret-session", user="secret-user").add("secret words")
        memory._engine.backend.close()
    backend = telemetry.wrap(MemoryBackend())
    with connect(backend) as memory:
        chat = memory.session("secret-session", user="secret-user", metadata={"a": "secret"})
        chat.add("secret words", {"role": "assistant", "content": "secret too"})
        chat.window()
    with pytest.raises(Conflict):
        backend.commit("secret/stream", put=records(1), expect=3, token="secret", now=NOW)
    assert len(telemetry.spans()) > 4
    assert "secret" not in "".join(span.to_json() for span in telemetry.spans())
    assert "secret" not in telemetry.all_metrics()


def test_calls_under_way_and_connections_lent_are_seen_from_within(telemetry, tmp_path):
    seen = []

    class Watched(SqliteBackend):
        def sweep(self, now, limit=1000):
            with self._connection():
                seen.append(telemetry.points("threadkeep.pool.in_use")[0][1].value)
                seen.append(telemetry.points("threadkeep.operation.active")[0][1].value)
            return 0

    backend = telemetry.wrap(Watched(tmp_path / "chat.db"))
    backend.sweep(NOW)
    assert seen == [1, 1]
    assert telemetry.points("threadkeep.operation.active")[0][1].value == 0
    assert telemetry.points("threadkeep.pool.in_use")[0][1].value == 0
    backend.close()
    assert telemetry.points("threadkeep.pool.in_use") == []


def test_a_meter_keeps_no_store_alive(telemetry):
    backend = telemetry.wrap(MemoryBackend())
    inner = backend.inner
    del backend
    gc.collect()
    assert not [one for one in gc.get_referrers(inner) if isinstance(one, ObservedBackend)]


def test_a_span_of_the_application_is_the_parent(telemetry):
    backend = telemetry.wrap(MemoryBackend())
    with telemetry.tracers.get_tracer("app").start_as_current_span("request") as request:
        backend.streams("default/")
    child = next(span for span in telemetry.spans() if span.name == "threadkeep.streams")
    assert child.parent is not None
    assert child.parent.span_id == request.get_span_context().span_id


def test_without_an_sdk_it_is_silent_and_works():
    backend = ObservedBackend(MemoryBackend())
    backend.commit(STREAM, put=records(1), now=NOW)
    assert len(backend.read(Query(STREAM, "item"), now=NOW)[0].records) == 1
