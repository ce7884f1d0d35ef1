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
        names = [f"id-{n:04}" for n in range(1000)]
        committed = backend.commit(S, put=items(names), now=NOW)
        assert committed.seqs == sorted(set(committed.seqs))
        assert [(r.id, r.seq) for r in read(backend, S).records] == list(
            zip(names, committed.seqs, strict=True)
        )
        assert ids(backend, S, limit=3, newest=True) == names[-3:]

    def test_thousand_existing_and_new_records_mixed(self, backend: Backend) -> None:
        names = [f"id-{n:04}" for n in range(1000)]
        old = backend.commit(S, put=items(names[::2]), now=NOW)
        new = backend.commit(S, put=[item(name, "2") for name in names], now=NOW)
        assert new.seqs[::2] == old.seqs
        assert ids(backend, S) == names[::2] + names[1::2]
        assert {record.body for record in read(backend, S).records} == {"2"}

    def test_any_id_roundtrips(self, backend: Backend) -> None:
        for name in HOSTILE:
            backend.commit(S, put=[item(name, "1"), item("other", "2")], now=NOW)
            backend.commit(S, put=[item(name, "3")], now=NOW)
            assert [(r.id, r.body) for r in read(backend, S, ids=[name]).records] == [(name, "3")]
            backend.commit(S, drop=[Drop("item", [name])], now=NOW)
            assert ids(backend, S) == ["other"], name

    def test_similar_ids_stay_distinct(self, backend: Backend) -> None:
        backend.commit(S, put=items(HOSTILE), now=NOW)
        assert ids(backend, S) == list(HOSTILE)
        assert ids(backend, S, ids=HOSTILE) == list(HOSTILE)

    def test_any_stream_name_roundtrips(self, backend: Backend) -> None:
        for name in HOSTILE:
            stream = ("t/" + name).encode()[:512].decode(errors="ignore")
            created = backend.commit(stream, put=items("a"), ttl=60, expect=0, now=NOW)
            assert read(backend, stream).version == created.version
            assert list_streams(backend, "t/") == [stream]
            assert backend.commit(stream, drop=[Drop()], expect=created.version, now=NOW) == (0, [])
            assert list_streams(backend, "t/") == []

    def test_similar_stream_names_stay_distinct(self, backend: Backend) -> None:
        streams = ["t/" + name for name in HOSTILE if len(name.encode()) < 500]
        for n, stream in enumerate(streams):
            backend.commit(stream, put=[item("n", str(n))], now=NOW)
        bodies = [read(backend, stream).records[0].body for stream in streams]
        assert bodies == [str(n) for n in range(len(streams))]
        assert sorted(list_streams(backend, "t/")) == sorted(streams)

    def test_kinds_of_any_length(self, backend: Backend) -> None:
        kinds = ("a", "_", "item", "items", "z" * 32)
        backend.commit(S, put=[item("x", f'"{kind}"', kind=kind) for kind in kinds], now=NOW)
        for kind in kinds:
            assert [r.body for r in read(backend, S, kind).records] == [f'"{kind}"']
        backend.commit(S, drop=[Drop("item")], now=NOW)
        assert ids(backend, S, "items") == ["x"]

    @pytest.mark.parametrize("body", [BODY, "{}", '""', "null", "[" * 500 + "]" * 500, " {} "])
    def test_body_roundtrips_exactly(self, backend: Backend, body: str) -> None:
        backend.commit(S, put=[item("a", body)], now=NOW)
        assert read(backend, S).records[0].body == body

    def test_body_of_one_megabyte(self, backend: Backend) -> None:
        body = '"' + "naïve 🙂 " * 90_000 + '"'
        assert len(body.encode()) > 2**20
        backend.commit(S, put=[item("a", body), item("b")], now=NOW)
        assert read(backend, S, ids=["a"]).records[0].body == body
        backend.commit(S, put=[item("a", "{}")], now=NOW)
        assert [record.body for record in read(backend, S).records] == ["{}", item("b").body]

    def test_commit_of_four_megabytes(self, backend: Backend) -> None:
        bodies = [f'"{n}{"x" * 8_370}"' for n in range(500)]
        assert 4 * 2**20 - 10_000 < sum(map(len, bodies)) <= 4 * 2**20
        backend.commit(S, put=[item(f"{n}", body) for n, body in enumerate(bodies)], now=NOW)
        assert [record.body for record in read(backend, S).records] == bodies

    def test_times_keep_microseconds(self, backend: Backend) -> None:
        at, expires = 1_699_999_999.123456, 1_700_000_111.654321
        backend.commit(S, put=[item("a", at=at, expires=expires)], now=NOW)
        (record,) = read(backend, S).records
        assert record.at == pytest.approx(at, abs=1e-6)
        assert record.expires == pytest.approx(expires, abs=1e-6)
