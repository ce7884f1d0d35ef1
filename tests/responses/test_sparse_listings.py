"""Listings whose conditions few sessions meet: each call is bounded, and all pages give all."""

from __future__ import annotations

import random

import pytest

from tests.engine.doubles import Counting
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.responses import conversations

COUNT = 300


@pytest.fixture
def counting(monkeypatch):
    monkeypatch.setattr(conversations, "MAX_LOOKED_AT", 50)
    return Counting(MemoryBackend())


def filled(backend, chosen):
    memory = connect(backend)
    for n in range(COUNT):
        metadata = {"plan": "gold"} if n in chosen else {"plan": "none"}
        memory.session(f"s{n}", user="ada", metadata=metadata).add("x")
    return memory


def pages(memory, **how):
    cursor = None
    while True:
        page = memory.conversations.list(metadata={"plan": "gold"}, cursor=cursor, **how)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


@pytest.mark.parametrize("user", [None, "ada"])
@pytest.mark.parametrize("limit", [1, 2, 20])
@pytest.mark.parametrize("seed", range(4))
def test_all_pages_give_every_match_once(counting, user, limit, seed):
    chosen = set(random.Random(seed).sample(range(COUNT), [0, 1, 7, 120][seed]))
    memory = filled(counting, chosen)
    found = [info.id for page in pages(memory, user=user, limit=limit) for info in page]
    assert sorted(found) == sorted(f"s{n}" for n in chosen)
    assert all(len(page) <= limit for page in pages(memory, user=user, limit=limit))


@pytest.mark.parametrize("user", [None, "ada"])
def test_a_call_that_finds_nothing_reads_no_more_than_its_bound(counting, user):
    memory = filled(counting, set())
    counting.reset()
    for _ in pages(memory, user=user):
        assert counting.records <= 3 * (50 + 50)  # its bound, and the page it stopped in
        counting.reset()


def test_a_doubled_id_is_found_in_linear_time(monkeypatch):
    """By what is compared, not by a clock: each id once, wherever the doubled ones stand."""

    class Id(str):
        compared = 0
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            Id.compared += 1
            return str.__eq__(self, other)

    from threadkeep.errors import InputError
    from threadkeep.sessions import append

    ids: list[str] = [*(Id(f"id {n}") for n in range(20_000)), Id("id 19999")]
    with pytest.raises(InputError, match="two messages have the id 'id 19999'"):
        append._check_unique(ids, "message")
    assert Id.compared < 100_000
