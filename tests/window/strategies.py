"""What may stand in `window=`, as Hypothesis draws it: budgets, filters, and rude callables."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from threadkeep import policies
from threadkeep.types import Item
from threadkeep.window import tokens

small = st.integers(1, 12)


def max_tokens(n: int, *, step: float = 0.0) -> policies.Budget:
    return policies.max_tokens(n, tokens.estimate, step=step)


LIMITS: dict[Any, st.SearchStrategy[int]] = {
    policies.max_messages: small,
    policies.max_turns: small,
    policies.max_exchanges: st.integers(1, 5),
    policies.max_characters: st.integers(1, 400),
    max_tokens: st.integers(1, 200),
}


def budgets(*steps: float) -> st.SearchStrategy[policies.Budget]:
    drawn = st.sampled_from(steps)
    return st.one_of(*(st.builds(make, limit, step=drawn) for make, limit in LIMITS.items()))


ages = st.builds(policies.max_age, st.sampled_from([1.0, 100.0, 400.0, 899.0, 5_000.0]))
filters = st.sampled_from(
    [
        policies.only(role="user"),
        policies.only(role=["user", "assistant", "tool"]),
        policies.only(type="message"),
        policies.only(status=None),
    ]
)


def every_second(items: Sequence[Item]) -> list[Item]:
    return list(items[::2])


def backwards(items: Sequence[Item]) -> list[Item]:
    return list(items[::-1])


def none_at_all(items: Sequence[Item]) -> list[Item]:
    return []


def newest_two(items: Sequence[Item]) -> list[Item]:
    return list(items[-2:])


def twice_and_a_stranger(items: Sequence[Item]) -> list[Item]:
    return [*items[1:], *items[1:], Item(content="never said")]


def edited(items: Sequence[Item]) -> list[Item]:
    """Every second one says something else and calls for nothing."""
    return [
        dataclasses.replace(item, content=item.text.upper(), tool_calls=[]) if number % 2 else item
        for number, item in enumerate(items)
    ]


rude = st.sampled_from(
    [every_second, backwards, none_at_all, newest_two, twice_and_a_stranger, edited]
)
merging = st.builds(policies.alternate_roles)
pinning = st.builds(policies.keep_system)
views = st.one_of(
    st.builds(policies.max_tool_result, st.integers(64, 200), st.just(tokens.estimate)),
    st.builds(policies.max_media, st.integers(0, 2)),
    st.builds(policies.with_times),
)
polite = st.one_of(
    budgets(0.0, 0.25, 0.5, 0.9), budgets(0.0), ages, filters, merging, pinning, views
)
any_policies = st.one_of(
    st.lists(polite, max_size=3), st.lists(st.one_of(polite, rude), min_size=1, max_size=3)
)
