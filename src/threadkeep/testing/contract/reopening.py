"""Promises about a store that outlives the object that opened it."""

# ruff: noqa: S101, S106 (tests assert; a token is no password)

from __future__ import annotations

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, Reopen, ids, item, items, read, sweep_all
from threadkeep.testing.contract.crowds import reopenable
from threadkeep.types import KEEP, Drop, Query

S = "test/session/reopening"


class ReopeningContract:
    def test_reopened_everything_is_there(self, backend: Backend, reopen: Reopen | None) -> None:
        again = reopenable(reopen)
        put = [*items("abc"), item("f", "1", kind="file", expires=NOW + 30)]
        made = backend.commit(S, put=put, ttl=60, now=NOW)
        queries = (Query(S, "item"), Query(S, "file"))
        before = backend.read(*queries, now=NOW)
        backend.close()
        other = again()
        try:
            assert other.read(*queries, now=NOW) == before
            assert before[0].version == made.version
            assert read(other, S, "file", now=NOW + 30).records == []
            assert read(other, S, now=NOW + 60) == (0, [])
        finally:
            other.close()

    def test_reopened_seqs_versions_and_lives_go_on(
        self, backend: Backend, reopen: Reopen | None
    ) -> None:
        again = reopenable(reopen)
        first = backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        backend.commit(S, drop=[Drop("item", ["b"])], ttl=KEEP, now=NOW)
        backend.close()
        other = again()
        try:
            second = other.commit(S, put=items("c"), ttl=KEEP, now=NOW)
            assert second.seqs[0] > first.seqs[1]
            assert second.version > first.version
            assert ids(other, S, now=NOW + 59) == ["a", "c"]
            assert ids(other, S, now=NOW + 60) == []
        finally:
            other.close()

    def test_reopened_a_token_still_answers(self, backend: Backend, reopen: Reopen | None) -> None:
        again = reopenable(reopen)
        first = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        backend.close()
        other = again()
        try:
            assert other.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW) == first
        finally:
            other.close()

    def test_two_openers_see_each_others_writes(
        self, backend: Backend, reopen: Reopen | None
    ) -> None:
        other = reopenable(reopen)()
        try:
            for n in range(20):
                one, two = (backend, other) if n % 2 else (other, backend)
                made = one.commit(S, put=items([f"{n}"]), now=NOW)
                assert read(two, S, limit=1, newest=True) == (
                    made.version,
                    [item(f"{n}", seq=made.seqs[0])],
                )
            backend.commit(S, drop=[Drop("item", ["3"])], ttl=60, now=NOW)
            assert "3" not in ids(other, S)
            other.commit(f"{S}2", put=items("a"), ttl=60, now=NOW)
            sweep_all(backend, NOW + 60)
            assert other.streams("test/")[0] == []
        finally:
            other.close()
