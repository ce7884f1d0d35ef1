"""Promises about listing streams, sweeping and closing."""

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
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.testing.contract.common import NOW, ids, item, items, list_streams, read, sweep_all
from threadkeep.types import Drop, Query

S = "test/session/maintenance"
INVALID_CURSORS: tuple[Any, ...] = (
    *("", "\0", "\ud800"),
    *(True, 1.5),
    *({}, {"x": 1}, [], [[]], [None] * 5),
)


def _all_cursors(backend: Backend, prefix: str) -> list[Any]:
    """All cursors of a listing, after a JSON round trip."""
    cursors: list[Any] = []
    cursor: Any = None
    while True:
        _, cursor = backend.streams(prefix, cursor=cursor, limit=7)
        if cursor is None:
            return cursors
        cursor = json.loads(json.dumps(cursor))
        cursors.append(cursor)


def _forge_cursor(rng: random.Random, cursor: Any) -> Any:
    """A cursor with one of its values, however deep, replaced by another."""
    if isinstance(cursor, list) and cursor and rng.random() < 0.9:
        index = rng.randrange(len(cursor))
        return [*cursor[:index], _forge_cursor(rng, cursor[index]), *cursor[index + 1 :]]
    names = ["s/session/1", "s/session/2", "t/session/3"]
    return rng.choice([None, True, 0, 1, 2**64, "", "x", *names, names, [], {}])


