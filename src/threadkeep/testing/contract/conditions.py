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
    with pytest.raises(Conflict) as conflict_info:
        backend.commit(S, **{"now": NOW, **commit})  # type: ignore[arg-type]
    assert conflict_info.value.current == current


class ConditionsContract:
    def test_expect_zero_creates_stream(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("a"), expect=0, now=NOW)
        assert read(backend, S) == (first_commit.version, [item("a", seq=first_commit.seqs[0])])

    def test_expect_zero_conflicts_with_live_stream(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("a"), now=NOW)
        assert_conflict(backend, first_commit.version, put=items("b"), expect=0)
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
        current_version = read(backend, S).version
        next_commit = backend.commit(
            S, put=items("b"), drop=[Drop("item", ["a"])], expect=current_version, now=NOW
        )
        assert next_commit.version > current_version
        assert ids(backend, S) == ["b"]

    def test_expect_stale_version_conflicts(self, backend: Backend) -> None:
        stale_version = backend.commit(S, put=items("a"), now=NOW).version
        current_version = backend.commit(S, put=items("b"), now=NOW).version
        for wrong_version in (stale_version, current_version + 1, 1):
            assert_conflict(backend, current_version, put=items("c"), expect=wrong_version)

    def test_conflict_writes_nothing(self, backend: Backend) -> None:
        first_commit = backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        page_before = read(backend, S)
        conflicting_records = [item("a", "2"), item("c")]
        assert_conflict(
            backend,
            first_commit.version,
            put=conflicting_records,
            drop=[Drop()],
            ttl=None,
            expect=first_commit.version - 1,
        )
        assert_conflict(backend, first_commit.version, ttl=600, expect=first_commit.version - 1)
        assert read(backend, S) == page_before
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_expect_version_of_absent_stream_conflicts(self, backend: Backend) -> None:
        assert_conflict(backend, 0, put=items("a"), expect=7)
        first_commit = backend.commit(S, put=items("a"), ttl=60, now=NOW)
        assert_conflict(backend, 0, put=items("b"), expect=first_commit.version, now=NOW + 60)
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_stale_version_never_matches_new_generation(self, backend: Backend) -> None:
        stale_versions = [
            backend.commit(S, put=items(record_id), now=NOW).version for record_id in "abc"
        ]
        backend.commit(S, drop=[Drop()], now=NOW)
        for record_id in "abc":
            current_version = backend.commit(S, put=items(record_id), now=NOW).version
            for stale_version in stale_versions:
                assert_conflict(backend, current_version, put=items("x"), expect=stale_version)

    def test_generation_matches_only_its_own_stream(self, backend: Backend) -> None:
        generation = Generation(backend.commit(S, put=items("a"), now=NOW).version)
        backend.commit(S, put=items("b"), expect=generation, token="t-1", now=NOW)
        assert ids(backend, S) == ["a", "b"]
        backend.commit(S, drop=[Drop()], now=NOW)
        assert_conflict(backend, 0, put=items("c"), expect=generation)
        new_version = backend.commit(S, put=items("d"), ttl=60, now=NOW).version
        assert_conflict(backend, new_version, put=items("c"), expect=generation)
        assert_conflict(backend, 0, put=items("c"), expect=Generation(new_version), now=NOW + 60)
        assert ids(backend, S) == ["d"]

    def test_touch_and_drop_can_be_conditional(self, backend: Backend) -> None:
        assert backend.commit(S, ttl=60, expect=0, now=NOW) == (0, [])
        first_commit = backend.commit(S, put=items("a"), now=NOW)
        assert backend.commit(S, ttl=60, expect=first_commit.version, now=NOW) == (
            first_commit.version,
            [],
        )
        assert_conflict(
            backend, first_commit.version, drop=[Drop()], expect=first_commit.version + 1
        )
        assert backend.commit(S, drop=[Drop()], expect=first_commit.version, now=NOW) == (0, [])

    def test_token_returns_first_result_on_repeat(self, backend: Backend) -> None:
        current_version = backend.commit(S, put=items("ab"), now=NOW).version
        commit_arguments = {
            "put": items("a"),
            "drop": [Drop("item", ["a"])],
            "expect": current_version,
            "token": "t-1",
        }
        token_commit = backend.commit(S, **commit_arguments, now=NOW)  # type: ignore[arg-type]
        assert backend.commit(S, **commit_arguments, now=NOW) == token_commit  # type: ignore[arg-type]
        assert read(backend, S).version == token_commit.version
        assert ids(backend, S) == ["b", "a"]

    def test_token_repeats_creation(self, backend: Backend) -> None:
        token_commit = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        repeated_commit = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        assert repeated_commit == token_commit

    def test_token_repeats_after_other_commits(self, backend: Backend) -> None:
        expected_version = backend.commit(S, put=items("a"), now=NOW).version
        token_commit = backend.commit(
            S, put=items("b"), expect=expected_version, token="t-1", now=NOW
        )
        other_commit = backend.commit(S, put=items("c"), now=NOW)
        repeated_commit = backend.commit(
            S, put=items("b"), expect=expected_version, token="t-1", now=NOW
        )
        assert repeated_commit == token_commit
        assert read(backend, S).version == other_commit.version
        assert ids(backend, S) == ["a", "b", "c"]

    def test_token_repeats_commit_without_puts(self, backend: Backend) -> None:
        expected_version = backend.commit(S, put=items("ab"), now=NOW).version
        drops = [Drop("item", ["a"])]
        token_commit = backend.commit(S, drop=drops, expect=expected_version, token="t-1", now=NOW)
        repeated_commit = backend.commit(
            S, drop=drops, expect=expected_version, token="t-1", now=NOW
        )
        assert repeated_commit == token_commit == (read(backend, S).version, [])

    def test_token_repeats_commit_in_its_generation(self, backend: Backend) -> None:
        generation = Generation(backend.commit(S, put=items("a"), now=NOW).version)
        token_commit = backend.commit(S, put=items("b"), expect=generation, token="t-1", now=NOW)
        repeated_commit = backend.commit(S, put=items("b"), expect=generation, token="t-1", now=NOW)
        assert repeated_commit == token_commit
        assert read(backend, S).version == token_commit.version

    def test_other_token_conflicts(self, backend: Backend) -> None:
        token_commit = backend.commit(S, put=items("a"), expect=0, token="t-1", now=NOW)
        assert_conflict(backend, token_commit.version, put=items("a"), expect=0, token="t-2")
        assert_conflict(backend, token_commit.version, put=items("a"), expect=0)

    def test_token_of_conflict_is_not_stored(self, backend: Backend) -> None:
        current_version = backend.commit(S, put=items("a"), now=NOW).version
        assert_conflict(backend, current_version, put=items("b"), expect=0, token="t-1")
        backend.commit(S, put=items("b"), expect=current_version, token="t-1", now=NOW)
        assert ids(backend, S) == ["a", "b"]

    def test_token_expires_with_its_stream(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, expect=0, token="t-1", now=NOW)
        expiry_time = NOW + 60
        backend.commit(S, put=items("b"), expect=0, token="t-1", now=expiry_time)
        assert ids(backend, S, now=expiry_time) == ["b"]
        backend.commit(S, drop=[Drop()], now=expiry_time)
        backend.commit(S, put=items("c"), expect=0, token="t-1", now=expiry_time)
        assert ids(backend, S, now=expiry_time) == ["c"]

    def test_concurrent_creation_has_one_winner(self, backend: Backend) -> None:
        def create(n: int) -> int:
            try:
                return backend.commit(S, put=[item(f"{n}")], expect=0, now=NOW).version
            except Conflict as conflict:
                return -conflict.current

        signed_versions = run_in_threads(*(partial(create, n) for n in range(8)))
        (winner_version,) = (version for version in signed_versions if version > 0)
        assert sorted(signed_versions) == [-winner_version] * 7 + [winner_version]
        assert len(ids(backend, S)) == 1

    def test_compare_and_set_counter_is_exact(self, backend: Backend) -> None:
        run_in_threads(*[lambda: increment(backend, S, 10, NOW)] * 8)
        assert [record.body for record in read(backend, S).records] == ["80"]
