"""A sub-agent's session, `<session>/<agent>`, is no chat of the user's list."""

from __future__ import annotations

import pytest


def test_lists_leave_it_out(memory):
    for number in range(3):
        memory.session(f"t{number}", user="ada").add("Hello")
        memory.session(f"t{number}/scout", user="ada", agent="scout").add("Find it")
    page = memory.user("ada").sessions(limit=2)
    found = [info.id for info in page]
    while page.cursor is not None:
        page = memory.user("ada").sessions(limit=2, cursor=page.cursor)
        found += [info.id for info in page]
    assert sorted(found) == ["t0", "t1", "t2"]
    assert sorted(info.id for info in memory.sessions()) == ["t0", "t1", "t2"]
    assert memory.session("t0/scout", user="ada").info().agent == "scout"


def test_an_agent_with_a_chat_of_its_own_is_listed(memory):
    memory.session("a/b", user="ada").add("Hello")
    memory.session("planner", user="ada", agent="planner").add("Hello")
    assert {info.id for info in memory.user("ada").sessions()} == {"a/b", "planner"}


def test_what_its_model_cost_is_counted_and_can_be_cleared(memory):
    memory.session("t", user="ada").add("Hello")
    memory.session("t/scout", user="ada", agent="scout").add("Find it")
    memory.responses.add(
        {"id": "r", "model": "gpt-5", "output": [], "usage": {"input_tokens": 3}},
        conversation="t/scout",
    )
    memory.feedback.add("r", rating="positive")
    assert memory.responses.usage()["gpt-5"].input_tokens == 3
    assert memory.user("ada").responses.usage()["gpt-5"].input_tokens == 3
    assert memory.feedback.counts()["gpt-5"].total == 1
    assert [info.id for info in memory.conversations.list(user="ada")] == ["t"]
    assert memory.responses.clear(user="ada") == 1


@pytest.mark.proves("D5")
def test_they_are_listed_by_their_parent(memory):
    for id in ("t", "t2", "t/x"):
        memory.session(id, user="ada").add("Hello")
        for call in ("1", "2", "3"):
            memory.session(f"{id}/scout/{call}", user="ada", agent="scout").add("Find it")
    memory.session("t/planner", user="ada", agent="planner").add("Plan it")
    ada, found, cursor = memory.user("ada"), [], None
    while True:
        page = ada.sessions(parent="t", limit=2, cursor=cursor)
        found += [info.id for info in page]
        cursor = page.cursor
        if cursor is None:
            break
    below = ["t/planner", *(f"t/scout/{n}" for n in "123"), *(f"t/x/scout/{n}" for n in "123")]
    assert sorted(found) == below
    assert sorted(info.id for info in memory.sessions(parent="t", limit=100)) == below
    assert sorted(info.id for info in ada.sessions()) == ["t", "t/x", "t2"]
    assert memory.user("bob").sessions(parent="t") == []
