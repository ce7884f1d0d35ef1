"""Every history, every policy: what a window always is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.window.histories import histories, tool_loops
from tests.window.looking import (
    filters,
    last_step,
    lengthened,
    many,
    newest_user_message,
    synthetic,
    valid,
    window,
)
from tests.window.strategies import (
    ages,
    any_policies,
    budgets,
    edited,
    pinning,
    polite,
    rude,
    views,
)
from threadkeep import policies
from threadkeep.messages.tool_groups import repair, speaker, tool_groups

unmerged_policy = st.one_of(budgets(0.0, 0.5), ages, pinning, views)
unmerged = st.lists(st.one_of(unmerged_policy, rude), max_size=3)
"""Policies after which the items are still those of the history, and its end is there."""


@pytest.mark.proves("C4", "C11", "C13")
@many
@given(histories(), any_policies)
def test_every_window_is_a_valid_prompt(history, chosen):
    found = window(history, chosen)
    assert found or not repair(history) or filters(chosen)
    if found:
        valid(found)


@many
@given(histories(least=3), any_policies, st.integers(1, 6), st.sampled_from([2_000, 2_000, 1, 4]))
def test_it_is_the_same_whatever_a_read_brings(history, chosen, size, lookback):
    at_once = window(history, chosen, lookback=lookback)
    by_pages = window(history, chosen, lookback=lookback, size=size)
    assert by_pages == at_once
    assert by_pages.dropped == at_once.dropped


@many
@given(histories(least=3), unmerged)
def test_order_and_the_newest_user_message_are_kept(history, chosen):
    found = window(history, chosen)
    seqs = [item.seq for item in found]
    assert seqs == sorted(seqs)
    assert len({item.id for item in found}) == len(found)
    assert {item.id for item in newest_user_message(history)} <= {item.id for item in found}


@many
@given(st.one_of(histories(least=3), tool_loops()), unmerged)
def test_the_last_step_is_in_every_window(history, chosen):
    found = window(history, chosen)
    assert {item.id for item in newest_user_message(history)} <= {item.id for item in found}
    if edited not in chosen:  # it takes the calls out of messages
        assert {item.id for item in last_step(history)} <= {item.id for item in found}
        if found:
            valid(found)


@pytest.mark.proves("D2")
@many
@given(
    st.one_of(histories(least=3), tool_loops()),
    st.lists(st.one_of(budgets(0.0, 0.5), pinning, views), min_size=1, max_size=3),
)
def test_a_window_is_within_its_budget_or_says_by_how_much_not(history, chosen):
    found = window(history, chosen)
    limits = [policy for policy in chosen if isinstance(policy, policies.Budget)]
    over = {limit.name: limit.excess(found) for limit in limits}
    assert found.over == (over.get("max_tokens") or max(over.values(), default=0))
    is_exact = all(limit.cost for limit in limits)  # turns are kept whole
    if found.over and is_exact and not lengthened(chosen):
        required = {item.id for item in [*newest_user_message(history), *last_step(history)]}
        rest = [item for item in found if item.id not in required]
        assert all(speaker(item) == "system" for item in rest) or not required
    if found:
        valid(found)


@pytest.mark.proves("D2")
@many
@given(st.one_of(histories(least=3), tool_loops()), st.lists(unmerged_policy, max_size=3))
def test_what_is_not_in_a_window_is_said(history, chosen):
    found = window(history, chosen)
    left_out = found.left_out
    visible = {item.seq for item in found}
    missing = {item.seq for item in history} - visible
    assert missing <= {s for r in left_out.ranges for s in range(r.first, r.last + 1)}
    shortened = left_out.counts.get("shortened", 0)
    assert sum(left_out.counts.values()) == len(missing) + shortened
    assert bool(left_out) == bool(missing or shortened)


@many
@given(tool_loops(), st.lists(st.one_of(budgets(0.0), ages), max_size=2), st.integers(1, 5))
def test_a_last_step_is_found_by_small_pages(history, chosen, size):
    assert window(history, chosen, size=size) == window(history, chosen)


@many
@given(histories(least=3), st.lists(polite, max_size=3))
def test_nothing_is_in_it_that_was_not_said(history, chosen):
    said = {item.id: item for item in history}
    found = window(history, chosen)
    for item in found:
        if policies.alternate_roles() in chosen or item.id in found.changed:
            assert item.id in said or item.metadata["synthetic"]
        elif not item.metadata.get("synthetic"):
            assert item == said[item.id]


@many
@given(histories(least=3), st.lists(st.one_of(budgets(0.0, 0.5), ages), max_size=2))
def test_calls_stand_with_their_results(history, chosen):
    found = window(history, chosen)
    whole = {item.id for item in found}
    groups = [{item.id for item in one.items} for one in tool_groups(repair(history))[0]]
    assert all(one <= whole or not one & whole for one in groups)


@many
@given(histories(least=4, most=20), budgets(0.25, 0.5, 0.9))
def test_a_stepped_front_never_moves_back(history, budget):
    front, interrupted = 0, set[str]()
    for upto in range(1, len(history) + 1):
        view = synthetic(repair(history[:upto]))
        if not interrupted <= view:
            front = 0  # a result that came late after all may be smaller than what stood for it
        interrupted = view
        if found := window(history[:upto], [budget]):
            assert found[0].seq >= front
            front = found[0].seq


@many
@given(histories(least=1))
def test_editing_a_window_leaves_the_history_as_it_was(history):
    before = repr(history)
    window(history, [edited]).to_openai()
    valid(window(history, [edited])) if repair(history) else None
    assert repr(history) == before
