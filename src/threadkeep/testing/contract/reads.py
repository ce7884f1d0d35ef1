"""Promises about reads: ranges, ids, several queries, one snapshot."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

import threading

from threadkeep.protocols import Backend
from threadkeep.testing.concurrency import run_in_threads
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.types import Query, Record

S = "test/session/reads"


class ReadsContract:
    def test_absent_stream_reads_as_empty_page(self, backend: Backend) -> None:
        assert read(backend, S) == (0, [])
        version = backend.commit(S, put=items("a"), now=NOW).version
        assert read(backend, S, "file") == (version, [])
        assert backend.read(now=NOW) == []

    def test_limit_returns_oldest_or_newest(self, backend: Backend) -> None:
        backend.commit(S, put=items("abcde"), now=NOW)
        assert ids(backend, S, limit=2) == ["a", "b"]
        assert ids(backend, S, limit=2, newest=True) == ["d", "e"]
        assert ids(backend, S, newest=True) == list("abcde")
        assert ids(backend, S, limit=99, newest=True) == list("abcde")
        assert ids(backend, S, limit=0) == ids(backend, S, limit=0, newest=True) == []

    def test_after_and_before_are_exclusive(self, backend: Backend) -> None:
        a, b, c, d, e = backend.commit(S, put=items("abcde"), now=NOW).seqs
        assert ids(backend, S, after=b) == ["c", "d", "e"]
        assert ids(backend, S, before=d) == ["a", "b", "c"]
        assert ids(backend, S, after=a, before=e) == ["b", "c", "d"]
        assert ids(backend, S, after=a, before=e, limit=1) == ["b"]
        assert ids(backend, S, after=a, before=e, limit=2, newest=True) == ["c", "d"]
        assert ids(backend, S, after=e) == ids(backend, S, before=a) == []
        assert ids(backend, S, after=c, before=c) == []
        assert ids(backend, S, after=0) == list("abcde")

    def test_range_accepts_seq_of_other_kind(self, backend: Backend) -> None:
        put = [item("a"), item("f", kind="file"), item("b")]
        _, middle, _ = backend.commit(S, put=put, now=NOW).seqs
        assert ids(backend, S, after=middle) == ["b"]
        assert ids(backend, S, before=middle) == ["a"]

    def test_paging_returns_every_record_once(self, backend: Backend) -> None:
        names = [f"{n:04}" for n in range(503)]
        backend.commit(S, put=items(names), now=NOW)
        up: list[str] = []
        after = 0
        while records := read(backend, S, limit=50, after=after).records:
            up += [record.id for record in records]
            after = records[-1].seq
        down: list[str] = []
        before = None
        while records := read(backend, S, limit=50, newest=True, before=before).records:
            down = [record.id for record in records] + down
            before = records[0].seq
        assert up == down == names

    def test_ids_return_oldest_first(self, backend: Backend) -> None:
        backend.commit(S, put=[*items("abc"), item("a", kind="file")], now=NOW)
        assert ids(backend, S, ids=["c", "a", "unknown", "c"]) == ["a", "c"]
        assert ids(backend, S, ids=["unknown"]) == ids(backend, S, ids=[]) == []

    def test_query_with_40000_ids(self, backend: Backend) -> None:
        backend.commit(S, put=items("abc"), now=NOW)
        many = [f"unknown-{n}" for n in range(40_000)]
        assert ids(backend, S, ids=["c", *many, "a"]) == ["a", "c"]

    def test_many_queries_in_one_read(self, backend: Backend) -> None:
        other = f"{S}2"
        version = backend.commit(S, put=[*items("abc"), item("f", kind="file")], now=NOW).version
        other_version = backend.commit(other, put=items("xy"), now=NOW).version
        pages = backend.read(
            Query(other, "item", 1),
            Query(S, "item", 1, newest=True),
            Query("test/session/none", "item"),
            Query(S, "file"),
            Query(S, "item", ids=["a", "b"]),
            Query(S, "item", 1, newest=True),
            now=NOW,
        )
        assert [page.version for page in pages] == [
            other_version,
            version,
            0,
            version,
            version,
            version,
        ]
        assert ["".join(r.id for r in page.records) for page in pages] == [
            *("x", "c", "", "f", "ab", "c")
        ]

    def test_fifty_queries_in_one_read(self, backend: Backend) -> None:
        for n in range(50):
            backend.commit(f"{S}/{n}", put=items([f"id-{n}"]), now=NOW)
        pages = backend.read(*(Query(f"{S}/{n}", "item") for n in range(50)), now=NOW)
        assert [page.records[0].id for page in pages] == [f"id-{n}" for n in range(50)]

    def test_pages_of_one_read_share_a_snapshot(self, backend: Backend) -> None:
        """Each commit writes number n to two kinds: no read may see one without the other."""
        numbers = {backend.commit(S, put=_pair(0), now=NOW).version: 0}
        finished = threading.Event()

        def write() -> None:
            try:
                for n in range(1, 100):
                    numbers[backend.commit(S, put=_pair(n), now=NOW).version] = n
            finally:
                finished.set()

        def watch() -> list[tuple[int, str, str, int]]:
            snapshots: list[tuple[int, str, str, int]] = []
            while not snapshots or not finished.is_set():
                left_page, right_page, all_left = backend.read(
                    Query(S, "left", 1, newest=True),
                    Query(S, "right", ids=["last"]),
                    Query(S, "left"),
                    now=NOW,
                )
                assert left_page.version == right_page.version == all_left.version
                newest, last = left_page.records[0].body, right_page.records[0].body
                snapshots.append((left_page.version, newest, last, len(all_left.records)))
            return snapshots

        _, *snapshots_by_reader = run_in_threads(write, watch, watch)
        for version, newest, last, count in (
            snapshot for reader_snapshots in snapshots_by_reader for snapshot in reader_snapshots
        ):
            assert newest == last == str(count - 1)
            assert numbers[version] <= count - 1, "the version was read later than the records"


def _pair(n: int) -> list[Record]:
    return [item(f"{n}", str(n), kind="left"), item("last", str(n), kind="right")]
