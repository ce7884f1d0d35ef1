"""Call ids that turns repeat: the input of a run has each once; the store has what was added."""

from __future__ import annotations

import asyncio
import copy
import json

import pytest
from agents import RunConfig, Runner, SessionSettings
from agents.run_internal.session_persistence import rewind_session_items
from hypothesis import given
from hypothesis import strategies as st

from openai_agents_threadkeep import ThreadkeepSession
from openai_agents_threadkeep.unique_call_ids import with_unique_call_ids
from tests.integrations.openai_agents.conftest import scripted
from threadkeep.testing import assert_valid


def run(awaitable):
    return asyncio.run(awaitable)


def told(text):
    return {"role": "user", "content": text}


def call(city, id="call_1"):
    arguments = json.dumps({"city": city})
    return {"type": "function_call", "call_id": id, "name": "w", "arguments": arguments}


def output(text, id="call_1"):
    return {"type": "function_call_output", "call_id": id, "output": text}


def turn(city, id="call_1"):
    return [told(city), call(city, id), output(f"{city} is fine", id)]


def answers(entries):
    """What each call was answered, by its arguments."""
    results = {one["call_id"]: one["output"] for one in entries if "output" in one}
    asked = [one for one in entries if "arguments" in one]
    return [(json.loads(one["arguments"])["city"], results.get(one["call_id"])) for one in asked]


THREE = [*turn("Oslo"), *turn("Rome"), *turn("Bonn")]


def test_what_is_returned_is_a_valid_input_with_each_result_at_its_call(session):
    async def story():
        for start in (0, 3, 6):
            await session.add_items(copy.deepcopy(THREE[start : start + 3]))
        found = await session.get_items()
        assert_valid(found, "responses")
        assert answers(found) == [(c, f"{c} is fine") for c in ("Oslo", "Rome", "Bonn")]
        assert found[6:] == THREE[6:], "the newest pair keeps its id while its turn goes on"

    run(story())


def test_the_store_and_pop_have_what_was_added(session):
    async def story():
        await session.add_items(copy.deepcopy(THREE))
        await session.get_items()
        assert [await session.pop_item() for _ in THREE] == THREE[::-1]

    run(story())


