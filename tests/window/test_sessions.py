"""Windows of real sessions: what they show is a view, and what is stored stays what was said."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.window.histories import NOISE, chat_message, pieces
from tests.window.looking import filters, many, valid
from tests.window.strategies import any_policies
from threadkeep import Item, connect
from threadkeep.errors import Conflict, InputError, NotFound
from threadkeep.messages.tool_groups import repair
from threadkeep.window import tokens

QUESTION, CALL = (
    {"role": "user", "content": "How is the weather?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        ],
    },
)


@pytest.fixture
def chat():
    with connect("memory://", clock=lambda: 1_700_000_000.0) as memory:
        yield memory.session("chat", user="ada")


@pytest.mark.proves("C11", "C13")
@many
@given(st.lists(pieces, min_size=1, max_size=8), any_policies)
def test_what_is_stored_stays_and_every_window_is_valid(drawn, chosen):
    with connect("memory://") as memory:
        chat = memory.session("chat", user="ada")
        for piece in drawn:
            with suppress(NotFound, Conflict):  # of an item that is not there, or is another's
                chat.add(*(item for item in piece if item.type not in NOISE))
        before = chat.items()
        found = chat.window(policy=chosen, counter=tokens.estimate)
        assert found == chat.window(policy=chosen, counter=tokens.estimate)
        assert found or not repair(before) or filters(chosen)
        if found:
            valid(found)
        assert chat.items() == before


@many
@given(st.lists(chat_message(), max_size=6), chat_message())
def test_a_refused_message_leaves_nothing_behind(messages, last):
    with connect("memory://") as memory:
        chat = memory.session("chat", user="ada")
        try:
            added = chat.add(*messages, last)
        except InputError:
            assert chat.items() == []
            assert chat.info() is None
        else:
            assert chat.items() == added


@pytest.mark.proves("C13")
def test_a_result_that_never_came_is_made_up_for_the_model_and_never_stored(chat):
    stored = chat.add(QUESTION, CALL, "Never mind.")
    window = chat.window()
    (made,) = [item for item in window if item.seq not in {item.seq for item in stored[2:]}][2:]
    assert made.role == "tool"
    assert made.tool_call_id == "call_1"
    assert made.status == "error"
    assert "No result" in made.text
    assert chat.items() == stored
    valid(window)


@pytest.mark.proves("C13")
def test_a_result_that_comes_after_all_takes_the_place_of_the_made_up_one(chat):
    chat.add(QUESTION, CALL, "Never mind.")
    chat.add({"role": "tool", "tool_call_id": "call_1", "content": "sunny"})
    wire = chat.window().to_openai()
    assert [message["role"] for message in wire] == ["user", "assistant", "tool", "user"]
    assert wire[2]["content"] == "sunny"


@pytest.mark.proves("C13")
def test_calls_at_the_very_end_stay_open(chat):
    """An interrupted agent goes on from here: nobody may answer in its tools' place."""
    chat.add(QUESTION, CALL)
    assert [item.role for item in chat.window()] == ["user", "assistant"]


def test_an_unreadable_record_is_neither_seen_nor_in_the_way(chat):
    chat.add("one", Item(type="opaque", role="unknown"), {"type": "notice", "role": "x"} | QUESTION)
    assert [item.content for item in chat.window()] == ["one"]
    assert len(chat.items()) == 3


def test_an_empty_session_has_an_empty_window(chat):
    window = chat.window(max_tokens=10)
    assert window == []
    assert (window.to_openai(), window.to_responses(), window.to_anthropic()) == ([], [], [])
    assert (window.tokens, window.dropped) == (0, 0)


def test_how_far_back_is_read_has_an_end(chat):
    chat.add(*(f"message {n}" for n in range(50)))
    assert len(chat.window(lookback=20)) == 20
    assert chat.window(lookback=20, policy=list)[0].content == "message 30"


def test_a_window_shows_itself_in_a_notebook(chat):
    chat.add({"role": "user", "content": "<script>alert('hi')</script>"}, CALL)
    shown = chat.window(counter=tokens.estimate)._repr_html_()
    assert "<script>" not in shown
    assert "look(…)" in shown
    assert "2 items" in shown
