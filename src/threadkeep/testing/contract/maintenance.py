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
        forged_index = rng.randrange(len(cursor))
        return [
            *cursor[:forged_index],
            _forge_cursor(rng, cursor[forged_index]),
            *cursor[forged_index + 1 :],
        ]
    stream_names = ["s/session/1", "s/session/2", "t/session/3"]
    return rng.choice([None, True, 0, 1, 2**64, "", "x", *stream_names, stream_names, [], {}])


class MaintenanceContract:
    def test_prefix_matches_literally(self, backend: Backend) -> None:
        special_characters = ("%", "_", "*", "?", "[a]", "\\", "'", "{x}", "é", "🙂", ".")
        other_stream_names = ("tat/1", "tt/1", "T/1", "t")
        for stream_name in (
            *other_stream_names,
            *(f"t{character}t/{number}" for character in special_characters for number in (1, 2)),
        ):
            backend.commit(stream_name, put=items("a"), now=NOW)
        for special_character in special_characters:
            literal_prefix = f"t{special_character}t/"
            assert sorted(list_streams(backend, literal_prefix)) == [
                f"{literal_prefix}1",
                f"{literal_prefix}2",
            ]

    def test_cursor_visits_every_stream(self, backend: Backend) -> None:
        matching_names = {f"t/session/{session_number}" for session_number in range(237)}
        for stream_name in (*matching_names, "t/user/1", "s/session/1", "t/sessions/1"):
            backend.commit(stream_name, put=items("a"), now=NOW)
        for page_limit in (1, 10, 237, 1000):
            assert set(list_streams(backend, "t/session/", page_limit)) == matching_names
        assert list_streams(backend, "u/") == []

    def test_cursor_survives_concurrent_changes(self, backend: Backend) -> None:
        permanent_names = {f"t/session/{session_number:03}-stay" for session_number in range(60)}
        for stream_name in (
            *permanent_names,
            *(f"t/session/{session_number:03}-go" for session_number in range(60)),
        ):
            backend.commit(stream_name, put=items("a"), now=NOW)
        listed_names: set[str] = set()
        cursor = None
        for session_number in range(1000):
            page_names, cursor = backend.streams("t/session/", cursor=cursor, limit=10)
            listed_names |= set(page_names)
            if cursor is None:
                break
            backend.commit(f"t/session/{session_number:03}-go", drop=[Drop()], now=NOW)
            backend.commit(f"t/session/{session_number:03}-new", put=items("a"), now=NOW)
        assert cursor is None
        assert permanent_names <= listed_names

    def test_forged_cursor_stays_within_prefix(self, backend: Backend) -> None:
        for namespace in ("s", "t"):
            for session_number in range(30):
                backend.commit(f"{namespace}/session/{session_number}", put=items("a"), now=NOW)
        cursors = [*_all_cursors(backend, "s/session/"), *_all_cursors(backend, "t/session/")]
        random_source = random.Random(7)  # noqa: S311 (not for secrets)
        for cursor in (
            *cursors,
            *(
                _forge_cursor(random_source, cursor_to_forge)
                for cursor_to_forge in cursors
                for _ in range(60)
            ),
        ):
            with suppress(InputError):
                page_names, _ = backend.streams("t/session/", cursor=cursor, limit=10)
                assert all(stream_name.startswith("t/session/") for stream_name in page_names), (
                    cursor
                )

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
        records = [item("a", expires=NOW + 60), item("b"), item("c", expires=NOW + 90)]
        first_commit = backend.commit(S, put=records, ttl=120, now=NOW)
        page_before = read(backend, S, now=NOW + 60)
        sweep_all(backend, NOW + 60)
        assert read(backend, S, now=NOW + 60) == page_before
        assert page_before.version == first_commit.version
        backend.commit(S, put=items("d"), expect=first_commit.version, ttl=120, now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["b", "c", "d"]

    def test_swept_id_gets_new_seq(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        sweep_all(backend, NOW + 60)
        repeated_commit = backend.commit(S, put=items("a"), now=NOW + 60)
        assert repeated_commit.seqs[0] > first_commit.seqs[1]

    def test_new_generation_after_sweep(self, backend: Backend) -> None:
        backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        sweep_all(backend, NOW + 60)
        backend.commit(S, put=items("bc"), expect=0, now=NOW + 60)
        sweep_all(backend, NOW + 61)
        assert ids(backend, S, now=NOW + 61) == ["b", "c"]

    def test_sweep_respects_limit(self, backend: Backend) -> None:
        for n in range(30):
            backend.commit(f"{S}/{n}", put=items("abc"), ttl=60, now=NOW)
        mortal_records = [item(f"{n}", expires=NOW + 60) for n in range(30)]
        backend.commit(f"{S}/live", put=[*mortal_records, item("stays")], now=NOW)
        first_sweep_count = backend.sweep(NOW + 60, 10)
        assert 0 < first_sweep_count <= 20, "about the limit"
        assert sweep_all(backend, NOW + 60, 10) > 0, "all was swept at once"
        assert list_streams(backend, "test/") == [f"{S}/live"]
        assert ids(backend, f"{S}/live", now=NOW + 60) == ["stays"]

    def test_large_expired_stream_is_swept_in_batches(self, backend: Backend) -> None:
        for commit_number in range(3):
            records = items(f"{commit_number}-{record_number}" for record_number in range(200))
            backend.commit(S, put=records, ttl=60, now=NOW)
        assert sweep_all(backend, NOW + 60, 50) >= 1
        assert list_streams(backend, "test/") == []
        backend.commit(S, put=items("a"), now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["a"]

    def test_concurrent_sweeps_spare_live_records(self, backend: Backend, share: float) -> None:
        """Streams expire and restart under two sweepers: new records stay."""
        writer_times = [NOW] * 4
        finished_event = threading.Event()

        def live(n: int) -> None:
            stream = f"{S}/{n}"
            try:
                for round_number in range(round(60 * share)):
                    now = writer_times[n]
                    records = [item(f"{round_number}"), item("x"), item("short", expires=now + 1)]
                    backend.commit(stream, put=records, ttl=10, now=now)
                    backend.commit(stream, put=items(["last"]), ttl=10, now=now + 1)
                    assert ids(backend, stream, now=now + 1) == [f"{round_number}", "x", "last"]
                    writer_times[n] = now + 11
            finally:
                finished_event.set()

        def sweep() -> None:
            while not finished_event.is_set():
                backend.sweep(min(writer_times), 7)

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
