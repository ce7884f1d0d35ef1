"""`alternate_roles`: neighbours of one role become one message, in the view only."""

from __future__ import annotations

from tests.window.histories import placed
from tests.window.looking import window
from threadkeep.policies import alternate_roles, max_messages
from threadkeep.types import Item


def merged(*items, policies=()):
    return window(placed(list(items)), [alternate_roles(), *policies])


def said(*items, **options):
    return [(item.role, item.content) for item in merged(*items, **options)]


def test_neighbours_of_one_role_are_one_with_a_blank_line_between():
    found = said(
        Item(content="a"), Item(content="b"), Item(role="assistant", content="c"), Item(content="d")
    )
    assert found == [("user", "a\n\nb"), ("assistant", "c"), ("user", "d")]


def test_an_empty_text_adds_no_blank_line():
    assert said(Item(content=""), Item(content="b"), Item(content="")) == [("user", "b")]


def test_text_and_blocks_become_blocks():
    picture = {"type": "image", "url": "https://x.test/a.png"}
    (found,) = merged(Item(content="look"), Item(content=[picture]))
    assert found.content == [{"type": "text", "text": "look"}, picture]


def test_calls_results_and_reasoning_are_never_merged():
    calls = [{"id": "x", "name": "f", "args": {}}]
    thought = [{"type": "reasoning", "reasoning": "hm"}]
    items = [
        Item(role="assistant", content="a"),
        Item(role="assistant", tool_calls=calls),
        Item(type="tool_result", role="tool", tool_call_id="x", content="r"),
        Item(role="assistant", content=thought),
        Item(role="assistant", content="b"),
    ]
    assert len(merged(*items)) == 5


def test_a_result_that_comes_late_does_not_part_its_neighbours():
    calls = [{"id": "x", "name": "f", "args": {}}]
    late = Item(type="tool_result", role="tool", tool_call_id="x", content="r")
    found = said(
        Item(role="assistant", tool_calls=calls), Item(content="a"), late, Item(content="b")
    )
    assert found == [("assistant", ""), ("user", "a\n\nb"), ("tool", "r")]


def test_a_merged_item_keeps_the_first_ones_place_and_no_payload():
    raw = {"format": "elsewhere/1", "data": {}}
    first, second = placed(
        [
            Item(content="a", name="ada", metadata={"k": 1, "a": 1}, raw=raw),
            Item(content="b", name="bob", metadata={"k": 2, "b": 2}),
        ]
    )
    (found,) = alternate_roles()([first, second])
    assert (found.id, found.seq, found.created_at) == (first.id, first.seq, first.created_at)
    assert (found.name, found.raw) == (None, None)
    assert found.metadata == {"k": 1, "a": 1, "b": 2}
    assert (first.content, second.content) == ("a", "b")


def test_a_budget_behind_it_counts_the_merged():
    items = [Item(content=text) for text in "abc"]
    found = said(*items, Item(role="assistant", content="d"), policies=[max_messages(2)])
    assert found == [("user", "a\n\nb\n\nc"), ("assistant", "d")]
