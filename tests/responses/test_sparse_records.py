"""Responses and feedback that few of many meet: each call is bounded, and all pages give all."""

from __future__ import annotations

import random

import pytest

from tests.engine.doubles import Counting
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.responses import search

SESSIONS, RESPONSES, BOUND = 45, 4, 25


@pytest.fixture
def counting(monkeypatch):
    monkeypatch.setattr(search, "MAX_LOOKED_AT", BOUND)
    return Counting(MemoryBackend())


def filled(backend, chosen):
    """Every third session has responses; those chosen have the safety identifier and a praise."""
    memory = connect(backend)
    for n in range(SESSIONS):
        memory.session(f"s{n}", user="ada").add("x")
        for k in range(RESPONSES if n % 3 == 0 else 0):
            id = f"r{n}-{k}"
            add(memory, id, f"s{n}", id in chosen)
    return memory


def add(memory, id, conversation, is_chosen):
    """A response, and feedback on it."""
    response = {"id": id, "output": [], "model": "m"}
    mark = "gold" if is_chosen else "none"
    memory.responses.add(response, conversation=conversation, safety_identifier=mark)
    memory.feedback.add(id, rating="positive" if is_chosen else "negative")


def by_identifier(memory, **how):
    page = memory.responses.list(safety_identifier="gold", **how)
    return [response.id for response in page], page.cursor


def by_rating(memory, **how):
    page = memory.feedback.list(rating="positive", **how)
    return [feedback.response for feedback in page], page.cursor


def pages(listing, memory, **how):
    cursor = None
    while True:
        ids, cursor = listing(memory, cursor=cursor, **how)
        yield ids
        if cursor is None:
            return


ALL = [f"r{n}-{k}" for n in range(0, SESSIONS, 3) for k in range(RESPONSES)]


@pytest.mark.parametrize("listing", [by_identifier, by_rating])
@pytest.mark.parametrize("user", [None, "ada"])
@pytest.mark.parametrize("limit", [2, 20])
@pytest.mark.parametrize("seed", range(4))
def test_all_pages_give_every_match_once(counting, listing, user, limit, seed):
    chosen = set(random.Random(seed).sample(ALL, [0, 1, 7, 50][seed]))
    memory = filled(counting, chosen)
    found = list(pages(listing, memory, user=user, limit=limit))
    assert sorted(id for page in found for id in page) == sorted(chosen)
    assert all(len(page) <= limit for page in found)


@pytest.mark.parametrize("listing", [by_identifier, by_rating])
@pytest.mark.parametrize("user", [None, "ada"])
def test_a_call_that_finds_nothing_reads_no_more_than_its_bound(counting, listing, user):
    memory = filled(counting, set())
    counting.reset()
    calls = 0
    for _ in pages(listing, memory, user=user):
        # its bound, the page of records and the page of sessions it stopped in
        assert counting.records <= 3 * (BOUND + 100)
        counting.reset()
        calls += 1
    assert calls > 3


@pytest.mark.parametrize("listing", [by_identifier, by_rating])
def test_within_one_conversation(counting, listing):
    memory = connect(counting)
    ids = [f"r{n}" for n in range(90)]
    memory.session("s", user="ada").add("x")
    for n, id in enumerate(ids):
        add(memory, id, "s", n % 30 == 0)
    found = list(pages(listing, memory, user="ada", conversation="s"))
    assert sorted(id for page in found for id in page) == ["r0", "r30", "r60"]
    assert len(found) > 3
