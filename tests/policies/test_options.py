"""What `window=` takes: a policy, a list, a dict, nothing; and what it says to everything else."""

from __future__ import annotations

import inspect
import itertools

import pytest

from threadkeep import connect
from threadkeep.errors import ConfigError
from threadkeep.policies import Budget, as_policies, from_options, max_messages, max_turns
from threadkeep.window import tokens
from threadkeep.window.policies.options import BUDGETS, VIEWS


def limits(window):
    return [policy.limit for policy in as_policies(window) if isinstance(policy, Budget)]


def test_nothing_is_no_policy():
    assert as_policies(None) == []
    assert as_policies([]) == []
    assert as_policies({}) == []
    assert as_policies({"max_tokens": None}) == []


def test_a_policy_is_any_callable():
    def mine(items):
        return items

    assert limits(max_turns(4)) == [4]
    assert as_policies(mine)[0] is mine


def test_a_list_may_hold_anything_that_stands_alone():
    assert limits([max_turns(4), {"max_messages": 5}, (max_messages(6), None)]) == [4, 5, 6]


def test_a_dict_names_limits_in_the_order_they_apply():
    assert limits({"max_turns": 7, "max_tokens": 8, "max_messages": 9}) == [7, 8, 9]


def test_step_and_counter_in_a_dict_are_for_all_of_its_limits():
    def counter(text):
        return 5

    turns, spent = as_policies({"max_turns": 7, "max_tokens": 8, "step": 0.5, "counter": counter})
    assert isinstance(turns, Budget)
    assert isinstance(spent, Budget)
    assert (turns.step, spent.step) == (0.5, 0.5)
    assert as_policies({"max_age": 60, "max_turns": 7, "step": 0.5})


@pytest.mark.parametrize(
    "window",
    [
        {"step": 0.5},
        {"max_tokens": None, "step": 0.5},
        {"max_media": 1, "step": 0.5},
        {"max_age": 60, "step": 0.5},
    ],
)
def test_step_without_a_limit_is_refused(window):
    with pytest.raises(ConfigError, match=r"step=0.5 belongs to a limit such as max_tokens"):
        as_policies(window)


FACTORIES = {**BUDGETS, **VIEWS}


@pytest.mark.parametrize("beside", [{"step": 0.5}, {"counter": len}], ids=["step", "counter"])
def test_step_and_counter_reach_a_policy_or_are_refused(beside):
    """For every set of limits: what is refused would have changed nothing."""
    (name,) = beside
    for count in range(len(FACTORIES) + 1):
        for names in itertools.combinations(FACTORIES, count):
            limits_of_names = dict.fromkeys(names, 64)
            reached = any(name in inspect.signature(FACTORIES[n]).parameters for n in names)
            if not reached:
                with pytest.raises(ConfigError, match=f"{name}.* belongs to a limit such as"):
                    as_policies({**limits_of_names, **beside})
                continue
            assert as_policies({**limits_of_names, **beside}) != as_policies(limits_of_names)


def test_counter_beside_a_dict_of_limits_counts_for_them_too():
    with connect("memory://") as memory:
        chat = memory.session("s")
        chat.add("a b", {"role": "assistant", "content": "c"}, "d e f")

        def words(text):
            return len(text.split())

        limit = chat.window(counter=words).tokens - 1
        named = chat.window(max_tokens=limit, counter=words)
        for policy in ({"max_tokens": limit}, [{"max_tokens": limit}]):
            assert chat.window(policy=policy, counter=words) == named
        assert 0 < named.tokens <= limit
        own = {"max_tokens": limit, "counter": lambda text: 10_000}
        assert len(chat.window(policy=own, counter=words)) == 1


def test_step_beside_a_policy_of_its_own_is_refused():
    with connect("memory://", window={"max_tokens": 100}) as memory:
        chat = memory.session("s")
        for policy in (None, max_turns(3)):
            with pytest.raises(ConfigError, match=r"or give it to the policy: max_tokens\(3000"):
                chat.window(policy=policy, step=0.5)
        assert chat.window(policy=max_turns(3), max_tokens=50, step=0.5) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_token": 5}, "no option 'max_token'; did you mean 'max_tokens'"),
        ({"max_turn": 5}, "did you mean 'max_turns'"),
        ({"maximum": 5}, "no option 'maximum'"),
        ({"zzz": 5}, "no option 'zzz'; known: max_age, max_characters"),
        ({5: 5}, "no option 5"),
        ({"max_turns": "5"}, "max_turns must be a whole number of at least 1, got '5'"),
        ({"max_turns": 5, "step": 1}, "step must be a number from 0 to below 1, got 1"),
        ({"max_tokens": 5, "counter": 7}, "counter must be callable, got int"),
        ({"max_age": "a day"}, "max_age must be a number of seconds above 0, got 'a day'"),
    ],
)
def test_a_wrong_option_is_named_with_the_nearest_right_one(options, message):
    with pytest.raises(ConfigError, match=message):
        as_policies(options)


@pytest.mark.parametrize("wrong", [5, "max_tokens", 1.5, object(), {"max_turns"}])
def test_what_is_no_policy_is_refused_by_name_of_the_argument(wrong):
    with pytest.raises(ConfigError, match=f"retain must be a policy.*got {type(wrong).__name__}"):
        as_policies(wrong, "retain")
    with pytest.raises(ConfigError, match="retain must be a policy"):
        as_policies([max_turns(4), wrong], "retain")


def test_a_limit_of_none_is_no_limit():
    assert from_options({"max_tokens": None, "max_turns": None}, counter=tokens.estimate) == []


def test_options_that_are_equal_but_not_the_same_do_not_share_a_policy():
    assert from_options({"max_messages": 1})
    for impostor in (True, 1.0):
        with pytest.raises(ConfigError, match="max_messages"):
            from_options({"max_messages": impostor})
    stepped, plain = from_options({"max_messages": 9}, step=0.5), from_options({"max_messages": 9})
    assert [getattr(policy, "step", None) for policy in (*stepped, *plain)] == [0.5, 0.0]
