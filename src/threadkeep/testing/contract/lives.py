"""Promises about time: the life of a stream, the expiry of a record, versions of lives."""

# ruff: noqa: S101 (tests assert)

from __future__ import annotations

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.types import KEEP, Drop, Query

S = "test/session/lives"


class LivesContract:
    def test_a_stream_lives_its_ttl_and_not_a_moment_longer(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert ids(backend, S, now=NOW + 59.5) == ["a"]
        assert read(backend, S, now=NOW + 60) == (0, [])
        assert read(backend, S, ids=["a"], now=NOW + 60) == (0, [])

    def test_only_the_callers_clock_counts(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=10.0)
        assert ids(backend, S, now=69.0) == ["a"]
        backend.commit(f"{S}2", put=items("a"), ttl=60, now=NOW * 3)
        assert ids(backend, f"{S}2", now=NOW * 3 + 59) == ["a"]
        assert ids(backend, f"{S}2", now=NOW * 3 + 61) == []

    def test_each_commit_slides_the_life(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=60, now=NOW + 50)
        assert ids(backend, S, now=NOW + 100) == ["a", "b"]
        backend.commit(S, drop=[Drop("item", ["a"])], ttl=60, now=NOW + 100)
        assert ids(backend, S, now=NOW + 150) == ["b"]
        assert ids(backend, S, now=NOW + 160) == []

    def test_a_commit_may_shorten_the_life(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=600, now=NOW)
        backend.commit(S, put=items("b"), ttl=60, now=NOW)
        assert ids(backend, S, now=NOW + 60) == []

    def test_no_ttl_is_for_ever(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=None, now=NOW)
        assert ids(backend, S, now=NOW * 2) == ["a", "b"]

    def test_keep_leaves_the_life_as_it_is(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=KEEP, now=NOW + 50)
        backend.commit(S, drop=[Drop("item", ["a"])], ttl=KEEP, now=NOW + 55)
        assert ids(backend, S, now=NOW + 59) == ["b"]
        assert ids(backend, S, now=NOW + 60) == []

    def test_keep_leaves_for_ever_for_ever(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        backend.commit(S, put=items("b"), ttl=KEEP, now=NOW)
        backend.commit(S, ttl=KEEP, now=NOW)
        assert ids(backend, S, now=NOW * 2) == ["a", "b"]

    def test_keep_outlasts_a_drop_of_the_whole_stream(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, drop=[Drop()], put=items("b"), ttl=KEEP, now=NOW + 30)
        assert ids(backend, S, now=NOW + 59) == ["b"]
        assert ids(backend, S, now=NOW + 60) == []

    def test_keep_on_a_stream_that_is_not_there_begins_one_for_ever(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), ttl=KEEP, now=NOW + 60)
        assert ids(backend, S, now=NOW * 2) == ["b"]

    def test_a_touch_slides_the_life_and_keeps_the_version(self, backend: Backend) -> None:
        made = backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert backend.commit(S, ttl=60, now=NOW + 50) == (made.version, [])
        assert read(backend, S, now=NOW + 100).version == made.version
        assert ids(backend, S, now=NOW + 110) == []

    def test_a_touch_without_ttl_is_for_ever(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, ttl=None, now=NOW)
        assert ids(backend, S, now=NOW * 2) == ["a"]

    def test_a_touch_creates_nothing(self, backend: Backend) -> None:
        for ttl in (60, None, KEEP):
            assert backend.commit(S, ttl=ttl, now=NOW) == (0, [])
        assert read(backend, S) == (0, [])
        assert S not in backend.streams(S)[0]

    def test_a_touch_revives_nothing(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert backend.commit(S, ttl=600, now=NOW + 60) == (0, [])
        assert backend.commit(S, drop=[Drop("file")], ttl=600, now=NOW + 60) == (0, [])
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_nothing_comes_back_in_a_new_life(self, backend: Backend) -> None:
        old = backend.commit(S, put=[*items("abc"), item("f", kind="file")], ttl=60, now=NOW)
        new = backend.commit(S, put=items("xb"), ttl=60, now=NOW + 60)
        pages = backend.read(
            Query(S, "item"), Query(S, "file"), Query(S, "item", ids=["a", "b"]), now=NOW + 61
        )
        assert [[r.id for r in page.records] for page in pages] == [["x", "b"], [], ["b"]]
        assert new.seqs == sorted(set(new.seqs))
        assert new.version not in (old.version, old.version + 1)

    def test_each_life_begins_at_another_version(self, backend: Backend) -> None:
        versions = []
        for n in range(20):
            versions.append(backend.commit(S, put=items("a"), ttl=60, now=NOW + 60 * n).version)
            versions.append(backend.commit(f"{S}2", put=items("a"), now=NOW).version)
            backend.commit(f"{S}2", drop=[Drop()], now=NOW)
        assert len(set(versions)) == len(versions)
        assert all(0 < version < 2**53 for version in versions), "not exact as a double"

    def test_a_record_is_seen_until_it_expires(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        assert ids(backend, S, now=NOW + 59.5) == ["a", "b"]
        assert ids(backend, S, now=NOW + 60) == ["b"]
        assert ids(backend, S, ids=["a", "b"], now=NOW + 60) == ["b"]

    def test_a_record_does_not_outlive_its_stream(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", expires=NOW + 600)], ttl=60, now=NOW)
        assert ids(backend, S, now=NOW + 60) == []

    def test_what_expired_does_not_count_towards_a_limit(self, backend: Backend) -> None:
        dead = [item(f"dead-{n}", expires=NOW + 60) for n in range(5)]
        backend.commit(S, put=[item("a"), *dead[:3], item("b"), *dead[3:]], now=NOW)
        assert ids(backend, S, limit=2, newest=True, now=NOW + 60) == ["a", "b"]
        assert ids(backend, S, limit=2, now=NOW + 60) == ["a", "b"]

    def test_an_expired_id_put_again_takes_a_new_place(self, backend: Backend) -> None:
        first = backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        again = backend.commit(S, put=[item("a", "2")], now=NOW + 60)
        assert again.seqs[0] > first.seqs[1]
        assert [(r.id, r.body) for r in read(backend, S, now=NOW + 60).records] == [
            ("b", item("b").body),
            ("a", "2"),
        ]

    def test_the_expiry_of_a_record_can_be_changed(self, backend: Backend) -> None:
        first = backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        again = backend.commit(S, put=[item("a"), item("b", expires=NOW + 90)], now=NOW + 30)
        assert again.seqs == first.seqs
        assert ids(backend, S, now=NOW + 89) == ["a", "b"]
        assert ids(backend, S, now=NOW + 90) == ["a"]

    def test_a_record_that_is_expired_when_it_is_put_is_never_seen(self, backend: Backend) -> None:
        done = backend.commit(S, put=[item("a", expires=NOW), item("b")], now=NOW)
        assert len(done.seqs) == 2
        assert ids(backend, S) == ["b"]

    def test_dropping_what_expired_is_no_error(self, backend: Backend) -> None:
        backend.commit(S, put=[item("a", expires=NOW + 60), item("b")], now=NOW)
        backend.commit(S, drop=[Drop("item", ["a"])], now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["b"]
