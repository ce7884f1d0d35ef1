"""Promises about time: expiry of streams and records, versions of generations."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.types import KEEP, Drop, Query

S = "test/session/expiry"


class ExpiryContract:
    def test_stream_expires_exactly_at_ttl(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert ids(backend, S, now=NOW + 59.5) == ["a"]
        assert read(backend, S, now=NOW + 60) == (0, [])
        assert read(backend, S, ids=["a"], now=NOW + 60) == (0, [])

    def test_expiry_uses_callers_clock(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=10.0)
        assert ids(backend, S, now=69.0) == ["a"]
        backend.commit(f"{S}2", put=items("a"), ttl=60, now=NOW * 3)
        assert ids(backend, f"{S}2", now=NOW * 3 + 59) == ["a"]
        assert ids(backend, f"{S}2", now=NOW * 3 + 61) == []

    def test_commit_extends_ttl(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=60, now=NOW + 50)
        assert ids(backend, S, now=NOW + 100) == ["a", "b"]
        backend.commit(S, drop=[Drop("item", ["a"])], ttl=60, now=NOW + 100)
        assert ids(backend, S, now=NOW + 150) == ["b"]
        assert ids(backend, S, now=NOW + 160) == []

    def test_commit_can_shorten_ttl(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=600, now=NOW)
        backend.commit(S, put=items("b"), ttl=60, now=NOW)
        assert ids(backend, S, now=NOW + 60) == []

    def test_same_ttl_never_shortens_life(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("a"), ttl=600, now=NOW)
        slow_clock_time = NOW - 500  # the clock of another process
        second_commit = backend.commit(S, put=items("b"), ttl=600, now=slow_clock_time)
        backend.commit(
            S,
            put=items("c"),
            ttl=600,
            expect=second_commit.version,
            token="again",  # noqa: S106 (no secret)
            now=slow_clock_time,
        )
        backend.commit(S, drop=[Drop("item", ["a"])], ttl=600, now=slow_clock_time)
        backend.commit(S, ttl=600, now=slow_clock_time)
        assert ids(backend, S, now=NOW + 599) == ["b", "c"]
        assert read(backend, S, now=NOW + 600) == (0, [])
        assert second_commit.version > first_commit.version

    def test_another_ttl_counts_from_now(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=600, now=NOW)
        backend.commit(S, ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=60, now=NOW - 30)
        assert ids(backend, S, now=NOW + 59) == ["a", "b"]
        backend.commit(S, put=items("c"), ttl=50, now=NOW)
        backend.commit(S, put=items("d"), ttl=KEEP, now=NOW)
        backend.commit(S, put=items("e"), ttl=50, now=NOW - 40)
        assert ids(backend, S, now=NOW + 49) == ["a", "b", "c", "d", "e"]
        assert ids(backend, S, now=NOW + 50) == []

    def test_fast_clock_without_put_leaves_stream(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        for drops in ([], [Drop("item")], [Drop("item", ["a"])], [Drop()]):
            assert backend.commit(S, drop=drops, ttl=60, now=NOW + 9_000) == (0, [])
        assert ids(backend, S, now=NOW + 59) == ["a"]

    def test_ttl_survives_replacement_of_stream(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=600, now=NOW)
        backend.commit(S, drop=[Drop()], put=items("b"), ttl=KEEP, now=NOW)
        backend.commit(S, drop=[Drop()], put=items("c"), ttl=600, now=NOW - 500)
        assert ids(backend, S, now=NOW + 599) == ["c"]

    def test_ttl_none_never_expires(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=None, now=NOW)
        assert ids(backend, S, now=NOW * 2) == ["a", "b"]

    def test_keep_preserves_expiry(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=KEEP, now=NOW + 50)
        backend.commit(S, drop=[Drop("item", ["a"])], ttl=KEEP, now=NOW + 55)
        assert ids(backend, S, now=NOW + 59) == ["b"]
        assert ids(backend, S, now=NOW + 60) == []

    def test_keep_preserves_no_expiry(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.commit(S, put=items("b"), ttl=KEEP, now=NOW)
        backend.commit(S, ttl=KEEP, now=NOW)
        assert ids(backend, S, now=NOW * 2) == ["a", "b"]

    def test_keep_preserves_expiry_through_stream_drop(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, drop=[Drop()], put=items("b"), ttl=KEEP, now=NOW + 30)
        assert ids(backend, S, now=NOW + 59) == ["b"]
        assert ids(backend, S, now=NOW + 60) == []

    def test_keep_on_absent_stream_never_expires(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=KEEP, now=NOW + 60)
        assert ids(backend, S, now=NOW * 2) == ["b"]

    def test_touch_extends_ttl_and_keeps_version(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert backend.commit(S, ttl=60, now=NOW + 50) == (first_commit.version, [])
        assert read(backend, S, now=NOW + 100).version == first_commit.version
        assert ids(backend, S, now=NOW + 110) == []

    def test_touch_with_ttl_none_never_expires(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, ttl=None, now=NOW)
        assert ids(backend, S, now=NOW * 2) == ["a"]

    def test_touch_creates_nothing(self, backend: Backend) -> None:
        for ttl in (60, None, KEEP):
            assert backend.commit(S, ttl=ttl, now=NOW) == (0, [])
        assert read(backend, S) == (0, [])
        assert S not in backend.streams(S)[0]

    def test_touch_does_not_revive_expired_stream(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert backend.commit(S, ttl=600, now=NOW + 60) == (0, [])
        assert backend.commit(S, drop=[Drop("file")], ttl=600, now=NOW + 60) == (0, [])
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_new_generation_starts_empty(self, backend: Backend) -> None:
        old_commit = backend.commit(S, put=[*items("abc"), item("f", kind="file")], ttl=60, now=NOW)
        new_commit = backend.commit(S, put=items("xb"), ttl=60, now=NOW + 60)
        pages = backend.read(
            Query(S, "item"), Query(S, "file"), Query(S, "item", ids=["a", "b"]), now=NOW + 61
        )
        assert [[record.id for record in page.records] for page in pages] == [["x", "b"], [], ["b"]]
        assert new_commit.seqs == sorted(set(new_commit.seqs))
        assert new_commit.version not in (old_commit.version, old_commit.version + 1)

    def test_generations_start_at_distinct_versions(self, backend: Backend) -> None:
        first_versions = []
        for generation_number in range(20):
            first_versions.append(
                backend.commit(S, put=items("a"), ttl=60, now=NOW + 60 * generation_number).version
            )
            first_versions.append(backend.commit(f"{S}2", put=items("a"), now=NOW).version)
            backend.commit(f"{S}2", drop=[Drop()], now=NOW)
        assert len(set(first_versions)) == len(first_versions)
        assert all(0 < first_version < 2**53 for first_version in first_versions), (
            "not exact as a double"
        )

    def test_record_is_visible_until_it_expires(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        assert ids(backend, S, now=NOW + 59.5) == ["a", "b"]
        assert ids(backend, S, now=NOW + 60) == ["b"]
        assert ids(backend, S, ids=["a", "b"], now=NOW + 60) == ["b"]

    def test_record_expires_with_its_stream(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", expires=NOW + 600)], ttl=60, now=NOW)
        assert ids(backend, S, now=NOW + 60) == []

    def test_expired_records_do_not_count_towards_limit(self, backend: Backend) -> None:
        expired_records = [item(f"dead-{id_number}", expires=NOW + 60) for id_number in range(5)]
        backend.commit(
            S, put=[item("a"), *expired_records[:3], item("b"), *expired_records[3:]], now=NOW
        )
        assert ids(backend, S, limit=2, newest=True, now=NOW + 60) == ["a", "b"]
        assert ids(backend, S, limit=2, now=NOW + 60) == ["a", "b"]

    def test_put_of_expired_id_gets_new_seq(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        repeated_commit = backend.commit(S, put=[item("a", "2")], now=NOW + 60)
        assert repeated_commit.seqs[0] > first_commit.seqs[1]
        assert [(record.id, record.body) for record in read(backend, S, now=NOW + 60).records] == [
            ("b", item("b").body),
            ("a", "2"),
        ]

    def test_put_changes_record_expiry(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        repeated_commit = backend.commit(
            S, put=[item("a"), item("b", expires=NOW + 90)], now=NOW + 30
        )
        assert repeated_commit.seqs == first_commit.seqs
        assert ids(backend, S, now=NOW + 89) == ["a", "b"]
        assert ids(backend, S, now=NOW + 90) == ["a"]

    def test_record_put_expired_is_never_visible(self, backend: Backend) -> None:
        commit = backend.commit(S, put=[item("a", expires=NOW), item("b")], now=NOW)
        assert len(commit.seqs) == 2
        assert ids(backend, S) == ["b"]

    def test_drop_of_expired_record_succeeds(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        backend.commit(S, drop=[Drop("item", ["a"])], now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["b"]
