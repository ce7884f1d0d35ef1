"""Promises under concurrency: many threads, many processes, and rare races."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

from functools import partial

import pytest

from threadkeep.protocols import Backend
from threadkeep.testing.concurrency import (
    append_batches,
    append_in_threads,
    check_acks,
    increment_in_threads,
    run_in_processes,
    run_in_threads,
)
from threadkeep.testing.contract.common import NOW, OpenBackend, ids, item, read
from threadkeep.types import Drop

S = "test/session/concurrency"


def require_reopen(reopen: OpenBackend | None) -> OpenBackend:
    """Skip the test if the store cannot be opened twice."""
    if reopen is None:
        pytest.skip("this store cannot be reopened")
    return reopen


class ConcurrencyContract:
    def test_threads_append_to_one_new_stream(self, backend: Backend) -> None:
        writers = (
            partial(
                append_batches, backend, S, f"t{writer_number}", commits=150, seconds=2.0, now=NOW
            )
            for writer_number in range(16)
        )
        acks = [ack for acks_of_writer in run_in_threads(*writers) for ack in acks_of_writer]
        check_acks(acks, read(backend, S).records)

    def test_drop_by_id_sees_earlier_put(self, backend: Backend) -> None:
        """Catches a drop that waits for a lock and then uses an older snapshot."""
        for round_number in range(60):
            stream_name = f"{S}/{round_number % 7}"
            backend.commit(stream_name, put=[item("other")], now=NOW)
            put_commit, drop_commit = run_in_threads(
                partial(backend.commit, stream_name, put=[item("x")], now=NOW),
                partial(backend.commit, stream_name, drop=[Drop("item", ["x"])], now=NOW),
            )
            expected_ids = ["other", "x"] if put_commit.version > drop_commit.version else ["other"]
            assert ids(backend, stream_name) == expected_ids, f"round {round_number}"

    def test_drop_by_kind_sees_earlier_put(self, backend: Backend) -> None:
        backend.commit(S, put=[item("f", kind="file")], now=NOW)
        for round_number in range(60):
            put_commit, drop_commit = run_in_threads(
                partial(backend.commit, S, put=[item("x"), item("y")], now=NOW),
                partial(backend.commit, S, drop=[Drop("item")], now=NOW),
            )
            expected_ids = ["x", "y"] if put_commit.version > drop_commit.version else []
            assert ids(backend, S) == expected_ids, f"round {round_number}"

    def test_last_of_concurrent_puts_and_drops_wins(self, backend: Backend) -> None:
        backend.commit(S, put=[item("other")], now=NOW)

        def toggle(n: int) -> tuple[int, bool]:
            version_and_state = (0, False)
            for step_number in range(10):
                is_put = (n + step_number) % 2 == 0
                commit_arguments = (
                    {"put": [item("x", f"{n}")]} if is_put else {"drop": [Drop("item", ["x"])]}
                )
                toggle_commit = backend.commit(S, **commit_arguments, now=NOW)
                version_and_state = (toggle_commit.version, is_put)
            return version_and_state

        _, is_present = max(run_in_threads(*(partial(toggle, n) for n in range(16))))
        assert ("x" in ids(backend, S)) is is_present

    def test_stream_drop_never_splits_a_commit(self, backend: Backend) -> None:
        """Each commit puts a and b: whatever is deleted in between, both or none exist."""

        def write() -> None:
            for _ in range(25):
                backend.commit(S, put=[item("a"), item("b", kind="file")], now=NOW)

        def delete() -> None:
            for _ in range(25):
                backend.commit(S, drop=[Drop()], now=NOW)

        run_in_threads(write, write, delete, delete)
        assert len(ids(backend, S)) == len(ids(backend, S, "file"))
        backend.commit(S, drop=[Drop()], now=NOW)
        assert read(backend, S) == (0, [])

    def test_processes_append_to_one_stream(
        self, backend: Backend, reopen: OpenBackend | None
    ) -> None:
        _append_from_processes(backend, require_reopen(reopen), [S])

    def test_processes_append_to_fifty_streams(
        self, backend: Backend, reopen: OpenBackend | None, share: float
    ) -> None:
        _append_from_processes(
            backend,
            require_reopen(reopen),
            [f"{S}/{stream_number}" for stream_number in range(round(50 * share))],
        )

    def test_processes_count_by_compare_and_set(
        self, backend: Backend, reopen: OpenBackend | None
    ) -> None:
        open_again = require_reopen(reopen)
        run_in_processes(increment_in_threads, [(open_again, S, NOW)] * 3)
        assert [record.body for record in read(backend, S).records] == ["120"]


def _append_from_processes(backend: Backend, reopen: OpenBackend, streams: list[str]) -> None:
    results = run_in_processes(
        append_in_threads, [(reopen, streams, process_number, NOW) for process_number in range(4)]
    )
    for stream_name in streams:
        acks = [ack for acks_by_stream in results for ack in acks_by_stream[stream_name]]
        assert len(acks) >= 16
        check_acks(acks, read(backend, stream_name).records)
