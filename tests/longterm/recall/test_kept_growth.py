"""When a kept index is due to grow: the work stays in proportion to what is written."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.doubles import Clock
from tests.longterm.recall import kept
from tests.longterm.recall.conftest import said
from threadkeep import connect
from threadkeep.core.write_counts import FIRST, WriteCounts, due_after
from threadkeep.longterm.recall.segments import version_checks
from threadkeep.longterm.recall.segments.writer import SegmentWriter
from threadkeep.types import Query
from threadkeep.types.versions import generation_of


class Growing:
    """A user's index that holds all there is whenever it is due; counts what each growth loads."""

    def __init__(self):
        self.written = self.indexed = self.loaded = 0
        self.counts = WriteCounts(self._grow)

    def write(self, items):
        self.written += items
        self.counts.add("ada", items)

    def _grow(self, user):
        self.loaded += self.indexed
        self.indexed = self.written
        self.counts.report(user, self.indexed)


@given(st.lists(st.integers(1, 5_000), max_size=300))
def test_growing_loads_in_proportion_to_what_is_written(batches):
    growing = Growing()
    for items in batches:
        growing.write(items)
        assert growing.written - growing.indexed <= max(FIRST, due_after(growing.indexed))
    assert growing.loaded <= 64 * growing.written


@pytest.mark.parametrize(
    ("indexed", "missing"), [(0, 256), (1_000, 256), (100_000, 1_562), (10_000_000, 8_192)]
)
def test_a_large_index_waits_for_more(indexed, missing):
    assert due_after(indexed) == missing


def test_without_a_report_the_next_growth_is_soon():
    told: list[str] = []
    counts = WriteCounts(told.append)
    for _ in range(FIRST + due_after(0)):
        counts.add("ada", 1)
    assert told == ["ada", "ada"]


def interrupted(monkeypatch, act):
    """Have something happen while a segment is written: after the sessions of it were checked."""
    write = SegmentWriter.write

    def write_late(writer, head, piece_records, batch):
        act(head)
        return write(writer, head, piece_records, batch)

    monkeypatch.setattr(SegmentWriter, "write", write_late)


def test_who_only_adds_lets_nobody_build_again(monkeypatch):
    kept.small_segments(monkeypatch)
    checked = []
    with connect("memory://", clock=Clock()) as memory:
        chat = memory.user("ada").session("s")
        chat.add(*(said(f"kite {n}") for n in range(40)))
        check = version_checks.check_sessions

        def check_late(*args):
            checked.append(chat.add("And one."))
            check(*args)

        monkeypatch.setattr(version_checks, "check_sessions", check_late)
        assert memory.index(user="ada") == 40
        assert len(checked) == 1
        kept.forget_index(memory)
        assert memory.user("ada").recall("one", k=1)


@pytest.mark.parametrize("new_life", [-1, 1])
def test_a_session_that_begins_anew_meanwhile_is_not_kept_as_it_was(monkeypatch, new_life):
    kept.small_segments(monkeypatch)
    with connect("memory://", clock=Clock()) as memory:
        chat = memory.user("ada").session("s")
        chat.add(*(said(f"kite {n}") for n in range(40)))

        def begin_anew(head):
            life = generation_of(head.spans["s"].version)
            if life == first_life:
                chat.delete()
                monkeypatch.setattr(secrets, "randbits", lambda _: first_life + new_life)
                chat.add(said("A new life."))

        stream = memory._engine.stream("session", "s")
        first_life = generation_of(memory._engine.read(Query(stream, "item"))[0].version)
        interrupted(monkeypatch, begin_anew)
        memory.index(user="ada")
        assert "kite" not in kept.kept_text(memory)
