"""What the metrics of learning say, as the SDK's own reader sees it."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from tests.longterm.extraction.conftest import answer, fact

NUTS = answer(fact("Ada is allergic to nuts", 1), summary="Nuts.")


@pytest.fixture
def in_background():
    """Here the thread is what is tested."""


@pytest.fixture(params=["memory"])
def backend():
    """What is measured does not depend on the store."""
    from threadkeep.backends.memory import MemoryBackend

    made = MemoryBackend()
    yield made
    made.close()


@pytest.fixture
def reader(monkeypatch):
    """The metrics of a program that has set OpenTelemetry up."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr("opentelemetry.metrics._internal.get_meter_provider", lambda: provider)
    yield reader
    provider.shutdown()


def points(reader, name):
    data = reader.get_metrics_data()
    found = data.resource_metrics if data else []
    metrics = [metric for one in found for scope in one.scope_metrics for metric in scope.metrics]
    return [
        (dict(point.attributes or {}), point)
        for metric in metrics
        if metric.name == f"threadkeep.learning.{name}"
        for point in metric.data.data_points
    ]


def sums(reader, name):
    return {next(iter(said.values()), ""): point.value for said, point in points(reader, name)}


def test_batches_calls_tokens_and_what_was_learned_are_counted(learning, reader):
    memory, _ = learning([NUTS], observe=True)
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    report = memory.extract()
    assert [(said, point.count) for said, point in points(reader, "duration")] == [({}, 1)]
    assert sums(reader, "calls") == {"": 1}
    tokens = {"input": report.prompt_tokens, "output": report.completion_tokens}
    assert sums(reader, "tokens") == tokens
    assert min(tokens.values()) > 0
    assert sums(reader, "learned") == {"facts": 1, "instructions": 0, "summaries": 1}
    assert points(reader, "failures") == []


def test_nothing_to_read_is_nothing_measured(learning, reader):
    memory, _ = learning([NUTS], observe=True)
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    for _ in range(3):
        memory.extract()
    assert [point.count for _, point in points(reader, "duration")] == [1]


def test_a_failure_is_counted_by_its_class_and_tells_no_more(learning, reader):
    memory, _ = learning([500], observe=True)
    memory.session("secret-chat", user="ada").add("my secret")
    memory.extract()
    assert sums(reader, "failures") == {"500 InternalServerError": 1}
    data = reader.get_metrics_data()
    assert data is not None
    assert "secret" not in data.to_json()


def test_the_lag_grows_while_something_is_unread_and_ends_when_it_is_read(learning, reader):
    memory, _ = learning([NUTS], observe=True)
    assert (sums(reader, "lag"), sums(reader, "backlog")) == ({"": 0.0}, {"": 0})
    memory.session("chat", user="ada").add("I have a cat.")
    before = sums(reader, "lag")[""]
    assert 0 < before < sums(reader, "lag")[""]
    assert sums(reader, "backlog") == {"": 1}
    assert memory.flush(timeout=60)
    assert (sums(reader, "lag"), sums(reader, "backlog")) == ({"": 0.0}, {"": 0})


def test_every_learner_of_the_process_is_measured(learning, reader):
    memories = [learning([NUTS], observe=True)[0] for _ in range(3)]
    for count, memory in enumerate(memories, 1):
        memory.session(f"chat-{count}", user="ada").add("I have a cat.")
        assert sums(reader, "backlog") == {"": count}
    oldest = sums(reader, "lag")[""]
    assert memories[2].flush(timeout=60)
    assert sums(reader, "backlog") == {"": 2}
    assert sums(reader, "lag")[""] > oldest


def test_without_observe_nothing_is_measured(learning, reader):
    memory, _ = learning([NUTS])
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    memory.extract()
    assert points(reader, "duration") == []
