"""Promises about persistence: a store that is closed and opened again."""

# ruff: noqa: S101, S106 (tests assert; a token is no password)

from __future__ import annotations

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, OpenBackend, ids, item, items, read, sweep_all
from threadkeep.testing.contract.concurrency import require_reopen
from threadkeep.types import KEEP, Drop, Query

S = "test/session/persistence"


class PersistenceContract:
    def test_reopen_restores_records_and_expiry(
        self, backend: Backend, reopen: OpenBackend | None
    ) -> None:
        open_again = require_reopen(reopen)
        records = [*items("abc"), item("f", "1", kind="file", expires=NOW + 30)]
        first_commit = backend.commit(S, put=records, ttl=60, now=NOW)
        queries = (Query(S, "item"), Query(S, "file"))
        pages_before = backend.read(*queries, now=NOW)
        backend.close()
        reopened_backend = open_again()
        try:
            assert reopened_backend.read(*queries, now=NOW) == pages_before
            assert pages_before[0].version == first_commit.version
            assert read(reopened_backend, S, "file", now=NOW + 30).records == []
            assert read(reopened_backend, S, now=NOW + 60) == (0, [])
        finally:
            reopened_backend.close()

    def test_reopen_continues_seqs_and_versions(
        self, backend: Backend, reopen: OpenBackend | None
    ) -> None:
        open_again = require_reopen(reopen)
        first_commit = backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        backend.commit(S, drop=[Drop("item", ["b"])], ttl=KEEP, now=NOW)
        backend.close()
        reopened_backend = open_again()
        try:
            second_commit = reopened_backend.commit(S, put=items("c"), ttl=KEEP, now=NOW)
            assert second_commit.seqs[0] > first_commit.seqs[1]
            assert second_commit.version > first_commit.version
            assert ids(reopened_backend, S, now=NOW + 59) == ["a", "c"]
            assert ids(reopened_backend, S, now=NOW + 60) == []
        finally:
            reopened_backend.close()

    def test_reopen_restores_tokens(self, backend: Backend, reopen: OpenBackend | None) -> None:
        open_again = require_reopen(reopen)
        first_commit = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        backend.close()
        reopened_backend = open_again()
        try:
            assert (
                reopened_backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
                == first_commit
            )
        finally:
            reopened_backend.close()

    def test_two_openers_see_each_others_writes(
        self, backend: Backend, reopen: OpenBackend | None
    ) -> None:
        reopened_backend = require_reopen(reopen)()
        try:
            for round_number in range(20):
                writing_backend, reading_backend = (
                    (backend, reopened_backend) if round_number % 2 else (reopened_backend, backend)
                )
                commit = writing_backend.commit(S, put=items([f"{round_number}"]), now=NOW)
                assert read(reading_backend, S, limit=1, newest=True) == (
                    commit.version,
                    [item(f"{round_number}", seq=commit.seqs[0])],
                )
            backend.commit(S, drop=[Drop("item", ["3"])], ttl=60, now=NOW)
            assert "3" not in ids(reopened_backend, S)
            reopened_backend.commit(f"{S}2", put=items("a"), ttl=60, now=NOW)
            sweep_all(backend, NOW + 60)
            assert reopened_backend.streams("test/")[0] == []
        finally:
            reopened_backend.close()