class MaintenanceContract:
    def test_prefix_matches_literally(self, backend: Backend) -> None:
        marks = ("%", "_", "*", "?", "[a]", "\\", "'", "{x}", "é", "🙂", ".")
        others = ("tat/1", "tt/1", "T/1", "t")
        for stream in (*others, *(f"t{mark}t/{n}" for mark in marks for n in (1, 2))):
            backend.commit(stream, put=items("a"), now=NOW)
        for mark in marks:
            matching = f"t{mark}t/"
            assert sorted(list_streams(backend, matching)) == [f"{matching}1", f"{matching}2"]

    def test_cursor_visits_every_stream(self, backend: Backend) -> None:
        matching = {f"t/session/{n}" for n in range(237)}
        for stream in (*matching, "t/user/1", "s/session/1", "t/sessions/1"):
            backend.commit(stream, put=items("a"), now=NOW)
        for limit in (1, 10, 237, 1000):
            assert set(list_streams(backend, "t/session/", limit)) == matching
        assert list_streams(backend, "u/") == []

    def test_cursor_survives_concurrent_changes(self, backend: Backend) -> None:
        permanent = {f"t/session/{n:03}-stay" for n in range(60)}
        for stream in (*permanent, *(f"t/session/{n:03}-go" for n in range(60))):
            backend.commit(stream, put=items("a"), now=NOW)
        names: set[str] = set()
        cursor = None
        for n in range(1000):
            page, cursor = backend.streams("t/session/", cursor=cursor, limit=10)
            names |= set(page)
            if cursor is None:
                break
            backend.commit(f"t/session/{n:03}-go", drop=[Drop()], now=NOW)
            backend.commit(f"t/session/{n:03}-new", put=items("a"), now=NOW)
        assert cursor is None
        assert permanent <= names

    def test_forged_cursor_stays_within_prefix(self, backend: Backend) -> None:
        for space in ("s", "t"):
            for n in range(30):
                backend.commit(f"{space}/session/{n}", put=items("a"), now=NOW)
        cursors = [*_all_cursors(backend, "s/session/"), *_all_cursors(backend, "t/session/")]
        rng = random.Random(7)  # noqa: S311 (not for secrets)
        for cursor in (*cursors, *(_forge_cursor(rng, c) for c in cursors for _ in range(60))):
            with suppress(InputError):
                page, _ = backend.streams("t/session/", cursor=cursor, limit=10)
                assert all(name.startswith("t/session/") for name in page), cursor

    def test_invalid_cursor_raises_input_error(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        for cursor in INVALID_CURSORS:
            with pytest.raises(InputError, match="cursor"):
                backend.streams("test/", cursor=cursor)

    def test_dropped_stream_is_not_listed(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.commit(S, drop=[Drop()], now=NOW)
        assert list_streams(backend, "test/") == []

    def test_sweep_reclaims_streams_and_records(self, backend: Backend) -> None:
        backend.commit(f"{S}/dead", put=items("abc"), ttl=60, now=NOW)
        backend.commit(f"{S}/live", put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        assert sweep_all(backend, NOW + 59) == 0
        assert sweep_all(backend, NOW + 60) >= 2
        assert backend.sweep(NOW + 60) == 0
        assert list_streams(backend, "test/") == [f"{S}/live"]

    def test_sweep_changes_nothing_visible(self, backend: Backend) -> None:
        put = [item("a", expires=NOW + 60), item("b"), item("c", expires=NOW + 90)]
        created = backend.commit(S, put=put, ttl=120, now=NOW)
        before = read(backend, S, now=NOW + 60)
        sweep_all(backend, NOW + 60)
        assert read(backend, S, now=NOW + 60) == before
        assert before.version == created.version
        backend.commit(S, put=items("d"), expect=created.version, ttl=120, now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["b", "c", "d"]

    def test_swept_id_gets_new_seq(self, backend: Backend) -> None:
        first = backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        sweep_all(backend, NOW + 60)
        repeated = backend.commit(S, put=items("a"), now=NOW + 60)
        assert repeated.seqs[0] > first.seqs[1]

    def test_new_generation_after_sweep(self, backend: Backend) -> None:
        backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        sweep_all(backend, NOW + 60)
        backend.commit(S, put=items("bc"), expect=0, now=NOW + 60)
        sweep_all(backend, NOW + 61)
        assert ids(backend, S, now=NOW + 61) == ["b", "c"]

    def test_sweep_respects_limit(self, backend: Backend) -> None:
        for n in range(30):
            backend.commit(f"{S}/{n}", put=items("abc"), ttl=60, now=NOW)
        mortal = [item(f"{n}", expires=NOW + 60) for n in range(30)]
        backend.commit(f"{S}/live", put=[*mortal, item("stays")], now=NOW)
        first = backend.sweep(NOW + 60, 10)
        assert 0 < first <= 20, "about the limit"
        assert sweep_all(backend, NOW + 60, 10) > 0, "all was swept at once"
        assert list_streams(backend, "test/") == [f"{S}/live"]
        assert ids(backend, f"{S}/live", now=NOW + 60) == ["stays"]

    def test_large_expired_stream_is_swept_in_batches(self, backend: Backend) -> None:
        for part in range(3):
            put = items(f"{part}-{n}" for n in range(200))
            backend.commit(S, put=put, ttl=60, now=NOW)
        assert sweep_all(backend, NOW + 60, 50) >= 1
        assert list_streams(backend, "test/") == []
        backend.commit(S, put=items("a"), now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["a"]

    def test_concurrent_sweeps_spare_live_records(self, backend: Backend, share: float) -> None:
        """Streams expire and restart under two sweepers: new records stay."""
        clocks = [NOW] * 4
        finished = threading.Event()

        def live(n: int) -> None:
            stream = f"{S}/{n}"
            try:
                for round_number in range(round(60 * share)):
                    now = clocks[n]
                    put = [item(f"{round_number}"), item("x"), item("short", expires=now + 1)]
                    backend.commit(stream, put=put, ttl=10, now=now)
                    backend.commit(stream, put=items(["last"]), ttl=10, now=now + 1)
                    assert ids(backend, stream, now=now + 1) == [f"{round_number}", "x", "last"]
                    clocks[n] = now + 11
            finally:
                finished.set()

        def sweep() -> None:
            while not finished.is_set():
                backend.sweep(min(clocks), 7)

        run_in_threads(*(partial(live, n) for n in range(4)), sweep, sweep)

    def test_close_is_idempotent(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.close()
        backend.close()

    def test_close_before_first_use(self, backend: Backend) -> None:
        backend.close()
        backend.close()

    def test_closed_backend_raises_backend_error(self, backend: Backend) -> None:
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
