"""The kept index: what it says is what an index says that was built of the items alone."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from tests.backends.test_crash_points import Cut, Dying
from tests.engine.doubles import Counting
from tests.longterm.recall import kept
from tests.longterm.recall.conftest import said
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.longterm.recall.segments import build, segment_plan

WORDS = [
    "kite",
    "red",
    "boat",
    "bought",
    "Ada",
    "May",
    "garage",
    "seven",
    "ferry",
    "balcony",
    "lives",
    "Katze",
    "我的狗",
    "аллергия",
]
QUESTIONS = (
    "Which kite did Ada buy in May?",
    "boats",
    "live",
    "\u72d7",
    "Garagentor",
    "\u0430\u043b\u043b\u0435\u0440\u0433\u0438\u0438",
)
STEPS = 120


@pytest.fixture
def backend():
    made = MemoryBackend()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def small(monkeypatch):
    kept.small_segments(monkeypatch)


class Life:
    """What happens to a user, at random, through several processes on one store."""

    def __init__(self, dice, memories, clock):
        self.dice, self.memories, self.clock = dice, memories, clock

    def step(self):
        memory = self.dice.choice(self.memories)
        ada = memory.user("ada")
        session = ada.session(f"s{self.dice.randrange(6)}")
        items = session.items()
        act = self.dice.choice(
            ("add",) * 8 + ("edit", "again", "drop", "end", "fact", "index", "index", "ask")
        )
        if act == "add":
            session.add(*(self.turn() for _ in range(self.dice.randrange(1, 6))))
        elif act == "edit" and items:
            session.replace(self.dice.choice(items).id, self.turn())
        elif act == "again" and items:
            session.add({**self.turn(), "id": self.dice.choice(items).id})
        elif act == "drop" and items:
            session.forget(self.dice.choice(items).id)
        elif act == "end" and self.dice.random() < 0.3:
            session.delete()
        elif act == "fact":
            ada.facts.add(self.text(), sources=[(session.id, items[0])] if items else [])
        elif act == "index":
            memory.index(user="ada")
        elif act == "ask":
            ada.recall(self.text())
        self.clock.tick(self.dice.choice((0.1, 1, 50, 200)))

    def turn(self):
        name = self.dice.choice(("Ada", "Ben", None))
        return said(self.text() + self.dice.choice("?."), name=name)

    def text(self):
        return " ".join(self.dice.choices(WORDS, k=self.dice.randrange(1, 6)))


@pytest.mark.proves("D15")
@pytest.mark.parametrize("seed", range(4))
def test_a_kept_index_answers_as_one_that_was_built_anew(backend, clock, seed):
    with connect(backend, clock=clock) as first, connect(backend, clock=clock) as second:
        life = Life(random.Random(seed), (first, second), clock)
        for n in range(STEPS):
            life.step()
            if n % 10 == 9:
                compare(life)
        first.index(user="ada")
        compare(life)
        assert kept.heads(first).segments


def compare(life):
    life.clock.tick(200)
    ada = life.memories[0].user("ada")
    for question in QUESTIONS:
        anew = kept.found_anew(life.memories[1], question)
        kept.forget_index(life.memories[0])
        assert kept.found(ada, question) == anew, question


def test_segments_grow_by_levels_and_are_written_a_few_times_only(backend, clock):
    with connect(backend, clock=clock) as memory:
        ada, seen = memory.user("ada"), dict[str, int]()
        for n in range(100):
            ada.session(f"s{n}").add(*(said(f"kite{n} {i}") for i in range(4)))
            assert memory.index(user="ada") == 4
            seen |= {head.id: head.documents for head in kept.heads(memory).segments}
            clock.tick(200)
        sizes = [head.documents for head in kept.heads(memory).segments]
    assert sum(sizes) == 400
    assert 400 < sum(seen.values()) <= 4 * 400
    assert len(sizes) <= 4 * len(kept.LEVELS)
    assert sizes == sorted(sizes, reverse=True)


def test_a_new_process_reads_no_items_for_what_is_kept(backend, clock):
    counting = Counting(backend)
    with connect(counting, clock=clock) as memory:
        ada = memory.user("ada")
        for n in range(50):
            ada.session(f"s{n}").add(*(said(f"kite{n} {i}") for i in range(8)))
        clock.tick(200)
        memory.index(user="ada")
        kept.forget_index(memory)
        clock.tick(200)
        counting.reset()
        assert len(ada.recall("kite7", k=3)) == 3
        assert counting.records < 20 + 3 * 3 + len(kept.piece_records(memory))


@pytest.mark.parametrize("commits", [1, 2, 3, 4])
def test_a_first_build_that_is_cut_short_goes_on(backend, clock, commits):
    with connect(backend, clock=clock) as memory:
        ada = memory.user("ada")
        for n in range(30):
            ada.session(f"s{n}").add(*(said(f"kite{n} {i}") for i in range(30)))
            clock.tick(1)
        clock.tick(200)
        dying = Dying(backend, commits, before=False)
        with connect(dying, clock=clock) as other, suppress(Cut):
            other.index(user="ada")
        for name in ("kite0", "kite15", "kite29"):
            kept.forget_index(memory)
            assert kept.found(ada, name) == kept.found_anew(memory, name)
        clock.tick(build.ANNOUNCED_SECONDS + 1)
        before = sum(head.documents for head in kept.heads(memory).segments if head.complete)
        assert memory.index(user="ada") == 900 - before
        heads = kept.heads(memory).segments
        assert sum(head.documents for head in heads) == 900
        assert max(head.list_seq for head in heads) > 0


def test_words_of_long_names_and_lone_surrogates_are_kept(backend, clock):
    with connect(backend, clock=clock) as memory:
        ada = memory.user("ada")
        for n in range(8):
            ada.session(f"{n} \ud83d/é").add(said(f"a kite \ud83d{n}", name="X" * 2_000))
        memory.index(user="ada")
        kept.forget_index(memory)
        assert len(ada.recall("kite")) == 8


def test_all_users_are_indexed_and_small_ones_are_not(backend, clock, monkeypatch):
    monkeypatch.setattr(segment_plan, "MIN_ITEMS", 8)
    with connect(backend, clock=clock) as memory:
        for user, items in (("ada", 9), ("ben/é" * 200, 9), ("small", 5)):
            memory.user(user).session(f"of {user}").add(*(said("a kite") for _ in range(items)))
        assert memory.index() == 18
        assert not kept.heads(memory, "small").segments
