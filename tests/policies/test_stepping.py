"""`step`: the front of a window moves seldom and far, so that caches of prompts hold."""

from __future__ import annotations

import itertools

import pytest

from tests.policies.said import conversation, left
from tests.window.looking import window
from threadkeep.errors import ConfigError
from threadkeep.policies import max_exchanges, max_messages, max_tokens, max_turns

SCRIPT = " ".join(f"u{n:03} a{n:03}" for n in range(60))
HISTORY = conversation(SCRIPT)


def fronts(policy):
    """Where the window begins, message by message."""
    return [window(HISTORY[:upto], [policy])[0].seq for upto in range(1, len(HISTORY) + 1)]


def test_without_a_step_the_front_moves_with_every_message():
    assert fronts(max_messages(10)) == [max(1, n - 9) for n in range(1, 121)]


@pytest.mark.proves("C11")
def test_messages_move_when_the_limit_would_be_passed_and_free_half():
    said = fronts(max_messages(10, step=0.5))
    moves = [n for n, (old, new) in enumerate(itertools.pairwise(said), 2) if old != new]
    assert moves[0] == 11, "it moved while everything fitted"
    assert all(later - earlier == 5 for earlier, later in itertools.pairwise(moves[1:]))


@pytest.mark.proves("C11")
@pytest.mark.parametrize(
    "policy",
    [
        max_messages(10, step=0.9),
        max_turns(10, step=0.5),
        max_exchanges(6, step=0.5),
        max_tokens(100, len, step=0.5),
    ],
    ids=["messages", "turns", "exchanges", "tokens"],
)
def test_it_moves_seldom_never_back_and_never_leaves_less_than_its_share(policy):
    said = fronts(policy)
    assert said == sorted(said)
    assert len(set(said)) < len(HISTORY) / 3
    full = fronts(type(policy)(policy.limit, policy.cost, policy.units))
    assert all(ours >= theirs for ours, theirs in zip(said, full, strict=True))


@pytest.mark.proves("C11")
@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize(
    "exchange", ["u{0} a{0}", "u{0} c{0}:x r{0}:x a{0}"], ids=["plain", "tool"]
)
def test_it_stands_where_it_is_wherever_seqs_begin(exchange, offset):
    script = " ".join(["u"] * offset + [exchange.format(n) for n in range(60)])
    history = conversation(script)
    said = [window(history[:upto], [max_exchanges(8, step=0.5)])[0].seq for upto in range(1, 120)]
    assert len(set(said)) < 25


@pytest.mark.proves("C11")
def test_where_it_stands_is_the_same_for_who_reads_less():
    policy = max_tokens(100, len, step=0.5)
    for upto in range(20, 120, 7):
        whole = window(HISTORY[:upto], [policy])
        assert window(HISTORY[:upto], [policy], size=3) == whole
        assert window(HISTORY[max(0, upto - 40) : upto], [policy]) == whole


def test_the_newest_turn_stays_with_a_step_as_without():
    assert left("u1 a2 u3 a4 a5 a6", max_messages(2, step=0.5)).startswith("u3")


@pytest.mark.parametrize("wrong", [1, 1.5, -0.1, "half", True, None])
def test_a_step_is_a_share(wrong):
    with pytest.raises(ConfigError, match="step must be a number from 0 to below 1"):
        max_messages(5, step=wrong)
