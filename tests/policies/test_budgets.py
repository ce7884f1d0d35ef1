"""What each budget counts, and what it never does: cut a group, or lose the user's newest turn."""

from __future__ import annotations

import pytest

from tests.policies.said import conversation, left
from tests.window.looking import window
from threadkeep import policies
from threadkeep.errors import ConfigError
from threadkeep.policies import max_characters, max_exchanges, max_messages, max_tokens, max_turns
from threadkeep.window import choose, tokens

SCRIPT = "u1 c2:x r3:x a4 u5 a6"


@pytest.mark.parametrize(
    ("n", "kept"),
    [
        (1, "u5"),
        (2, "u5 a6"),
        (3, "a4 u5 a6"),
        (4, "a4 u5 a6"),  # the call and its result are two: half of them never comes
        (5, "c2:x r3:x a4 u5 a6"),
        (6, SCRIPT),
        (99, SCRIPT),
    ],
)
def test_messages_are_items_with_calls_and_results_among_them(n, kept):
    assert left(SCRIPT, max_messages(n)) == kept


@pytest.mark.parametrize(
    ("n", "kept"),
    [
        (1, "u5"),
        (2, "u5 a6"),
        (3, "c2:x r3:x a4 u5 a6"),  # a model's calls, their results and its answer are one turn
        (4, SCRIPT),
    ],
)
def test_a_turn_is_all_that_one_says_before_another_speaks(n, kept):
    assert left(SCRIPT, max_turns(n)) == kept


@pytest.mark.parametrize(
    ("script", "n", "kept"),
    [
        (SCRIPT, 1, "u5 a6"),
        (SCRIPT, 2, SCRIPT),
        ("a1 u2 u3 a4", 1, "u2 u3 a4"),
        ("a1 u2 u3 a4", 2, "a1 u2 u3 a4"),  # a greeting is an exchange of its own
        ("u1 a2 s3 a4", 1, "u1 a2 s3 a4"),
    ],
)
def test_an_exchange_is_a_users_turn_and_what_answers_it(script, n, kept):
    assert left(script, max_exchanges(n)) == kept


@pytest.mark.parametrize(
    ("n", "kept"), [(4, "u3 a4"), (5, "u3 a4"), (6, "a2 u3 a4"), (8, "u1 a2 u3 a4")]
)
def test_characters_are_those_of_the_text(n, kept):
    assert left("u1 a2 u3 a4", max_characters(n)) == kept


def test_characters_of_names_and_arguments_of_calls_count_too():
    assert left("u1 c2:x r3:x u4", max_characters(7)) == "u4"
    assert left("u1 c2:x r3:x u4", max_characters(8)) == "c2:x r3:x u4"  # look{}


def test_tokens_are_counted_by_the_callable_given():
    def by_letter(text):
        return len(text)

    assert left("u1 a2 u3", max_tokens(12, by_letter)) == "a2 u3"  # 2 letters, and 4 a message
    assert left("u1 a2 u3", max_tokens(18, by_letter)) == "u1 a2 u3"
    assert left("u1 a2 u3", max_tokens(17, by_letter)) == "a2 u3"


@pytest.mark.proves("C4")
@pytest.mark.parametrize("make", [max_messages, max_characters])
def test_what_the_user_said_last_stays_whatever_it_costs(make):
    assert left("u1 a2 u3 u4 a5 a6", make(1)) == "u4"


@pytest.mark.proves("C4")
def test_a_late_result_keeps_its_call():
    assert left("u1 c2:x u3 r4:x", max_messages(3)) == "c2:x u3 r4:x"
    assert left("u1 c2:x u3 r4:x a5", max_messages(2)) == "u3 a5"


@pytest.mark.proves("C4")
@pytest.mark.parametrize("make", [max_messages, max_turns, max_characters, max_tokens])
@pytest.mark.parametrize(
    ("script", "kept"),
    [
        ("u1 a2 u3 c4:x r5:x", "u3 c4:x r5:x"),
        ("u1 c2:x r3:x c4:x,y r5:y r6:x", "u1 c4:x,y r5:y r6:x"),
        ("u1 c2:x c3:y r4:x r5:y", "u1 c2:x c3:y r4:x r5:y"),
        ("u1 c2:x r3:x c4:x,y r5:y", "u1 c4:x,y (no result) r5:y"),
        ("u1 c2:x r3:x c4:x,y", "u1 c4:x,y"),
        ("u1 c2:x u3 r4:x", "c2:x u3 r4:x"),
    ],
)
def test_calls_and_results_at_the_end_stay_whatever_they_cost(make, script, kept):
    assert left(script, make(1)) == kept


@pytest.mark.proves("C4")
def test_between_question_and_last_step_the_newest_steps_that_fit_stay():
    script = "u1 a2 u3 " + " ".join(f"c{n}:{n} r{n}:{n}" for n in range(50))
    assert left(script, max_messages(8)) == "u3 c47:47 r47:47 c48:48 r48:48 c49:49 r49:49"


@pytest.mark.parametrize("make", [max_messages, max_turns, max_exchanges, max_characters])
def test_without_a_user_the_newest_is_there_however_large(make):
    assert left("a1 c2:x,y r3:x r4:y", make(1)).endswith("c2:x,y r3:x r4:y")


def test_several_budgets_all_hold():
    assert left("u1 a2 u3 a4 u5 a6", max_messages(5), max_exchanges(2)) == "u3 a4 u5 a6"
    assert left("u1 a2 u3 a4 u5 a6", max_exchanges(2), max_messages(3)) == "a4 u5 a6"


@pytest.mark.proves("C3")
def test_no_more_is_read_than_a_budget_needs():
    asked = []

    def fetch(before, limit):
        asked.append(limit)
        return []

    history = conversation(" ".join(f"u{n} a{n}" for n in range(40)))
    policies_ = [max_messages(10)]
    size = policies_[0].reach
    choose(history[-size:], [], fetch, policies_, now=0.0, size=size)
    assert asked == []


def test_a_windows_tokens_are_those_of_the_budget():
    history = conversation(SCRIPT)
    for n in range(1, 60):
        found = window(history, [max_tokens(n, tokens.estimate)])
        assert found.tokens <= n or [item.text for item in found] == ["u5"]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "5", None, True])
@pytest.mark.parametrize(
    "name", ["max_messages", "max_turns", "max_exchanges", "max_characters", "max_tokens"]
)
def test_an_impossible_limit_is_named(name, wrong):
    with pytest.raises(ConfigError, match=f"{name} must be a whole number"):
        getattr(policies, name)(wrong)


def test_a_counter_must_be_callable():
    with pytest.raises(ConfigError, match="counter must be callable, got str"):
        max_tokens(5, "tiktoken")  # type: ignore[arg-type]
