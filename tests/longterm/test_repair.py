"""Orphans and unreadable records: named each, mended, and nothing else is touched."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress

import pytest

from tests.backends.test_crash_points import (
    BEFORE,
    OPTIONS,
    VERBS,
    Cut,
    Dying,
    check_left,
    prepared,
    records,
)
from tests.engine.doubles import START, Clock
from threadkeep import Drop, Record, connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import ThreadkeepError
from threadkeep.longterm.repair import store_findings
from threadkeep.testing.damage.fill import fill
from threadkeep.types import KEEP

HOURS = 7_200


def put(memory, stream, kind, id, body="{}"):
    record = Record(kind, id, body if isinstance(body, str) else json.dumps(body), START)
    memory._engine.commit(f"default/{stream}", put=[record], ttl=KEEP)


def drop(memory, stream, kind, *ids):
    memory._engine.commit(f"default/{stream}", drop=[Drop(kind, ids)], ttl=KEEP)


ORPHANS = {
    "items without a session": lambda m: put(m, "session/half", "item", "i", {"role": "user"}),
    "list entry without session": lambda m: put(m, "sessions/ada", "session", "no", {"id": "no"}),
    "pointer without response": lambda m: put(
        m, "response/no", "pointer", "pointer", {"id": "no", "session": "chat"}
    ),
    "response without pointer": lambda m: drop(m, "response/chat-r0", "pointer", "pointer"),
    "response without entry": lambda m: drop(m, "session/chat", "response_entry", "chat-r0"),
    "entry without response": lambda m: drop(m, "session/chat", "response", "chat-r1"),
    "feedback without response": lambda m: put(
        m,
        "session/chat",
        "feedback",
        "f",
        {"id": "f", "response": "no", "rating": "positive", "created_at": 1},
    ),
    "not on its owner's list": lambda m: drop(m, "sessions/ada", "session", "chat"),
    "memory of a deleted session": lambda m: put(m, "anon/no", "fact", "f", {"text": "x"}),
    "unreadable record": lambda m: put(m, "session/chat", "file", "f", {"id": 5}),
    "unreadable record in a list": lambda m: put(m, "sessions/ada", "session", "no", "[]"),
    "unreadable record of a user": lambda m: put(m, "user/ada", "fact", "f", {"text": []}),
    "unreadable record, a summary": lambda m: put(m, "summary/chat", "summary", "summary", "?"),
    "unreadable record, a pointer": lambda m: put(m, "response/x", "pointer", "pointer", "5"),
}
HOPELESS = {
    "unreadable session": lambda m: put(m, "session/chat", "session", "session", "[]"),
    "forgetting was cut short": lambda m: put(m, "user/ada", "forgotten", "user"),
}


@pytest.fixture
def filled(opened):
    memory = opened()
    fill(memory)
    return memory


def found(memory):
    return list(store_findings(memory._engine))


def test_nothing_is_wrong_with_a_whole_store(filled, clock):
    assert found(filled) == []
    clock.tick(HOURS)
    assert found(filled) == []


@pytest.mark.parametrize("name", ORPHANS)
def test_an_orphan_is_named_and_mended(filled, clock, name):
    clock.tick(HOURS)
    before = records(filled)
    ORPHANS[name](filled)
    first, *consequences = found(filled)
    assert name.startswith(first.problem)
    assert all("pointer" in problem.problem for problem in consequences)
    mended = [
        problem.fix and problem.fix()
        for _ in range(2)
        for problem in store_findings(filled._engine)
    ]
    assert mended
    assert all(mended)
    assert found(filled) == []
    others = ("chat", "ada", "half", "x", "no", "chat-r0", "chat-r1")
    for stream, stored in before.items():
        if not stream.endswith(others):
            assert records(filled)[stream] == stored


@pytest.mark.parametrize("name", HOPELESS)
def test_what_only_a_person_can_decide_is_named_with_what_to_do(filled, clock, name):
    HOPELESS[name](filled)
    clock.tick(HOURS)
    problems = [problem for problem in found(filled) if problem.problem == name]
    assert len(problems) == 1
    assert problems[0].fix is None
    assert problems[0].detail


@pytest.mark.parametrize(
    "name", ["items without a session", "list entry without session", "pointer without response"]
)
def test_what_may_be_half_of_a_running_write_is_left_alone(filled, name):
    ORPHANS[name](filled)
    assert found(filled) == []


def test_a_record_that_was_mended_meanwhile_is_left(filled):
    put(filled, "session/chat", "file", "f", {"id": 5})
    (problem,) = found(filled)
    put(filled, "session/chat", "file", "f", {"id": "f", "url": "u"})
    assert not problem.fix()
    assert "u" in [file.url for file in filled.session("chat").files.list()]


@pytest.mark.parametrize("name", VERBS)
def test_what_a_cut_verb_leaves_is_mended(name):
    for commits, before in itertools.product(range(1, 8), (True, False)):
        clock, backend = Clock(), MemoryBackend()
        options = {"clock": clock, **OPTIONS.get(name, {})}
        first = connect(backend, **options)
        prepared(first)
        BEFORE.get(name, lambda memory: None)(first)
        with suppress(Cut, ThreadkeepError):
            VERBS[name](connect(Dying(backend, commits, before=before), **options))
        clock.tick(HOURS)
        memory = connect(backend, **options)
        readable = items_by_session(memory)
        hopeless = [problem for problem in found(memory) if not problem.fix or not problem.fix()]
        assert {problem.problem for problem in hopeless} <= {
            "forgetting was cut short",
            "unreadable record",  # the summaries that `prepared` writes
        }
        assert {p.problem for p in found(memory)} <= {p.problem for p in hopeless}
        assert items_by_session(memory) == readable
        check_left(memory)


def items_by_session(memory):
    sessions = memory.sessions(limit=100)
    return {info.id: [item.text for item in memory.session(info.id).items()] for info in sessions}
