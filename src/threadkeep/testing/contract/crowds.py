"""Promises under load: many threads, many processes, and the traps that a crowd seldom meets."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

from functools import partial

import pytest

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, Reopen, ids, item, read
from threadkeep.testing.crowd import (
    check_acks,
    counting_process,
    in_processes,
    together,
    write_batches,
    writing_process,
)
from threadkeep.types import Drop

S = "test/session/crowds"


def reopenable(reopen: Reopen | None) -> Reopen:
    """Skip what needs a second opener of one store, if the store has none."""
    if reopen is None:
        pytest.skip("this store cannot be reopened")
    return reopen


class CrowdsContract:
    def test_threads_append_to_one_new_stream(self, backend: Backend) -> None:
        writers = (
            partial(write_batches, backend, S, f"t{n}", commits=150, seconds=2.0, now=NOW)
            for n in range(16)
        )
        acks = [ack for written in together(*writers) for ack in written]
        check_acks(acks, read(backend, S).records)

    def test_a_drop_sees_what_was_put_before_it(self, backend: Backend) -> None:
        """The trap: a drop that waits for a lock, then looks through a snapshot from before."""
        for round in range(60):
            stream = f"{S}/{round % 7}"
            backend.commit(stream, put=[item("other")], now=NOW)
            put, drop = together(
                partial(backend.commit, stream, put=[item("x")], now=NOW),
                partial(backend.commit, stream, drop=[Drop("item", ["x"])], now=NOW),
            )
            left = ["other", "x"] if put.version > drop.version else ["other"]
            assert ids(backend, stream) == left, f"round {round}"

    def test_a_drop_of_a_kind_sees_what_was_put_before_it(self, backend: Backend) -> None:
        backend.commit(S, put=[item("f", kind="file")], now=NOW)
        for round in range(60):
            put, drop = together(
                partial(backend.commit, S, put=[item("x"), item("y")], now=NOW),
                partial(backend.commit, S, drop=[Drop("item")], now=NOW),
            )
            left = ["x", "y"] if put.version > drop.version else []
            assert ids(backend, S) == left, f"round {round}"

    def test_puts_and_drops_of_one_id_end_as_the_last_one_says(self, backend: Backend) -> None:
        backend.commit(S, put=[item("other")], now=NOW)

        def toggle(n: int) -> tuple[int, bool]:
            last = (0, False)
            for turn in range(10):
                puts = (n + turn) % 2 == 0
                how = {"put": [item("x", f"{n}")]} if puts else {"drop": [Drop("item", ["x"])]}
                done = backend.commit(S, **how, now=NOW)
                last = (done.version, puts)
            return last

        _, stays = max(together(*(partial(toggle, n) for n in range(16))))
        assert ("x" in ids(backend, S)) is stays

    def test_a_whole_stream_drop_among_writers_leaves_whole_lives(self, backend: Backend) -> None:
        """Each commit puts a and b: whatever is deleted between, both or none are there."""

        def write() -> None:
            for _ in range(25):
                backend.commit(S, put=[item("a"), item("b", kind="file")], now=NOW)

        def delete() -> None:
            for _ in range(25):
                backend.commit(S, drop=[Drop()], now=NOW)

        together(write, write, delete, delete)
        assert len(ids(backend, S)) == len(ids(backend, S, "file"))
        backend.commit(S, drop=[Drop()], now=NOW)
        assert read(backend, S) == (0, [])

    def test_processes_append_to_one_stream(self, backend: Backend, reopen: Reopen | None) -> None:
        _crowd(backend, reopenable(reopen), [S])

    def test_processes_append_to_fifty_streams(
        self, backend: Backend, reopen: Reopen | None, share: float
    ) -> None:
        _crowd(backend, reopenable(reopen), [f"{S}/{n}" for n in range(round(50 * share))])

    def test_processes_count_by_compare_and_set(
        self, backend: Backend, reopen: Reopen | None
    ) -> None:
        again = reopenable(reopen)
        in_processes(counting_process, [(again, S, NOW)] * 3)
        assert [record.body for record in read(backend, S).records] == ["120"]


def _crowd(backend: Backend, reopen: Reopen, streams: list[str]) -> None:
    told = in_processes(writing_process, [(reopen, streams, n, NOW) for n in range(4)])
    for stream in streams:
        acks = [ack for process in told for ack in process[stream]]
        assert len(acks) >= 16
        check_acks(acks, read(backend, stream).records)
