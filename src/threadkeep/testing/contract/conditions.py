"""Promises about conditional commits: compare-and-set, and tokens that make retries safe."""

# ruff: noqa: S101, S106 (tests assert; a token is no password)

from __future__ import annotations

from functools import partial

import pytest

from threadkeep.errors import Conflict
from threadkeep.protocols import Backend
from threadkeep.testing.concurrency import increment, run_in_threads
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.types import Drop
from threadkeep.types.versions import Generation

S = "test/session/conditions"


def assert_conflict(backend: Backend, current: int, **commit: object) -> None:
    """Assert that the commit raises a Conflict with the current version."""
    with pytest.raises(Conflict) as raised:
        backend.commit(S, **{"now": NOW, **commit})  # type: ignore[arg-type]
    assert raised.value.current == current


class ConditionsContract:
    def test_expect_zero_creates_stream(self, backend: Backend) -> None:
        created = backend.commit(S, put=items("a"), expect=0, now=NOW)
        assert read(backend, S) == (created.version, [item("a", seq=created.seqs[0])])

    def test_expect_zero_conflicts_with_live_stream(self, backend: Backend) -> None:
        created = backend.commit(S, put=items("a"), now=NOW)
        assert_conflict(backend, created.version, put=items("b"), expect=0)
        assert ids(backend, S) == ["a"]

    def test_expect_zero_after_expiry_and_deletion(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), expect=0, now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["b"]
        backend.commit(S, drop=[Drop()], now=NOW + 60)
        backend.commit(S, put=items("c"), expect=0, now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["c"]

    def test_expect_current_version_commits(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        version = read(backend, S).version
        created = backend.commit(
            S, put=items("b"), drop=[Drop("item", ["a"])], expect=version, now=NOW
        )
        assert created.version > version
        assert ids(backend, S) == ["b"]

    def test_expect_stale_version_conflicts(self, backend: Backend) -> None:
        old = backend.commit(S, put=items("a"), now=NOW).version
        new = backend.commit(S, put=items("b"), now=NOW).version
        for wrong in (old, new + 1, 1):
            assert_conflict(backend, new, put=items("c"), expect=wrong)

    def test_conflict_writes_nothing(self, backend: Backend) -> None:
        created = backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        before = read(backend, S)
        put = [item("a", "2"), item("c")]
        assert_conflict(
            backend, created.version, put=put, drop=[Drop()], ttl=None, expect=created.version - 1
        )
        assert_conflict(backend, created.version, ttl=600, expect=created.version - 1)
        assert read(backend, S) == before
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_expect_version_of_absent_stream_conflicts(self, backend: Backend) -> None:
        assert_conflict(backend, 0, put=items("a"), expect=7)
        created = backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert_conflict(backend, 0, put=items("b"), expect=created.version, now=NOW + 60)
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_stale_version_never_matches_new_generation(self, backend: Backend) -> None:
        old = [backend.commit(S, put=items(id), now=NOW).version for id in "abc"]
        backend.commit(S, drop=[Drop()], now=NOW)
        for id in "abc":
            new = backend.commit(S, put=items(id), now=NOW).version
            for version in old:
                assert_conflict(backend, new, put=items("x"), expect=version)

    def test_generation_matches_only_its_own_stream(self, backend: Backend) -> None:
        generation = Generation(backend.commit(S, put=items("a"), now=NOW).version)
        backend.commit(S, put=items("b"), expect=generation, token="t-1", now=NOW)
        assert ids(backend, S) == ["a", "b"]
        backend.commit(S, drop=[Drop()], now=NOW)
        assert_conflict(backend, 0, put=items("c"), expect=generation)
        new = backend.commit(S, put=items("d"), ttl=60, now=NOW).version
        assert_conflict(backend, new, put=items("c"), expect=generation)
        assert_conflict(backend, 0, put=items("c"), expect=Generation(new), now=NOW + 60)
        assert ids(backend, S) == ["d"]

    def test_touch_and_drop_can_be_conditional(self, backend: Backend) -> None:
        assert backend.commit(S, ttl=60, expect=0, now=NOW) == (0, [])
        created = backend.commit(S, put=items("a"), now=NOW)
        assert backend.commit(S, ttl=60, expect=created.version, now=NOW) == (created.version, [])
        assert_conflict(backend, created.version, drop=[Drop()], expect=created.version + 1)
        assert backend.commit(S, drop=[Drop()], expect=created.version, now=NOW) == (0, [])

    def test_token_returns_first_result_on_repeat(self, backend: Backend) -> None:
        version = backend.commit(S, put=items("ab"), now=NOW).version
        arguments = {
            "put": items("a"),
            "drop": [Drop("item", ["a"])],
            "expect": version,
            "token": "t-1",
        }
        first = backend.commit(S, **arguments, now=NOW)  # type: ignore[arg-type]
        assert backend.commit(S, **arguments, now=NOW) == first  # type: ignore[arg-type]
        assert read(backend, S).version == first.version
        assert ids(backend, S) == ["b", "a"]

    def test_token_repeats_creation(self, backend: Backend) -> None:
        first = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        repeated = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        assert repeated == first

    def test_token_repeats_after_other_commits(self, backend: Backend) -> None:
        version = backend.commit(S, put=items("a"), now=NOW).version
        first = backend.commit(S, put=items("b"), expect=version, token="t-1", now=NOW)
        other = backend.commit(S, put=items("c"), now=NOW)
        repeated = backend.commit(S, put=items("b"), expect=version, token="t-1", now=NOW)
        assert repeated == first
        assert read(backend, S).version == other.version
        assert ids(backend, S) == ["a", "b", "c"]

    def test_token_repeats_commit_without_puts(self, backend: Backend) -> None:
        version = backend.commit(S, put=items("ab"), now=NOW).version
        drop = [Drop("item", ["a"])]
        first = backend.commit(S, drop=drop, expect=version, token="t-1", now=NOW)
        repeated = backend.commit(S, drop=drop, expect=version, token="t-1", now=NOW)
        assert repeated == first == (read(backend, S).version, [])

    def test_token_repeats_commit_in_its_generation(self, backend: Backend) -> None:
        generation = Generation(backend.commit(S, put=items("a"), now=NOW).version)
        first = backend.commit(S, put=items("b"), expect=generation, token="t-1", now=NOW)
        repeated = backend.commit(S, put=items("b"), expect=generation, token="t-1", now=NOW)
        assert repeated == first
        assert read(backend, S).version == first.version

    def test_other_token_conflicts(self, backend: Backend) -> None:
        first = backend.commit(S, put=items("a"), expect=0, token="t-1", now=NOW)
        assert_conflict(backend, first.version, put=items("a"), expect=0, token="t-2")
        assert_conflict(backend, first.version, put=items("a"), expect=0)

    def test_token_of_conflict_is_not_stored(self, backend: Backend) -> None:
        version = backend.commit(S, put=items("a"), now=NOW).version
        assert_conflict(backend, version, put=items("b"), expect=0, token="t-1")
        backend.commit(S, put=items("b"), expect=version, token="t-1", now=NOW)
        assert ids(backend, S) == ["a", "b"]

    def test_token_expires_with_its_stream(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, expect=0, token="t-1", now=NOW)
        later = NOW + 60
        backend.commit(S, put=items("b"), expect=0, token="t-1", now=later)
        assert ids(backend, S, now=later) == ["b"]
        backend.commit(S, drop=[Drop()], now=later)
        backend.commit(S, put=items("c"), expect=0, token="t-1", now=later)
        assert ids(backend, S, now=later) == ["c"]

    def test_concurrent_creation_has_one_winner(self, backend: Backend) -> None:
        def create(n: int) -> int:
            try:
                return backend.commit(S, put=[item(f"{n}")], expect=0, now=NOW).version
            except Conflict as conflict:
                return -conflict.current

        versions = run_in_threads(*(partial(create, n) for n in range(8)))
        (winner,) = (version for version in versions if version > 0)
        assert sorted(versions) == [-winner] * 7 + [winner]
        assert len(ids(backend, S)) == 1

    def test_compare_and_set_counter_is_exact(self, backend: Backend) -> None:
        run_in_threads(*[lambda: increment(backend, S, 10, NOW)] * 8)
        assert [record.body for record in read(backend, S).records] == ["80"]
