"""`Session.items`: the whole, the newest, and page by page."""

from __future__ import annotations

import logging
import uuid

import pytest

from tests.engine.doubles import START
from threadkeep.errors import ConfigError, InputError, NotFound
from threadkeep.types import Record


@pytest.fixture
def ten(chat):
    return chat.add(*({"role": "user", "content": f"{n}", "id": f"m{n}"} for n in range(10)))


def texts(items):
    return "".join(item.content for item in items)


def test_all_of_them_unless_told_otherwise(chat, ten):
    assert chat.items() == ten
    assert chat.items().cursor is None


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"last": 3}, "789"),
        ({"last": 0}, ""),
        ({"last": 100}, "0123456789"),
        ({"limit": 3}, "012"),
        ({"limit": 0}, ""),
        ({"after": "m6"}, "789"),
        ({"before": "m3"}, "012"),
        ({"after": "m2", "before": "m6"}, "345"),
        ({"after": "m6", "before": "m2"}, ""),
        ({"after": "m9"}, ""),
        ({"after": "m2", "limit": 2}, "34"),
        ({"before": "m8", "last": 2}, "67"),
        ({"after": "m5", "last": 2}, "89"),
        ({"after": 0}, "0123456789"),
        ({"after": 10**15}, ""),
        ({"before": 0}, ""),
    ],
)
def test_bounds(chat, ten, bounds, found):
    assert texts(chat.items(**bounds)) == found


def test_a_seq_and_an_id_name_the_same_place(chat, ten):
    assert chat.items(after=ten[4].seq) == chat.items(after="m4") == ten[5:]
    assert chat.items(before=ten[4].seq) == chat.items(before="m4") == ten[:4]


@pytest.mark.parametrize("limit", [1, 3, 5, 9, 10, 11])
def test_the_cursor_leads_over_everything_once(chat, ten, limit):
    found, cursor = [], None
    while True:
        page = chat.items(limit=limit, after=cursor)
        assert len(page) <= limit
        found += page
        cursor = page.cursor
        if cursor is None:
            break
    assert found == ten


def test_the_last_page_says_so_even_if_it_is_full(chat, ten):
    assert chat.items(limit=10).cursor is None
    assert chat.items(limit=9).cursor == ten[8].seq


@pytest.mark.parametrize("bound", ["after", "before"])
def test_an_unknown_id_is_an_error_that_names_it(chat, ten, bound):
    with pytest.raises(NotFound, match=f"{bound}.*'m77'"):
        chat.items(**{bound: "m77"})


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"last": -1}, "last"),
        ({"last": "3"}, "last"),
        ({"last": 1.0}, "last"),
        ({"limit": True}, "limit"),
        ({"limit": -5}, "limit"),
        ({"after": 1.5}, "after"),
        ({"before": b"m1"}, "before"),
        ({"last": 1, "limit": 1}, "last= and limit="),
    ],
)
def test_impossible_bounds_are_named(chat, ten, bad, name):
    with pytest.raises(InputError, match=name):
        chat.items(**bad)


def test_a_session_that_is_not_there_has_no_items(memory):
    chat = memory.session("nothing", user="ada")
    assert chat.items() == []
    assert chat.items(limit=5).cursor is None
    assert chat.window() == []
    assert chat.files.list() == []
    assert chat.info() is None


def test_reading_begins_no_session(memory):
    test_a_session_that_is_not_there_has_no_items(memory)
    assert memory.sessions() == []
    assert memory.sessions(user="ada") == []


def test_an_unreadable_record_does_not_hide_the_others(chat, backend, caplog):
    chat.add("one")
    bodies = ["{", '{"content": 5}', "[]", '{"role": "user", "content": [{"type": "text"}]}']
    ids = [f"{uuid.uuid4()}" for _ in bodies]
    put = [Record("item", id, body, START) for id, body in zip(ids, bodies, strict=True)]
    backend.commit("default/session/chat", put=put, now=START)
    chat.add("two")
    with caplog.at_level(logging.WARNING, "threadkeep"):
        items = chat.items()
    assert [item.type for item in items] == ["message", *["opaque"] * 4, "message"]
    assert [item.id for item in items[1:5]] == ids
    assert ids[0] in caplog.text
    assert len(chat.window()) >= 2


def test_handles_are_cheap_and_say_what_they_are(memory):
    chat = memory.session("chat", user="ada", agent="planner")
    assert (chat.id, chat.user, chat.agent) == ("chat", "ada", "planner")
    assert "chat" in repr(chat)
    assert "ada" in repr(memory.user("ada"))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"id": ""}, "session id"),
        ({"id": 5}, "session id"),
        ({"id": None}, "session id"),
        ({"id": "a", "agent": ""}, "agent"),
        ({"id": "a", "agent": 5}, "agent"),
        ({"id": "a", "metadata": "x"}, "metadata"),
    ],
)
def test_a_handle_with_bad_names_is_refused_at_once(memory, given, name):
    with pytest.raises(InputError, match=name):
        memory.session(**given)


@pytest.mark.parametrize("user", ["", True, 5.0, b"ada"])
def test_user_id_that_is_none_is_refused_at_once(memory, user):
    with pytest.raises(ConfigError, match="user"):
        memory.session("a", user=user)


@pytest.mark.parametrize("huge", [2**64, 10**30])
def test_numbers_that_no_store_can_hold_are_beyond_everything(memory, huge):
    chat = memory.session("huge", user="ada")
    chat.add("one", "two")
    assert chat.items(after=huge) == []
    assert [item.text for item in chat.items(before=huge, last=huge)] == ["one", "two"]
    assert [item.text for item in chat.items(after=-huge, limit=huge)] == ["one", "two"]
    assert [item.text for item in chat.window(lookback=huge, max_messages=huge)] == ["one", "two"]
    assert chat.items(before=-huge) == []
    assert memory.sweep(limit=huge) == 0
    for listed in (memory.sessions, memory.user("ada").sessions):
        with pytest.raises(InputError, match="cursor"):
            listed(cursor=huge)
