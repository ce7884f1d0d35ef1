"""How far back a window reads: as far as something older could change it, and no further."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policies.said import conversation
from tests.window.histories import histories
from tests.window.looking import EVERYTHING, many, window
from tests.window.strategies import LIMITS, budgets
from threadkeep.policies import keep_system, max_messages, max_tokens, max_turns, only
from threadkeep.window import choose, first_page_size

USERS = only(role="user")


def said(script, *policies, size=EVERYTHING):
    return " ".join(item.text for item in window(conversation(script), policies, size=size))


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("script", "policies", "kept"),
    [
        ("u1 a2 u3 u4 a5 a6 a7", [max_messages(2)], "u4 a7"),
        ("u1 a2 u3 u4 a5 a6 a7", [max_messages(4)], "u4 a5 a6 a7"),
        ("u1 a2 a3 u4 a5 a6 a7", [max_turns(3)], "a2 a3 u4 a5 a6 a7"),
        ("s1 u2 a3 u4 a5", [keep_system(), max_messages(3)], "s1 u4 a5"),
        ("u1 a2 u3 a4 a5 a6", [only(role="user")], "u1 u3"),
        ("u1 a2 u3 a4 a5 a6", [max_messages(4), only(role="user")], "u3"),
        ("u1 u2 u3 a4 u5 u6 u7", [USERS, max_messages(1), USERS], "u7"),
    ],
)
def test_it_goes_on_to_what_must_be_there(script, policies, kept, size):
    assert said(script, *policies) == kept
    assert said(script, *policies, size=size) == kept


@many
@given(histories(least=4), budgets(0.0, 0.0, 0.5), st.integers(1, 3))
def test_a_budget_finds_the_same_by_small_pages(history, budget, size):
    assert window(history, [budget], size=size) == window(history, [budget])


@pytest.mark.proves("C3")
@pytest.mark.parametrize("limit", LIMITS, ids=lambda make: make.__name__)
def test_it_stops_where_nothing_older_could_enter(limit):
    history = conversation(" ".join(f"u{n} a{n}" for n in range(300)))
    asked = []

    def fetch(before, size):
        asked.append(size)
        return [item for item in history if item.seq < before][-size:]

    policies = [limit(12)]
    size = first_page_size(policies, 2_000)
    assert choose(history[-size:], [], fetch, policies, now=0.0, size=size)
    assert asked == []


def test_pages_grow_up_to_the_end_of_looking_back():
    history = conversation(" ".join(["u0", *(f"a{n}" for n in range(1, 3_000))]))
    asked = []

    def fetch(before, size):
        asked.append(size)
        return [item for item in history if item.seq < before][-size:]

    choose(history[-64:], [], fetch, [max_tokens(50)], now=0.0, size=64, lookback=2_000)
    assert asked[:3] == [128, 256, 500]
    assert 64 + sum(asked) == 2_000


def test_a_policy_without_a_need_is_given_all_of_it_in_one_read():
    assert first_page_size([lambda items: items], 2_000) == 2_000
    assert first_page_size([], 2_000) == 2_000
    assert first_page_size([max_messages(10)], 2_000) < 30
    assert first_page_size([max_messages(5_000)], 2_000) == 2_000
    assert first_page_size([keep_system(), max_messages(10)], 2_000) == 200
