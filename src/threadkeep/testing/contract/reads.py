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
        seq_a, seq_b, seq_c, seq_d, seq_e = backend.commit(S, put=items("abcde"), now=NOW).seqs
        assert ids(backend, S, after=seq_b) == ["c", "d", "e"]
        assert ids(backend, S, before=seq_d) == ["a", "b", "c"]
        assert ids(backend, S, after=seq_a, before=seq_e) == ["b", "c", "d"]
        assert ids(backend, S, after=seq_a, before=seq_e, limit=1) == ["b"]
        assert ids(backend, S, after=seq_a, before=seq_e, limit=2, newest=True) == ["c", "d"]
        assert ids(backend, S, after=seq_e) == ids(backend, S, before=seq_a) == []
        assert ids(backend, S, after=seq_c, before=seq_c) == []
        assert ids(backend, S, after=0) == list("abcde")

    def test_range_accepts_seq_of_other_kind(self, backend: Backend) -> None:
        records = [item("a"), item("f", kind="file"), item("b")]
        _, file_seq, _ = backend.commit(S, put=records, now=NOW).seqs
        assert ids(backend, S, after=file_seq) == ["b"]
        assert ids(backend, S, before=file_seq) == ["a"]

    def test_paging_returns_every_record_once(self, backend: Backend) -> None:
        record_ids = [f"{id_number:04}" for id_number in range(503)]
        backend.commit(S, put=items(record_ids), now=NOW)
        ids_oldest_first: list[str] = []
        after_seq = 0
        while page_records := read(backend, S, limit=50, after=after_seq).records:
            ids_oldest_first += [record.id for record in page_records]
            after_seq = page_records[-1].seq
        ids_newest_first: list[str] = []
        before_seq = None
        while page_records := read(backend, S, limit=50, newest=True, before=before_seq).records:
            ids_newest_first = [record.id for record in page_records] + ids_newest_first
            before_seq = page_records[0].seq
        assert ids_oldest_first == ids_newest_first == record_ids

    def test_ids_return_oldest_first(self, backend: Backend) -> None:
        backend.commit(S, put=[*items("abc"), item("a", kind="file")], now=NOW)
        assert ids(backend, S, ids=["c", "a", "unknown", "c"]) == ["a", "c"]
        assert ids(backend, S, ids=["unknown"]) == ids(backend, S, ids=[]) == []

    def test_query_with_40000_ids(self, backend: Backend) -> None:
        backend.commit(S, put=items("abc"), now=NOW)
        unknown_ids = [f"unknown-{id_number}" for id_number in range(40_000)]
        assert ids(backend, S, ids=["c", *unknown_ids, "a"]) == ["a", "c"]

    def test_many_queries_in_one_read(self, backend: Backend) -> None:
        other_stream_name = f"{S}2"
        version = backend.commit(S, put=[*items("abc"), item("f", kind="file")], now=NOW).version
        other_version = backend.commit(other_stream_name, put=items("xy"), now=NOW).version
        pages = backend.read(
            Query(other_stream_name, "item", 1),
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
        assert ["".join(record.id for record in page.records) for page in pages] == [
            *("x", "c", "", "f", "ab", "c")
        ]

    def test_fifty_queries_in_one_read(self, backend: Backend) -> None:
        for stream_number in range(50):
            backend.commit(f"{S}/{stream_number}", put=items([f"id-{stream_number}"]), now=NOW)
        pages = backend.read(
            *(Query(f"{S}/{stream_number}", "item") for stream_number in range(50)), now=NOW
        )
        assert [page.records[0].id for page in pages] == [f"id-{number}" for number in range(50)]

    def test_pages_of_one_read_share_a_snapshot(self, backend: Backend) -> None:
        """Each commit writes number n to two kinds: no read may see one without the other."""
        number_by_version = {backend.commit(S, put=_pair(0), now=NOW).version: 0}
        finished_event = threading.Event()

        def write() -> None:
            try:
                for commit_number in range(1, 100):
                    number_by_version[
                        backend.commit(S, put=_pair(commit_number), now=NOW).version
                    ] = commit_number
            finally:
                finished_event.set()

        def watch() -> list[tuple[int, str, str, int]]:
            observations: list[tuple[int, str, str, int]] = []
            while not observations or not finished_event.is_set():
                left_page, right_page, all_left_page = backend.read(
                    Query(S, "left", 1, newest=True),
                    Query(S, "right", ids=["last"]),
                    Query(S, "left"),
                    now=NOW,
                )
                assert left_page.version == right_page.version == all_left_page.version
                newest_left_body, right_body = left_page.records[0].body, right_page.records[0].body
                observations.append(
                    (left_page.version, newest_left_body, right_body, len(all_left_page.records))
                )
            return observations

        _, *watch_results = run_in_threads(write, watch, watch)
        for version, newest_left_body, right_body, left_count in (
            observation for watch_result in watch_results for observation in watch_result
        ):
            assert newest_left_body == right_body == str(left_count - 1)
            assert number_by_version[version] <= left_count - 1, (
                "the version was read later than the records"
            )


def _pair(n: int) -> list[Record]:
    return [item(f"{n}", str(n), kind="left"), item("last", str(n), kind="right")]
