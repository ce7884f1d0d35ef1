"""Promises about commits: order of records, replaced records, replays, drops."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.types import Drop, Query, Record

S = "test/session/records"


class RecordsContract:
    def test_implements_backend_protocol(self, backend: Backend) -> None:
        assert isinstance(backend, Backend)
        assert backend.blocking in (True, False)

    def test_record_roundtrips(self, backend: Backend) -> None:
        record = Record("fact", "id-1", '{"é": "\\u0000"}', NOW - 0.123456, NOW + 9.25)
        commit = backend.commit(S, put=[record], now=NOW)
        (stored_record,) = read(backend, S, "fact").records
        assert (stored_record.kind, stored_record.id, stored_record.body) == (
            "fact",
            "id-1",
            '{"é": "\\u0000"}',
        )
        assert (stored_record.at, stored_record.expires) == (NOW - 0.123456, NOW + 9.25)
        assert [stored_record.seq] == commit.seqs

    def test_seqs_increase_within_and_across_commits(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("ab"), now=NOW)
        second_commit = backend.commit(S, put=items("cd"), now=NOW)
        all_seqs = first_commit.seqs + second_commit.seqs
        assert all_seqs == sorted(set(all_seqs))
        assert all_seqs[0] > 0
        stored_records = read(backend, S).records
        assert [(record.id, record.seq) for record in stored_records] == list(
            zip("abcd", all_seqs, strict=True)
        )

    def test_seqs_increase_across_kinds(self, backend: Backend) -> None:
        commit = backend.commit(S, put=[item("a"), item("b", kind="file"), item("c")], now=NOW)
        assert commit.seqs == sorted(set(commit.seqs))

    def test_given_seq_and_time_do_not_order(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", seq=99, at=NOW + 5), item("b", seq=3, at=0.0)], now=NOW)
        assert ids(backend, S) == ["a", "b"]
        assert [record.at for record in read(backend, S).records] == [NOW + 5, 0.0]

    def test_put_of_existing_id_replaces_body_in_place(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("abc"), now=NOW)
        repeated_commit = backend.commit(
            S, put=[item("d"), item("b", '{"n":2}', at=NOW + 1)], now=NOW
        )
        assert repeated_commit.seqs[1] == first_commit.seqs[1]
        assert ids(backend, S) == ["a", "b", "c", "d"]
        assert read(backend, S, ids=["b"]).records == [
            item("b", '{"n":2}', at=NOW + 1, seq=first_commit.seqs[1])
        ]

    def test_replayed_commit_duplicates_nothing(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("ab"), now=NOW)
        repeated_commit = backend.commit(S, put=items("ab"), now=NOW)
        assert repeated_commit.seqs == first_commit.seqs
        assert ids(backend, S) == ["a", "b"]

    def test_duplicate_id_in_commit_keeps_last_body(self, backend: Backend) -> None:
        records = [item("a", "1"), item("b", "2"), item("a", "3")]
        commit = backend.commit(S, put=records, now=NOW)
        assert commit.seqs[0] == commit.seqs[2] != commit.seqs[1]
        assert {record.id: (record.body, record.seq) for record in read(backend, S).records} == {
            "a": ("3", commit.seqs[0]),
            "b": ("2", commit.seqs[1]),
        }

    def test_duplicate_existing_id_keeps_its_seq(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("ab"), now=NOW)
        repeated_commit = backend.commit(S, put=[item("a", "1"), item("a", "2")], now=NOW)
        assert repeated_commit.seqs == [first_commit.seqs[0]] * 2
        assert [record.body for record in read(backend, S).records] == ["2", item("b").body]

    def test_duplicate_id_of_expired_record_takes_first_place(self, backend: Backend) -> None:
        expired_record = item("a", "0", expires=NOW + 1)
        first_commit = backend.commit(S, put=[expired_record], now=NOW)
        records = [item("a", "1"), item("b", "2"), item("a", "3")]
        second_commit = backend.commit(S, put=records, now=NOW + 1)
        assert second_commit.seqs[0] == second_commit.seqs[2]
        assert first_commit.seqs[0] < second_commit.seqs[0] < second_commit.seqs[1]
        assert [(record.id, record.body) for record in read(backend, S, now=NOW + 1).records] == [
            ("a", "3"),
            ("b", "2"),
        ]

    def test_same_id_in_two_kinds(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", "1"), item("a", "2", kind="file")], now=NOW)
        assert [record.body for record in read(backend, S).records] == ["1"]
        assert [record.body for record in read(backend, S, "file").records] == ["2"]

    def test_same_id_in_two_streams(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", "1")], now=NOW)
        backend.commit(f"{S}2", put=[item("a", "2")], now=NOW)
        backend.commit(f"{S}2", drop=[Drop("item", ["a"])], now=NOW)
        assert [record.body for record in read(backend, S).records] == ["1"]

    def test_each_commit_increases_version(self, backend: Backend) -> None:
        versions = [backend.commit(S, put=items(record_id), now=NOW).version for record_id in "aba"]
        versions.append(backend.commit(S, drop=[Drop("item", ["a"])], now=NOW).version)
        assert versions == sorted(set(versions))
        assert versions[0] > 0
        assert read(backend, S).version == versions[-1]

    def test_drop_by_id_leaves_other_records(self, backend: Backend) -> None:
        backend.commit(S, put=[*items("abc"), item("b", kind="file")], now=NOW)
        backend.commit(S, drop=[Drop("item", ["b", "unknown"])], now=NOW)
        assert ids(backend, S) == ["a", "c"]
        assert ids(backend, S, "file") == ["b"]

    def test_drop_of_40000_ids(self, backend: Backend) -> None:
        backend.commit(S, put=items("abc"), now=NOW)
        unknown_ids = [f"unknown-{id_number}" for id_number in range(40_000)]
        backend.commit(S, drop=[Drop("item", ["a", *unknown_ids, "c"])], now=NOW)
        assert ids(backend, S) == ["b"]

    def test_drop_of_no_ids_drops_nothing(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.commit(S, drop=[Drop("item", [])], now=NOW)
        assert ids(backend, S) == ["a"]

    def test_drop_upto_is_inclusive(self, backend: Backend) -> None:
        seqs = backend.commit(S, put=[*items("abc"), item("f", kind="file")], now=NOW).seqs
        backend.commit(S, drop=[Drop("item", upto=seqs[1])], now=NOW)
        assert ids(backend, S) == ["c"]
        assert ids(backend, S, "file") == ["f"]

    def test_drop_by_kind_leaves_other_kinds(self, backend: Backend) -> None:
        backend.commit(S, put=[*items("ab"), item("f", kind="file")], now=NOW)
        backend.commit(S, drop=[Drop("item")], now=NOW)
        assert ids(backend, S) == []
        assert ids(backend, S, "file") == ["f"]

    def test_several_drops_in_one_commit(self, backend: Backend) -> None:
        seqs = backend.commit(S, put=[*items("abcd"), item("f", kind="file")], now=NOW).seqs
        drops = [Drop("item", upto=seqs[0]), Drop("item", ["d"]), Drop("file")]
        backend.commit(S, drop=drops, now=NOW)
        assert ids(backend, S) == ["b", "c"]
        assert ids(backend, S, "file") == []

    def test_drop_then_put_moves_record_to_end(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("abc"), now=NOW)
        moving_commit = backend.commit(S, drop=[Drop("item", ["a"])], put=items("a"), now=NOW)
        assert ids(backend, S) == ["b", "c", "a"]
        assert moving_commit.seqs[0] > first_commit.seqs[2]

    def test_drop_spares_puts_of_same_commit(self, backend: Backend) -> None:
        backend.commit(S, put=items("ab"), now=NOW)
        backend.commit(S, drop=[Drop("item")], put=items("bc"), now=NOW)
        assert ids(backend, S) == ["b", "c"]

    def test_seqs_are_never_reused(self, backend: Backend) -> None:
        seqs = backend.commit(S, put=items("abc"), now=NOW).seqs
        backend.commit(S, drop=[Drop("item", ["b", "c"])], now=NOW)
        seqs += backend.commit(S, put=items("d"), now=NOW).seqs
        backend.commit(S, drop=[Drop("item")], now=NOW)
        seqs += backend.commit(S, put=items("a"), now=NOW).seqs
        assert seqs == sorted(set(seqs))

    def test_stream_without_records_stays_alive(self, backend: Backend) -> None:
        version_before = backend.commit(S, put=items("a"), now=NOW).version
        version_after = backend.commit(S, drop=[Drop("item")], now=NOW).version
        assert version_after > version_before
        assert read(backend, S) == (version_after, [])

    def test_drop_of_stream_deletes_it(self, backend: Backend) -> None:
        backend.commit(S, put=[*items("ab"), item("f", kind="file")], now=NOW)
        assert backend.commit(S, drop=[Drop()], now=NOW) == (0, [])
        assert backend.read(Query(S, "item"), Query(S, "file"), now=NOW) == [(0, []), (0, [])]
        backend.commit(S, put=items("c"), now=NOW)
        assert ids(backend, S) == ["c"]

    def test_drop_of_stream_with_puts_starts_new_generation(self, backend: Backend) -> None:
        old_commit = backend.commit(S, put=[*items("ab"), item("f", kind="file")], now=NOW)
        new_commit = backend.commit(S, drop=[Drop()], put=items("b"), now=NOW)
        assert ids(backend, S) == ["b"]
        assert ids(backend, S, "file") == []
        assert new_commit.version not in (0, old_commit.version, old_commit.version + 1)
        assert read(backend, S).version == new_commit.version

    def test_drop_of_absent_stream_creates_nothing(self, backend: Backend) -> None:
        for drop in (Drop("item", ["a"]), Drop("item"), Drop("item", upto=5), Drop()):
            assert backend.commit(S, drop=[drop], ttl=60, now=NOW) == (0, [])
        assert read(backend, S) == (0, [])
        assert S not in backend.streams(S)[0]
