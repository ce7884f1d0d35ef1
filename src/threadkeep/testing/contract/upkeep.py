"""Promises about walking the streams, sweeping and closing."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

import json
import random
import threading
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from threadkeep.errors import BackendError, InputError
from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, ids, item, items, listed, read, sweep_all
from threadkeep.testing.crowd import together
from threadkeep.types import Drop, Query

S = "test/session/upkeep"
NO_CURSORS: tuple[Any, ...] = (
    *("", "\0", "\ud800"),
    *(True, 1.5),
    *({}, {"x": 1}, [], [[]], [None] * 5),
)


def _walk_cursors(backend: Backend, prefix: str) -> list[Any]:
    """The cursors of a walk, as JSON brings them back."""
    cursors: list[Any] = []
    cursor: Any = None
    while True:
        _, cursor = backend.streams(prefix, cursor=cursor, limit=7)
        if cursor is None:
            return cursors
        cursor = json.loads(json.dumps(cursor))
        cursors.append(cursor)


def _forged(dice: random.Random, cursor: Any) -> Any:
    """A cursor with one of its values, however deep, replaced by another."""
    if isinstance(cursor, list) and cursor and dice.random() < 0.9:
        at = dice.randrange(len(cursor))
        return [*cursor[:at], _forged(dice, cursor[at]), *cursor[at + 1 :]]
    names = ["s/session/1", "s/session/2", "t/session/3"]
    return dice.choice([None, True, 0, 1, 2**64, "", "x", *names, names, [], {}])


class UpkeepContract:
    def test_a_prefix_is_taken_to_the_letter(self, backend: Backend) -> None:
        marks = ("%", "_", "*", "?", "[a]", "\\", "'", "{x}", "é", "🙂", ".")
        others = ("tat/1", "tt/1", "T/1", "t")
        for stream in (*others, *(f"t{mark}t/{n}" for mark in marks for n in (1, 2))):
            backend.commit(stream, put=items("a"), now=NOW)
        for mark in marks:
            mine = f"t{mark}t/"
            assert sorted(listed(backend, mine)) == [f"{mine}1", f"{mine}2"]

    def test_the_cursor_meets_every_stream(self, backend: Backend) -> None:
        mine = {f"t/session/{n}" for n in range(237)}
        for stream in (*mine, "t/user/1", "s/session/1", "t/sessions/1"):
            backend.commit(stream, put=items("a"), now=NOW)
        for limit in (1, 10, 237, 1000):
            assert set(listed(backend, "t/session/", limit)) == mine
        assert listed(backend, "u/") == []

    def test_the_cursor_goes_on_when_streams_come_and_go(self, backend: Backend) -> None:
        stay = {f"t/session/{n:03}-stay" for n in range(60)}
        for stream in (*stay, *(f"t/session/{n:03}-go" for n in range(60))):
            backend.commit(stream, put=items("a"), now=NOW)
        seen: set[str] = set()
        cursor = None
        for n in range(1000):
            page, cursor = backend.streams("t/session/", cursor=cursor, limit=10)
            seen |= set(page)
            if cursor is None:
                break
            backend.commit(f"t/session/{n:03}-go", drop=[Drop()], now=NOW)
            backend.commit(f"t/session/{n:03}-new", put=items("a"), now=NOW)
        assert cursor is None
        assert stay <= seen

    def test_no_cursor_leads_out_of_the_prefix(self, backend: Backend) -> None:
        for space in ("s", "t"):
            for n in range(30):
                backend.commit(f"{space}/session/{n}", put=items("a"), now=NOW)
        cursors = [*_walk_cursors(backend, "s/session/"), *_walk_cursors(backend, "t/session/")]
        dice = random.Random(7)  # noqa: S311 (not for secrets)
        for cursor in (*cursors, *(_forged(dice, c) for c in cursors for _ in range(60))):
            with suppress(InputError):
                page, _ = backend.streams("t/session/", cursor=cursor, limit=10)
                assert all(name.startswith("t/session/") for name in page), cursor

    def test_what_is_no_cursor_is_refused(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        for cursor in NO_CURSORS:
            with pytest.raises(InputError, match="cursor"):
                backend.streams("test/", cursor=cursor)

    def test_a_stream_that_was_dropped_is_not_listed(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.commit(S, drop=[Drop()], now=NOW)
        assert listed(backend, "test/") == []

    def test_a_sweep_reclaims_streams_and_records(self, backend: Backend) -> None:
        backend.commit(f"{S}/dead", put=items("abc"), ttl=60, now=NOW)
        backend.commit(f"{S}/live", put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        assert sweep_all(backend, NOW + 59) == 0
        assert sweep_all(backend, NOW + 60) >= 2
        assert backend.sweep(NOW + 60) == 0
        assert listed(backend, "test/") == [f"{S}/live"]

    def test_what_is_seen_does_not_depend_on_a_sweep(self, backend: Backend) -> None:
        put = [item("a", expires=NOW + 60), item("b"), item("c", expires=NOW + 90)]
        made = backend.commit(S, put=put, ttl=120, now=NOW)
        before = read(backend, S, now=NOW + 60)
        sweep_all(backend, NOW + 60)
        assert read(backend, S, now=NOW + 60) == before
        assert before.version == made.version
        backend.commit(S, put=items("d"), expect=made.version, ttl=120, now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["b", "c", "d"]

    def test_an_expired_id_takes_a_new_place_swept_or_not(self, backend: Backend) -> None:
        first = backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        sweep_all(backend, NOW + 60)
        again = backend.commit(S, put=items("a"), now=NOW + 60)
        assert again.seqs[0] > first.seqs[1]

    def test_a_new_life_after_a_sweep(self, backend: Backend) -> None:
        backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        sweep_all(backend, NOW + 60)
        backend.commit(S, put=items("bc"), expect=0, now=NOW + 60)
        sweep_all(backend, NOW + 61)
        assert ids(backend, S, now=NOW + 61) == ["b", "c"]

    def test_a_sweep_is_limited(self, backend: Backend) -> None:
        for n in range(30):
            backend.commit(f"{S}/{n}", put=items("abc"), ttl=60, now=NOW)
        mortal = [item(f"{n}", expires=NOW + 60) for n in range(30)]
        backend.commit(f"{S}/live", put=[*mortal, item("stays")], now=NOW)
        first = backend.sweep(NOW + 60, 10)
        assert 0 < first <= 20, "about the limit"
        assert sweep_all(backend, NOW + 60, 10) > 0, "all was swept at once"
        assert listed(backend, "test/") == [f"{S}/live"]
        assert ids(backend, f"{S}/live", now=NOW + 60) == ["stays"]

    def test_a_long_expired_stream_is_swept_in_the_end(self, backend: Backend) -> None:
        for part in range(3):
            put = items(f"{part}-{n}" for n in range(200))
            backend.commit(S, put=put, ttl=60, now=NOW)
        assert sweep_all(backend, NOW + 60, 50) >= 1
        assert listed(backend, "test/") == []
        backend.commit(S, put=items("a"), now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["a"]

    def test_sweepers_at_work_take_nothing_that_lives(self, backend: Backend, share: float) -> None:
        """Streams die and are born again under two sweepers: what was just put is there."""
        clocks = [NOW] * 4
        done = threading.Event()

        def live(n: int) -> None:
            stream = f"{S}/{n}"
            try:
                for life in range(round(60 * share)):
                    now = clocks[n]
                    put = [item(f"{life}"), item("x"), item("short", expires=now + 1)]
                    backend.commit(stream, put=put, ttl=10, now=now)
                    backend.commit(stream, put=items(["last"]), ttl=10, now=now + 1)
                    assert ids(backend, stream, now=now + 1) == [f"{life}", "x", "last"]
                    clocks[n] = now + 11
            finally:
                done.set()

        def sweep() -> None:
            while not done.is_set():
                backend.sweep(min(clocks), 7)

        together(*(partial(live, n) for n in range(4)), sweep, sweep)

    def test_closing_twice_is_once(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.close()
        backend.close()

    def test_closing_before_any_use(self, backend: Backend) -> None:
        backend.close()
        backend.close()

    def test_a_closed_backend_says_so(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.close()
        with pytest.raises(BackendError, match="closed"):
            backend.commit(S, put=items("b"), now=NOW)
        with pytest.raises(BackendError, match="closed"):
            backend.read(Query(S, "item"), now=NOW)
        with pytest.raises(BackendError, match="closed"):
            backend.streams("test/")
        with pytest.raises(BackendError, match="closed"):
            backend.sweep(NOW)