@pytest.mark.parametrize("limit", range(1, 10))
def test_within_a_limit_pairs_that_are_whole_are_apart(session, limit):
    async def story():
        await session.add_items(copy.deepcopy(THREE))
        found = await session.get_items(limit)
        assert len(found) == limit, "the SDK counts items, and leaves out the results it cuts off"
        whole = found[limit % 3 == 1 :]
        cities = ["Oslo", "Rome", "Bonn"][3 - (limit + 1) // 3 :] if limit > 1 else []
        assert answers(whole) == [(city, f"{city} is fine") for city in cities]
        if whole:
            assert_valid(whole, "responses")

    run(story())


def test_within_a_window_pairs_are_apart(memory):
    async def story():
        session = ThreadkeepSession("chat", memory, window={"max_messages": 5, "step": 0})
        await session.add_items(copy.deepcopy(THREE))
        found = await session.get_items()
        assert_valid(found, "responses")
        assert [city for city, _ in answers(found)] == ["Rome", "Bonn"]

    run(story())


def test_an_id_that_was_given_stays_the_same_when_the_window_moves(session):
    async def story():
        await session.add_items([*copy.deepcopy(THREE), told("and?")])
        whole, part = await session.get_items(), await session.get_items(7)
        assert part == whole[3:]
        await session.add_items(copy.deepcopy(turn("Kiel")))
        assert (await session.get_items())[:10] == whole

    run(story())


def test_pairs_that_say_the_same_are_apart_too(session):
    async def story():
        await session.add_items([*turn("Oslo"), *turn("Oslo"), *turn("Oslo")])
        assert_valid(await session.get_items(), "responses")

    run(story())


def test_parallel_calls_of_one_id_get_their_results_in_order():
    parallel = [call("Oslo"), call("Rome"), output("cold"), output("warm")]
    found = with_unique_call_ids([told("?"), *parallel, told("ah")])
    assert answers(found) == [("Oslo", "cold"), ("Rome", "warm")]
    assert_valid(found, "responses")


def test_a_call_left_open_in_an_earlier_turn_takes_no_later_result():
    found = with_unique_call_ids([told("?"), call("Oslo"), *turn("Rome")])
    assert answers(found) == [("Oslo", None), ("Rome", "Rome is fine")]


def test_a_pending_call_keeps_its_id():
    entries = [*turn("Oslo"), told("?"), call("Rome")]
    assert with_unique_call_ids(entries)[3:] == entries[3:]
    assert_valid(with_unique_call_ids(entries), "responses")


def test_a_call_added_twice_has_its_own_id_once():
    entries = [told("a"), {**call("Oslo"), "id": "fc_1"}, output("x")]
    found = with_unique_call_ids(entries * 2)
    assert_valid(found, "responses")
    assert found[3:] == entries


def test_a_result_whose_call_was_cut_off_is_not_taken_for_a_later_one():
    stray = output("old")
    found = with_unique_call_ids([stray, *turn("Rome"), told("and?")])
    assert found[0] == stray
    assert found[3]["call_id"] != "call_1"
    assert_valid(found[1:], "responses")


def test_other_kinds_of_calls_are_apart_as_well():
    shell = {"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls"}
    done = {"type": "custom_tool_call_output", "call_id": "c", "output": "a.txt"}
    found = with_unique_call_ids([shell, done, call("Oslo", "c"), output("x", "c"), shell, done])
    assert_valid(found, "responses")
    assert found[4:] == [shell, done]


def test_a_conversation_without_repeated_ids_is_left_alone():
    entries = [*turn("Oslo", "a"), *turn("Rome", "b"), output("stray", "c")]
    assert with_unique_call_ids(entries) is entries


moves = st.lists(
    st.sampled_from(
        [told("hi"), call("Oslo"), call("Rome"), call("Oslo", "c2"), output("x"), output("y", "c2")]
    ),
    max_size=12,
)


@given(moves)
def test_whatever_comes_no_id_stands_for_two_calls_and_nothing_else_changes(entries):
    given_ = copy.deepcopy(entries)
    found = with_unique_call_ids(entries)
    calls = [one["call_id"] for one in found if one.get("type") == "function_call"]
    assert len(calls) == len(set(calls))
    assert entries == given_

    def nameless(one):
        return {key: value for key, value in one.items() if key != "call_id"}

    assert [nameless(one) for one in found] == [nameless(one) for one in entries]


CALLS = [
    {"tool_calls": [{"name": "weather", "args": {"city": city}, "id": "call_0"}]}
    for city in ("Oslo", "Rome", "Bonn")
]


@pytest.mark.parametrize(("limit", "turns"), [(None, 3), (7, 3), (6, 2)])
def test_a_model_that_counts_its_calls_from_zero_is_told_of_all_turns(session, limit, turns):
    async def story():
        replies = [reply for each in CALLS for reply in (each, "fine")]
        async with scripted("responses")(replies) as (agent, model):
            config = RunConfig(session_settings=SessionSettings(limit=limit))
            for city in ("Oslo", "Rome", "Bonn"):
                await Runner.run(agent, f"{city}?", session=session, run_config=config)
            sent = model.requests[-1]["input"]
        assert_valid(sent, "responses")
        cities = ("Oslo", "Rome", "Bonn")[-turns:]
        assert [said for _, said in answers(sent)] == [f"{city}: 21 degrees" for city in cities]

    run(story())


def test_the_sdk_can_take_back_a_turn_that_repeats_an_id(session):
    async def story():
        await session.add_items(copy.deepcopy(THREE))
        await rewind_session_items(session, copy.deepcopy(THREE[6:]))
        assert len(await session.get_items()) == 6

    run(story())
