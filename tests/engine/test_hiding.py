"""`hide` and `unhide`: what is hidden is stored, and shown to nobody who does not ask."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import threadkeep
from tests.longterm.test_summaries import sum_up
from threadkeep import Item
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import InputError
from threadkeep.types import Query


def texts(items):
    return [item.text for item in items]


def named(*names):
    return [
        {"role": "user" if " " in name else "assistant", "content": name, "id": name}
        for name in names
    ]


@pytest.fixture
def letters(chat):
    chat.add(*named(*"abcdef"))
    chat.hide("b", "e")
    return chat


class TestHiding:
    def test_hidden_items_are_listed_only_on_request(self, letters):
        assert texts(letters.items()) == list("acdf")
        assert texts(letters.items(hidden=True)) == list("abcdef")
        assert [item.text for item in letters.items(hidden=True) if item.hidden] == ["b", "e"]

    def test_windows_do_not_hold_them(self, letters):
        assert texts(letters.window()) == list("acdf")
        assert texts(letters.window(max_messages=3)) == list("cdf")
        assert letters.window().dropped == 0

    def test_a_limit_counts_what_is_shown(self, letters):
        assert texts(letters.items(last=3)) == list("cdf")
        assert texts(letters.items(last=3, before="f")) == list("acd")
        page = letters.items(limit=2)
        assert texts(page) == ["a", "c"]
        assert texts(letters.items(limit=2, after=page.cursor)) == ["d", "f"]

    def test_unhide_shows_them_at_their_old_place(self, letters):
        assert letters.unhide("b", "c", "unknown") == 1
        assert texts(letters.items()) == list("abcdf")

    def test_hiding_again_changes_nothing(self, letters):
        before = letters.items(hidden=True)
        assert letters.hide("b", "unknown") == 0
        assert letters.items(hidden=True) == before

    def test_everything_else_of_an_item_stays(self, chat, clock):
        call = {"id": "1", "name": "f", "args": {"x": 1}}
        [item] = chat.add(Item(role="assistant", tool_calls=[call], metadata={"k": 1}, name="Bo"))
        clock.tick(50)
        chat.hide(item.id)
        assert chat.items(hidden=True)[0].hidden
        chat.unhide(item.id)
        assert chat.items() == [item]

    def test_an_item_may_be_added_hidden(self, chat):
        chat.add(Item(content="x", hidden=True), {"role": "user", "content": "y", "hidden": True})
        assert chat.items() == []
        assert len(chat.items(hidden=True)) == 2
        with pytest.raises(InputError, match="hidden must be a bool"):
            chat.add({"role": "user", "content": "y", "hidden": "yes"})

    def test_replace_keeps_it_hidden_and_add_shows_it_again(self, letters):
        letters.replace("b", named("B")[0])
        assert texts(letters.items()) == list("acdf")
        letters.add(*named("e"))
        assert texts(letters.items()) == list("acdef")


class TestOtherVerbs:
    def test_rewind_counts_what_is_shown_and_takes_what_is_behind(self, letters):
        assert texts(letters.rewind(last=2)) == ["d", "f"]
        assert texts(letters.items(hidden=True)) == list("abc")

    def test_clear_keeps_the_newest_that_are_shown(self, letters):
        letters.clear(keep_last=2)
        assert texts(letters.items()) == ["d", "f"]

    def test_clear_takes_the_hidden_ones(self, letters):
        letters.hide(*"acdf")
        letters.clear()
        assert letters.items(hidden=True) == []

    def test_fork_and_forget(self, letters):
        assert texts(letters.fork("copy").items(hidden=True)) == list("abcdef")
        assert letters.forget("b") == 1
        assert "b" not in texts(letters.items(hidden=True))

    def test_conversations_do_not_show_them(self, memory, letters):
        conversations = memory.conversations
        assert texts(conversations.items("chat", limit=3)) == list("acd")
        assert texts(conversations.items("chat", limit=3, order="desc")) == list("fdc")
        with pytest.raises(threadkeep.errors.NotFound):
            conversations.item("chat", "b")

    def test_an_export_has_them(self, memory, letters):
        lines = [json.loads(line) for line in memory.user("ada").export().splitlines()]
        hidden = {x["id"] for x in lines if (x.get("body") or {}).get("hidden")}
        assert hidden == {"b", "e"}


class TestLongTermMemory:
    def test_recall_does_not_find_them_or_show_them_as_neighbours(self, memory, clock):
        ada = memory.user("ada")
        chat = ada.session("s")
        chat.add(*named("the zebra eats", "my passport is in the drawer", "good night"))
        assert ada.recall("passport drawer")
        chat.hide("my passport is in the drawer")
        assert ada.recall("passport drawer") == []
        hit = ada.recall("zebra")[0]
        assert hit.item.text == "the zebra eats"
        assert hit.after is None or "passport" not in hit.after.text
        clock.tick(1)
        chat.unhide("my passport is in the drawer")
        assert ada.recall("passport drawer")

    def test_a_summary_that_covers_one_goes(self, memory):
        chat = memory.user("ada").session("s")
        chat.add(*named("my passport is in the drawer", "thanks", "good night"))
        sum_up(chat, upto=chat.items()[1])
        chat.hide("good night")
        assert chat.summary() is not None
        chat.hide("thanks")
        assert chat.summary() is None


def test_items_stored_before_read_as_shown_and_plain_ones_are_written_as_before(memory, backend):
    chat = memory.session("s")
    chat.add(*named("a"))
    [page] = backend.read(Query("default/session/s", "item"), now=0)
    assert "hidden" not in page.records[0].body


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["add", "hide", "unhide", "replace"]), st.integers(0, 11)),
        max_size=25,
    ),
    count=st.integers(1, 6),
)
def test_every_reader_agrees_with_a_plain_list(steps, count):
    with threadkeep.Memory(MemoryBackend()) as memory:
        chat, expected = memory.session("s"), {}
        for verb, number in steps:
            id = str(number)
            if verb == "add":
                chat.add(*named(id))
                expected[id] = False
            elif verb == "replace" and id in expected:
                chat.replace(id, *named(id))
            elif verb != "replace":
                getattr(chat, verb)(id)
                if id in expected:
                    expected[id] = verb == "hide"
        order = [item.id for item in chat.items(hidden=True)]
        assert set(order) == expected.keys()
        shown = [id for id in order if not expected[id]]
        assert texts(chat.items()) == shown
        assert texts(chat.items(last=count)) == shown[-count:]
        assert texts(chat.window()) == shown
        assert texts(chat.window(max_messages=count)) == shown[-count:]
        paged, cursor = [], None
        while True:
            page = chat.items(limit=count, after=cursor)
            paged += texts(page)
            cursor = page.cursor
            if cursor is None:
                break
        assert paged == shown
