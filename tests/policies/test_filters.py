"""`max_age`, `only` and `keep_system`: what is left out for other reasons than room."""

from __future__ import annotations

import pytest

from tests.policies.said import conversation, left
from tests.window.histories import START
from tests.window.looking import window
from threadkeep.errors import ConfigError
from threadkeep.policies import keep_system, max_age, max_exchanges, max_messages, max_turns, only

SCRIPT = "u1 a2 u3 a4"  # a minute each


@pytest.mark.parametrize(
    ("seconds", "kept"), [(30, "u3 a4"), (60, "u3 a4"), (120, "a2 u3 a4"), (180, SCRIPT)]
)
def test_what_was_said_too_long_ago_is_gone_but_for_the_newest_question(seconds, kept):
    assert left(SCRIPT, max_age(seconds), now=START + 180) == kept


def test_when_all_is_old_the_newest_is_still_there():
    assert left(SCRIPT, max_age(1), now=START + 86_400) == "u3"
    assert left("a1 a2", max_age(1), now=START + 86_400) == "a2"


@pytest.mark.parametrize("script", ["u1 c2:x r3:x u4", "u1 c2:x,y r3:x u4"])
def test_the_age_of_a_call_is_that_of_its_last_result(script):
    """Also where another result never came, and one that says so stands in its place."""
    kept = left(script, max_age(70), now=START + 180)
    assert kept.startswith("c2:x")
    assert kept == left(script, max_messages(99), max_age(70), now=START + 180)


@pytest.mark.parametrize("wrong", [0, -5, "60", None, True, float("nan")])
def test_an_age_is_a_number_of_seconds(wrong):
    with pytest.raises(ConfigError, match="max_age must be a number of seconds above 0"):
        max_age(wrong)


def test_only_what_has_the_value_or_one_of_the_values():
    assert left("s1 u2 a3 d4 u5", only(role="user")) == "u2 u5"
    assert left("s1 u2 a3 d4 u5", only(role=["user", "assistant"])) == "u2 a3 u5"
    assert left("u1 a2", only(role="system")) == "a2", "a window of a conversation is never empty"


def test_several_fields_must_all_fit():
    assert left("u1 u2 a3", only(role="user", content=("u2", "a3"))) == "u2"


@pytest.mark.proves("C4")
def test_a_call_does_not_stay_without_its_result():
    assert left("u1 c2:x r3:x a4", only(type="message")) == "u1 a4"


def test_a_budget_after_a_filter_counts_what_the_filter_left():
    script = "u1 c2:x r3:x a4 u5 a6"
    assert left(script, only(type="message"), max_messages(3)) == "a4 u5 a6"
    assert left(script, only(type="message"), max_messages(4)) == "u1 a4 u5 a6"


def test_only_names_the_nearest_field():
    with pytest.raises(ConfigError, match="no 'rol'; did you mean 'role'"):
        only(rol="user")
    with pytest.raises(ConfigError, match="at least one field"):
        only()


@pytest.mark.parametrize("budget", [max_messages(3), max_turns(3), max_exchanges(2)])
def test_what_the_system_says_at_the_start_is_out_of_reach_of_budgets(budget):
    """It counts, though: the limit is one of the prompt."""
    script = "s0 " + " ".join(f"u{n} a{n}" for n in range(20))
    assert not left(script, budget).startswith("s0")
    kept = left(script, keep_system(), budget)
    assert kept.startswith("s0")
    assert kept.endswith("u19 a19")


def test_it_is_kept_although_it_stands_beyond_all_that_is_read():
    history = conversation("s0 " + " ".join(f"u{n} a{n}" for n in range(300)))
    found = window(history, [keep_system(), max_messages(4)], size=8, lookback=300)
    assert found[0].text == "s0"
    assert len(found) == 4
    assert found.dropped == 0


def test_the_pinned_are_the_first_four_and_the_newest_two_hundred():
    script = "s0 u1 a2 s3 s4 " + " ".join(f"u{n} a{n}" for n in range(5, 120)) + " s220 a221"
    kept = left(script, keep_system(), max_messages(6))
    assert kept == "s0 s3 u119 a119 s220 a221"


def test_a_message_of_the_system_is_never_too_old():
    assert left("s0 u1 a2 u3", keep_system(), max_age(60), now=START + 200) == "s0 u3"
