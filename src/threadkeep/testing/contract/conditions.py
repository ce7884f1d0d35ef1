"""Promises about conditional commits: compare-and-set, and tokens that make a repeat safe."""

# ruff: noqa: S101, S106 (tests assert; a token is no password)

from __future__ import annotations

from functools import partial

import pytest

from threadkeep.errors import Conflict
from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import NOW, ids, item, items, read
from threadkeep.testing.crowd import count_up, together
from threadkeep.types import Drop
from threadkeep.types.versions import Generation

S = "test/session/conditions"


def refused(backend: Backend, current: int, **commit: object) -> None:
    """The commit meets a Conflict that names the version found."""
    with pytest.raises(Conflict) as caught:
        backend.commit(S, **{"now": NOW, **commit})  # type: ignore[arg-type]
    assert caught.value.current == current


class ConditionsContract:
    def test_expect_nothing_creates(self, backend: Backend) -> None:
        made = backend.commit(S, put=items("a"), expect=0, now=NOW)
        assert read(backend, S) == (made.version, [item("a", seq=made.seqs[0])])

    def test_expect_nothing_meets_a_live_stream(self, backend: Backend) -> None:
        made = backend.commit(S, put=items("a"), now=NOW)
        refused(backend, made.version, put=items("b"), expect=0)
        assert ids(backend, S) == ["a"]

    def test_expect_nothing_after_expiry_and_after_deletion(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, now=NOW)
        backend.commit(S, put=items("b"), expect=0, now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["b"]
        backend.commit(S, drop=[Drop()], now=NOW + 60)
        backend.commit(S, put=items("c"), expect=0, now=NOW + 60)
        assert ids(backend, S, now=NOW + 60) == ["c"]

    def test_expect_the_version_that_was_read(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), now=NOW)
        seen = read(backend, S).version
        made = backend.commit(S, put=items("b"), drop=[Drop("item", ["a"])], expect=seen, now=NOW)
        assert made.version > seen
        assert ids(backend, S) == ["b"]

    def test_expect_an_old_version(self, backend: Backend) -> None:
        old = backend.commit(S, put=items("a"), now=NOW).version
        new = backend.commit(S, put=items("b"), now=NOW).version
        for wrong in (old, new + 1, 1):
            refused(backend, new, put=items("c"), expect=wrong)

    def test_a_refused_commit_writes_nothing(self, backend: Backend) -> None:
        made = backend.commit(S, put=items("ab"), ttl=60, now=NOW)
        before = read(backend, S)
        put = [item("a", "2"), item("c")]
        refused(backend, made.version, put=put, drop=[Drop()], ttl=None, expect=made.version - 1)
        refused(backend, made.version, ttl=600, expect=made.version - 1)
        assert read(backend, S) == before
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_expect_a_version_where_nothing_lives(self, backend: Backend) -> None:
        refused(backend, 0, put=items("a"), expect=7)
        made = backend.commit(S, put=items("a"), ttl=60, now=NOW)
        refused(backend, 0, put=items("b"), expect=made.version, now=NOW + 60)
        assert read(backend, S, now=NOW + 60) == (0, [])

    def test_an_old_version_never_fits_a_new_life(self, backend: Backend) -> None:
        old = [backend.commit(S, put=items(id), now=NOW).version for id in "abc"]
        backend.commit(S, drop=[Drop()], now=NOW)
        for id in "abc":
            new = backend.commit(S, put=items(id), now=NOW).version
            for version in old:
                refused(backend, new, put=items("x"), expect=version)

    def test_a_life_is_met_by_its_version_and_never_by_another_life(self, backend: Backend) -> None:
        seen = Generation(backend.commit(S, put=items("a"), now=NOW).version)
        backend.commit(S, put=items("b"), expect=seen, token="t-1", now=NOW)
        assert ids(backend, S) == ["a", "b"]
        backend.commit(S, drop=[Drop()], now=NOW)
        refused(backend, 0, put=items("c"), expect=seen)
        new = backend.commit(S, put=items("d"), ttl=60, now=NOW).version
        refused(backend, new, put=items("c"), expect=seen)
        refused(backend, 0, put=items("c"), expect=Generation(new), now=NOW + 60)
        assert ids(backend, S) == ["d"]

    def test_a_touch_and_a_drop_can_be_conditional(self, backend: Backend) -> None:
        assert backend.commit(S, ttl=60, expect=0, now=NOW) == (0, [])
        made = backend.commit(S, put=items("a"), now=NOW)
        assert backend.commit(S, ttl=60, expect=made.version, now=NOW) == (made.version, [])
        refused(backend, made.version, drop=[Drop()], expect=made.version + 1)
        assert backend.commit(S, drop=[Drop()], expect=made.version, now=NOW) == (0, [])

    def test_a_repeat_with_its_token_is_answered_as_the_first_time(self, backend: Backend) -> None:
        seen = backend.commit(S, put=items("ab"), now=NOW).version
        how = {"put": items("a"), "drop": [Drop("item", ["a"])], "expect": seen, "token": "t-1"}
        first = backend.commit(S, **how, now=NOW)  # type: ignore[arg-type]
        assert backend.commit(S, **how, now=NOW) == first  # type: ignore[arg-type]
        assert read(backend, S).version == first.version
        assert ids(backend, S) == ["b", "a"]

    def test_a_creation_can_be_repeated(self, backend: Backend) -> None:
        first = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        again = backend.commit(S, put=items("ab"), expect=0, token="t-1", now=NOW)
        assert again == first

    def test_a_repeat_is_answered_also_after_other_commits(self, backend: Backend) -> None:
        seen = backend.commit(S, put=items("a"), now=NOW).version
        first = backend.commit(S, put=items("b"), expect=seen, token="t-1", now=NOW)
        other = backend.commit(S, put=items("c"), now=NOW)
        again = backend.commit(S, put=items("b"), expect=seen, token="t-1", now=NOW)
        assert again == first
        assert read(backend, S).version == other.version
        assert ids(backend, S) == ["a", "b", "c"]

    def test_a_repeat_of_a_commit_without_puts(self, backend: Backend) -> None:
        seen = backend.commit(S, put=items("ab"), now=NOW).version
        drop = [Drop("item", ["a"])]
        first = backend.commit(S, drop=drop, expect=seen, token="t-1", now=NOW)
        again = backend.commit(S, drop=drop, expect=seen, token="t-1", now=NOW)
        assert again == first == (read(backend, S).version, [])

    def test_another_token_is_no_repeat(self, backend: Backend) -> None:
        first = backend.commit(S, put=items("a"), expect=0, token="t-1", now=NOW)
        refused(backend, first.version, put=items("a"), expect=0, token="t-2")
        refused(backend, first.version, put=items("a"), expect=0)

    def test_a_refused_token_is_not_remembered(self, backend: Backend) -> None:
        seen = backend.commit(S, put=items("a"), now=NOW).version
        refused(backend, seen, put=items("b"), expect=0, token="t-1")
        backend.commit(S, put=items("b"), expect=seen, token="t-1", now=NOW)
        assert ids(backend, S) == ["a", "b"]

    def test_a_token_ends_with_its_life(self, backend: Backend) -> None:
        backend.commit(S, put=items("a"), ttl=60, expect=0, token="t-1", now=NOW)
        later = NOW + 60
        backend.commit(S, put=items("b"), expect=0, token="t-1", now=later)
        assert ids(backend, S, now=later) == ["b"]
        backend.commit(S, drop=[Drop()], now=later)
        backend.commit(S, put=items("c"), expect=0, token="t-1", now=later)
        assert ids(backend, S, now=later) == ["c"]

    def test_of_many_creators_one_wins(self, backend: Backend) -> None:
        def create(n: int) -> int:
            try:
                return backend.commit(S, put=[item(f"{n}")], expect=0, now=NOW).version
            except Conflict as conflict:
                return -conflict.current

        versions = together(*(partial(create, n) for n in range(8)))
        (winner,) = (version for version in versions if version > 0)
        assert sorted(versions) == [-winner] * 7 + [winner]
        assert len(ids(backend, S)) == 1

    def test_a_counter_by_compare_and_set_is_exact(self, backend: Backend) -> None:
        together(*[lambda: count_up(backend, S, 10, NOW)] * 8)
        assert [record.body for record in read(backend, S).records] == ["80"]
