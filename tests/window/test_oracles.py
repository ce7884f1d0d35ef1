"""Budgets and `dropped` against plain and slow ways to say the same."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given

from tests.window.histories import histories
from tests.window.looking import last_step, many, newest_user_message, window
from tests.window.strategies import LIMITS, budgets, max_tokens
from threadkeep import policies
from threadkeep.messages.tool_groups import (
    flatten,
    is_visible,
    repair,
    speaker,
    tool_groups,
)
from threadkeep.window import tokens
from threadkeep.window.policies.limits import characters

RESULTS = {"tool", "function"}


def turns(items):
    heads = [item for item in items if item.role not in RESULTS]
    return [who for who, _ in groupby(heads, key=speaker)]


def exchanges(items):
    speakers = turns(items)
    return speakers.count("user") + (speakers[:1] not in ([], ["user"]))


COSTS = {
    policies.max_messages: len,
    policies.max_characters: lambda items: sum(map(characters, items)),
    max_tokens: lambda items: tokens.total(items, tokens.estimate),
    policies.max_turns: lambda items: len(turns(items)),
    policies.max_exchanges: exchanges,
}
ALONE = {policies.max_messages, policies.max_characters, max_tokens}


def best(history, cost, limit):
    """The longest tail of whole groups that fits beside the newest user message and the last step,
    which stay even where they alone are over the limit, by trying all.
    """
    must = {item.id for item in [*newest_user_message(history), *last_step(history)]}
    groups = tool_groups(repair(history))[0]
    for start in range(len(groups) + 1):
        tail = groups[start:]
        turn = [one for one in groups[:start] if one.items[0].id in must]
        kept = flatten([*turn, *tail])
        if kept and cost(kept) <= limit:
            return kept
    turn = [one for one in groups if one.items[0].id in must]
    return flatten(turn or groups[-1:])


@many
@given(histories(least=3))
def test_a_budget_keeps_the_most_that_fits(history):
    for make in ALONE:
        for limit in (1, 2, 3, 5, 8, 20, 60, 150):
            found = window(history, [make(limit)])
            assert found == best(history, COSTS[make], limit)


@many
@given(histories(least=4, most=20))
def test_turns_and_exchanges_are_counted_by_who_speaks(history):
    for make in LIMITS.keys() - ALONE:
        for limit in (1, 2, 3, 5):
            found = window(history, [make(limit)])
            step = {item.id for item in last_step(history)}  # over the limit rather than gone
            assert COSTS[make]([item for item in found if item.id not in step]) <= limit
            more = window(history, [make(limit + 1)])
            over = COSTS[make](found) > limit
            assert over or len(more) > len(found) or COSTS[make](repair(history)) <= limit


@many
@given(histories(least=3, most=20), budgets(0.25, 0.5, 0.9))
def test_a_step_keeps_a_part_of_what_fits(history, stepped):
    unstepped = policies.Budget(stepped.limit, stepped.cost, stepped.units)
    whole = window(history, [unstepped])
    found = window(history, [stepped])
    assert {item.id for item in found} <= {item.id for item in whole}
    if len(whole) == len(repair(history)):
        assert found == whole, "the front moved though everything fits"


@many
@given(histories(least=2))
def test_dropped_counts_the_results_that_answer_nothing(history):
    found = window(history, [])
    lost = orphans(history)
    assert not {item.id for item in found} & {item.id for item in lost}
    assert found.dropped == sum(item.seq >= found[0].seq if found else True for item in lost)


def orphans(history):
    """Results that no earlier call is waiting for; the latest call of an id is answered first."""
    waiting, lost = [], []
    for item in filter(is_visible, history):
        if item.role not in RESULTS:
            waiting.append([call.get("id") or "" for call in item.tool_calls])
            continue
        calls = next((ids for ids in reversed(waiting) if (item.tool_call_id or "") in ids), None)
        if calls is None:
            lost.append(item)
        else:
            calls.remove(item.tool_call_id or "")
    return lost
