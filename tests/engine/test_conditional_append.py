"""Appends of adapters that depend on the end of a session: in commits that every store takes."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Judge, Meddling
from threadkeep import Item
from threadkeep.adapters.conditional_append import Addition, add_if


def many(count=1_500, size=0):
    return [Item(content=f"{number} {'x' * size}") for number in range(count)]


def texts(chat):
    return [item.text for item in chat.items()]


@pytest.mark.parametrize("items", [many(), many(100, 50_000)], ids=["many", "large"])
def test_more_than_a_store_takes_at_once_is_written_in_several_steps(opened, items):
    chat = opened(Judge).session("c", user="ada")
    stored = add_if(chat, (), lambda tail: Addition(items, {"state": 1}))
    assert stored is not None
    assert [item.text for item in stored] == [item.text for item in items]
    assert texts(chat) == [item.text for item in items]
    assert [item.seq for item in chat.items()] == [item.seq for item in stored]
    assert chat.info().metadata == {"state": 1}


def test_who_writes_between_the_steps_is_before_all_of_it(opened):
    meddling = []

    def wrap(inner):
        meddling.append(Meddling(inner))
        return meddling[0]

    chat, items = opened(wrap).session("c"), many()
    chat.add("first")
    others = opened().session("c")
    decisions = []

    def decide(tail):
        decisions.append(tail.newest.text)
        return Addition(items)

    meddling[0].before_commit = [lambda: None, lambda: others.add("second")]
    add_if(chat, (), decide)
    assert texts(chat) == ["first", "second", *(item.text for item in items)]
    assert decisions == ["first", "second"]


def test_metadata_alone_is_written_without_items(opened):
    chat = opened(Judge).session("c")
    assert add_if(chat, (), lambda tail: Addition((), {"state": 1})) == []
    assert chat.info().metadata == {"state": 1}
    assert add_if(chat, (), lambda tail: None) is None
