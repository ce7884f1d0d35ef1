"""Large tool results are cut in the view: what stays, how much, and that it never changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policies.said import items
from tests.window.histories import placed
from tests.window.looking import many, valid, window
from threadkeep import connect, policies
from threadkeep.errors import ConfigError
from threadkeep.types import Item
from threadkeep.window import tokens

LINES = "\n".join(f"line {number}: the sea is calm" for number in range(3_000))


def step(*results, **fields):
    """A question, the calls that it led to, and their results."""
    calls = [{"id": f"c{n}", "name": "read", "args": {"n": n}} for n in range(len(results))]
    answers = [
        Item(type="tool_result", role="tool", tool_call_id=f"c{n}", content=content, **fields)
        for n, content in enumerate(results)
    ]
    return placed([Item(content="q"), Item(role="assistant", tool_calls=calls), *answers])


def by_tokens(limit):
    return policies.max_tokens(limit, tokens.estimate)


@pytest.mark.proves("D2")
@pytest.mark.parametrize("limit", [1_000, 3_000, 30_000])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_step_of_large_results_is_within_the_budget(limit, count):
    found = window(step(*[LINES * 2] * count), [by_tokens(limit)])
    assert [item.role for item in found] == ["user", "assistant", *["tool"] * count]
    assert found.tokens <= limit
    assert found.over == 0
    assert tokens.total(found[2:], tokens.estimate) <= limit // 2 + 4 * count
    valid(found)


@pytest.mark.proves("D2")
def test_head_and_tail_stay_and_the_marker_says_how_much_is_missing():
    found = window(step(LINES), [by_tokens(3_000)])
    text = found[-1].text
    head, marker, tail = text.partition("\n[... ")
    assert LINES.startswith(head)
    assert LINES.endswith(tail.partition(" ...]\n")[2])
    assert f"of {len(LINES):,} characters left out" in marker + tail
    assert len(text) > 1_000


def test_small_results_beside_a_large_one_stay_whole():
    found = window(step("sunny", LINES, "rainy"), [by_tokens(1_000)])
    assert [found[2].text, found[4].text] == ["sunny", "rainy"]
    assert found[3].text != LINES


def test_characters_are_cut_likewise():
    found = window(step(LINES, LINES, LINES), [policies.max_characters(4_000)])
    assert sum(len(item.text) for item in found) <= 4_000


def test_each_result_has_a_cap_of_its_own():
    found = window(step(LINES, "short"), [policies.max_tool_result(100, tokens.estimate)])
    assert tokens.estimate(found[2].text) <= 100
    assert found[3].text == "short"


@pytest.mark.proves("D2")
def test_a_cut_stays_the_same_while_the_conversation_goes_on():
    history = step(LINES, LINES)
    before = window(history, [by_tokens(3_000)])
    later = items(("assistant", "done"), ("user", "thanks"), ("assistant", "welcome"))
    grown = placed([*history, *later])
    after = window(grown, [by_tokens(3_000)])
    assert [item.text for item in after[: len(before)]] == [item.text for item in before]


def test_text_and_json_blocks_are_cut_and_others_stay():
    image = {"type": "image", "url": "https://example.org/a.png"}
    blocks = [
        {"type": "text", "text": LINES},
        image,
        {"type": "json", "value": {"rows": [1] * 9999}},
    ]
    (result,) = window(step(blocks), [by_tokens(3_000)])[2:]
    assert not isinstance(result.content, str)
    assert result.content[1] == image
    assert tokens.count(result, tokens.estimate) < 1_000 + 750
    assert [block["type"] for block in result.content] == ["text", "image", "text"]


def test_arguments_and_reasoning_are_never_cut():
    thought = [{"type": "reasoning", "reasoning": LINES}]
    call = {"id": "x", "name": "write", "args": {"text": LINES}}
    history = placed(
        [
            Item(content="q"),
            Item(role="assistant", content=thought, tool_calls=[call]),
            Item(type="tool_result", role="tool", tool_call_id="x", content="written"),
        ]
    )
    found = window(history, [by_tokens(1_000)])
    assert list(found) == history
    assert found.over == found.tokens - 1_000


def test_the_payload_of_the_writer_is_cut_with_it():
    raw = {"format": "x/1", "data": {"id": "m1", "content": LINES, "note": "kept"}}
    (result,) = window(step(LINES, raw=raw), [by_tokens(1_000)])[2:]
    assert result.raw == {
        "format": "x/1",
        "data": {"id": "m1", "content": result.content, "note": "kept"},
    }
    other = {"format": "x/1", "data": {"parts": [LINES[:50], LINES[50:]]}}
    assert window(step(LINES, raw=other), [by_tokens(1_000)])[-1].raw is None


def test_what_is_stored_stays_whole():
    with connect("memory://") as memory:
        chat = memory.session("s")
        call = {"id": "c", "name": "read", "args": {}}
        result = {"role": "tool", "tool_call_id": "c", "content": LINES}
        chat.add("q", {"role": "assistant", "tool_calls": [call]}, result)
        found = chat.window(max_tokens=1_000)
        assert found.changed == {found[-1].id}
        assert len(found[-1].text) < len(LINES)
        assert chat.items()[-1].text == LINES
        assert chat.window()[-1].text == LINES


@many
@given(
    st.text(min_size=200, max_size=2_000),
    st.integers(64, 200),
    st.sampled_from([tokens.estimate, len]),
)
def test_any_text_is_cut_to_any_cap(text, cap, counter):
    (result,) = window(step(text), [policies.max_tool_result(cap, counter)])[2:]
    assert result.text == text if counter(text) <= cap else counter(result.text) <= cap + 40
    assert counter(text) <= cap or len(result.text) <= len(text) + 80


@pytest.mark.proves("D2")
@pytest.mark.parametrize("merged", [[], [policies.alternate_roles()]], ids=["plain", "merged"])
def test_unanswered_messages_are_within_the_budget(merged):
    history = items(*[("user", "first message")] * 1_000)
    assert window(history, [*merged, by_tokens(50)]).tokens <= 50
    assert len(window(history, [policies.max_messages(5)])) == 5
    assert len(window(history, [policies.max_turns(5)])) == 5
    assert len(window(history, [policies.max_exchanges(5)])) == 5


def test_a_question_larger_than_the_budget_says_by_how_much():
    found = window(items(("user", "word " * 500)), [by_tokens(100)])
    assert (len(found), found.over) == (1, found.tokens - 100)
    assert window(items(("user", "hi")), [by_tokens(100)]).over == 0


def test_it_is_said_what_was_left_out_and_why():
    history = items(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    found = window(history, [policies.max_messages(2)])
    assert found.left_out.counts == {"max_messages": 2}
    assert list(found.left_out.ranges) == [(1, 2, "max_messages", 2)]
    assert found.left_out.unread_before is None
    assert not window(history, []).left_out
    assert window(step(LINES), [by_tokens(1_000)]).left_out.counts == {"shortened": 1}


def test_a_long_list_of_what_was_left_out_is_bounded():
    history = items(*[("user", "a"), ("assistant", "b")] * 200)
    found = window(history, [policies.only(role="user")]).left_out
    assert found.counts == {"only": 200}
    assert len(found.ranges) == 20


def test_what_was_not_read_is_said_too():
    history = items(*[("user", "a"), ("assistant", "b")] * 200)
    found = window(history, [policies.max_messages(4)], size=8)
    assert found.left_out.unread_before == 393
    assert found.left_out


@pytest.mark.parametrize("wrong", [0, 63, "9", None, 1.5])
def test_a_cap_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ConfigError, match="max_tool_result must be"):
        policies.max_tool_result(wrong)
