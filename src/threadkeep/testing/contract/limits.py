"""Promises about sizes and characters that a backend must accept and return unchanged."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

import pytest

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import HOSTILE, NOW, ids, item, items, list_streams, read
from threadkeep.types import Drop

S = "test/session/limits"
BODY = '{"text":"naïve \\u0000 🙂 שלום \u2028 it\'s \\"100%\\" %s {x} $set \\\\ \\n"}'


class LimitsContract:
    def test_thousand_records_in_one_commit(self, backend: Backend) -> None:
        record_ids = [f"id-{id_number:04}" for id_number in range(1000)]
        commit = backend.commit(S, put=items(record_ids), now=NOW)
        assert commit.seqs == sorted(set(commit.seqs))
        assert [(record.id, record.seq) for record in read(backend, S).records] == list(
            zip(record_ids, commit.seqs, strict=True)
        )
        assert ids(backend, S, limit=3, newest=True) == record_ids[-3:]

    def test_thousand_existing_and_new_records_mixed(self, backend: Backend) -> None:
        record_ids = [f"id-{id_number:04}" for id_number in range(1000)]
        old_commit = backend.commit(S, put=items(record_ids[::2]), now=NOW)
        new_commit = backend.commit(
            S, put=[item(record_id, "2") for record_id in record_ids], now=NOW
        )
        assert new_commit.seqs[::2] == old_commit.seqs
        assert ids(backend, S) == record_ids[::2] + record_ids[1::2]
        assert {record.body for record in read(backend, S).records} == {"2"}

    def test_any_id_roundtrips(self, backend: Backend) -> None:
        for record_id in HOSTILE:
            backend.commit(S, put=[item(record_id, "1"), item("other", "2")], now=NOW)
            backend.commit(S, put=[item(record_id, "3")], now=NOW)
            assert [
                (record.id, record.body) for record in read(backend, S, ids=[record_id]).records
            ] == [(record_id, "3")]
            backend.commit(S, drop=[Drop("item", [record_id])], now=NOW)
            assert ids(backend, S) == ["other"], record_id

    def test_similar_ids_stay_distinct(self, backend: Backend) -> None:
        backend.commit(S, put=items(HOSTILE), now=NOW)
        assert ids(backend, S) == list(HOSTILE)
        assert ids(backend, S, ids=HOSTILE) == list(HOSTILE)

    def test_any_stream_name_roundtrips(self, backend: Backend) -> None:
        for hostile_name in HOSTILE:
            stream_name = ("t/" + hostile_name).encode()[:512].decode(errors="ignore")
            commit = backend.commit(stream_name, put=items("a"), ttl=60, expect=0, now=NOW)
            assert read(backend, stream_name).version == commit.version
            assert list_streams(backend, "t/") == [stream_name]
            assert backend.commit(stream_name, drop=[Drop()], expect=commit.version, now=NOW) == (
                0,
                [],
            )
            assert list_streams(backend, "t/") == []

    def test_similar_stream_names_stay_distinct(self, backend: Backend) -> None:
        stream_names = ["t/" + name for name in HOSTILE if len(name.encode()) < 500]
        for stream_number, stream_name in enumerate(stream_names):
            backend.commit(stream_name, put=[item("n", str(stream_number))], now=NOW)
        bodies = [read(backend, stream_name).records[0].body for stream_name in stream_names]
        assert bodies == [str(stream_number) for stream_number in range(len(stream_names))]
        assert sorted(list_streams(backend, "t/")) == sorted(stream_names)

    def test_kinds_of_any_length(self, backend: Backend) -> None:
        kinds = ("a", "_", "item", "items", "z" * 32)
        backend.commit(S, put=[item("x", f'"{kind}"', kind=kind) for kind in kinds], now=NOW)
        for kind in kinds:
            assert [record.body for record in read(backend, S, kind).records] == [f'"{kind}"']
        backend.commit(S, drop=[Drop("item")], now=NOW)
        assert ids(backend, S, "items") == ["x"]

    @pytest.mark.parametrize("body", [BODY, "{}", '""', "null", "[" * 500 + "]" * 500, " {} "])
    def test_body_roundtrips_exactly(self, backend: Backend, body: str) -> None:
        backend.commit(S, put=[item("a", body)], now=NOW)
        assert read(backend, S).records[0].body == body

    def test_body_of_one_megabyte(self, backend: Backend) -> None:
        large_body = '"' + "naïve 🙂 " * 90_000 + '"'
        assert len(large_body.encode()) > 2**20
        backend.commit(S, put=[item("a", large_body), item("b")], now=NOW)
        assert read(backend, S, ids=["a"]).records[0].body == large_body
        backend.commit(S, put=[item("a", "{}")], now=NOW)
        assert [record.body for record in read(backend, S).records] == ["{}", item("b").body]

    def test_commit_of_four_megabytes(self, backend: Backend) -> None:
        record_bodies = [f'"{record_number}{"x" * 8_370}"' for record_number in range(500)]
        assert 4 * 2**20 - 10_000 < sum(map(len, record_bodies)) <= 4 * 2**20
        backend.commit(
            S,
            put=[item(f"{number}", body) for number, body in enumerate(record_bodies)],
            now=NOW,
        )
        assert [record.body for record in read(backend, S).records] == record_bodies

    def test_times_keep_microseconds(self, backend: Backend) -> None:
        written_at, expiry = 1_699_999_999.123456, 1_700_000_111.654321
        backend.commit(S, put=[item("a", at=written_at, expires=expiry)], now=NOW)
        (record,) = read(backend, S).records
        assert record.at == pytest.approx(written_at, abs=1e-6)
        assert record.expires == pytest.approx(expiry, abs=1e-6)
