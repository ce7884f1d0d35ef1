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
        put = [*items("abc"), item("f", "1", kind="file", expires=NOW + 30)]
        created = backend.commit(S, put=put, ttl=60, now=NOW)
        queries = (Query(S, "item"), Query(S, "file"))
        before = backend.read(*queries, now=NOW)
        backend.close()
        reopened = open_again()
        try:
            assert reopened.read(*queries, now=NOW) == before
            assert before[0].version == created.version
            assert read(reopened, S, "file", now=NOW + 30).records == []
            assert read(reopened, S, now=NOW + 60) == (0, [])
        finally:
            reopened.close()

    def test_reopen_continues_seqs_and_versions(
        self, backend: Backend, reopen: OpenBackend | None
    ) -> None:
        open_again = require_reopen(reopen)
        first = backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        backend.commit(S, drop=[Drop("item", ["b"])], ttl=KEEP, now=NOW)
        backend.close()
        reopened = open_again()
        try:
            second = reopened.commit(S, put=items("c"), ttl=KEEP, now=NOW)
            assert second.seqs[0] > first.seqs[1]
            assert second.version > first.version
            assert ids(reopened, S, now=NOW + 59) == ["a", "c"]
            assert ids(reopened, S, now=NOW + 60) == []
        finally:
            reopened.close()

    def test_reopen_restores_tokens(self, backend: Backend, reopen: OpenBackend | None) -> None:
        open_again = require_reopen(reopen)
        first = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        backend.close()
        reopened = open_again()
        try:
            assert reopened.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW) == first
        finally:
            reopened.close()

    def test_two_openers_see_each_others_writes(
        self, backend: Backend, reopen: OpenBackend | None
    ) -> None:
        reopened = require_reopen(reopen)()
        try:
            for n in range(20):
                writer, reader = (backend, reopened) if n % 2 else (reopened, backend)
                created = writer.commit(S, put=items([f"{n}"]), now=NOW)
                assert read(reader, S, limit=1, newest=True) == (
                    created.version,
                    [item(f"{n}", seq=created.seqs[0])],
                )
            backend.commit(S, drop=[Drop("item", ["3"])], ttl=60, now=NOW)
            assert "3" not in ids(reopened, S)
            reopened.commit(f"{S}2", put=items("a"), ttl=60, now=NOW)
            sweep_all(backend, NOW + 60)
            assert reopened.streams("test/")[0] == []
        finally:
            reopened.close()
