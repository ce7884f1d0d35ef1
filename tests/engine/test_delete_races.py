"""Deletions that meet other writers, call by call in any order: who lives stays listed."""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.doubles import Clock
from tests.engine.turns import interleave
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import Conflict, NotOwner


def add(user="ada"):
    return lambda store: connect(store).session("chat", user=user).add("anew")


def delete(user="ada"):
    return lambda store: connect(store).session("chat", user=user).delete()


def create(store):
    connect(store).conversations.create("chat", user="ada", items=["anew"])


def respond(store):
    connect(store).responses.add({"id": "r", "output": []}, user="ada", conversation="chat")


def fork(store):
    connect(store).session("other", user="ada").fork("chat")


STORIES = {
    "two deletions and an add": [delete(), delete(), add()],
    "a user's, an operator's, and an add": [delete(), delete(None), add()],
    "two adds and a deletion": [add(), add(), delete()],
    "two adds and two deletions": [add(), add(), delete(), delete(None)],
    "a creation": [delete(), create, delete()],
    "a fork": [delete(), fork, delete()],
    "a response": [delete(), respond, delete()],
    "somebody else's add": [delete(), add("bob"), delete()],
    "both users": [delete(), add("bob"), add(), delete("bob")],
}
runs = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 8)), max_size=14)
many = settings(max_examples=int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "60")))


@pytest.mark.parametrize("alive", [True, False])
@pytest.mark.parametrize("story", STORIES)
@many
@given(runs=runs)
def test_a_live_session_is_listed_whoever_deletes(story, alive, runs):
    order = [actor for actor, count in runs for _ in range(count)]
    play(STORIES[story], order, alive=alive)


@pytest.mark.parametrize("story", [*list(STORIES)[:3], "a response"])
def test_a_live_session_is_listed_where_one_waits_for_two_others(story):
    """One stops at any of its calls, another runs, the third stops, and the first goes on."""
    for first, second, third in itertools.permutations(range(3)):
        for calls, more in itertools.product(range(1, 10), repeat=2):
            order = [first] * calls + [second] * 40 + [third] * more + [first] * 40
            play(STORIES[story], order, alive=True)


def play(actors, order, *, alive):
    """Run the actors in an order, on a session that is there or not, and look what is left."""
    store = MemoryBackend()
    memory = connect(store, clock=Clock())
    memory.session("other", user="ada").add("to be forked")
    if alive:
        memory.responses.add({"id": "r", "output": []}, user="ada", conversation="chat")
    errors = interleave(store, actors, [actor for actor in order if actor < len(actors)])
    assert all(isinstance(error, (Conflict, NotOwner)) for error in errors)
    check(connect(store))


def check(memory):
    info = memory.session("chat").info()
    for user in ("ada", "bob"):
        listed = [info.id for info in memory.sessions(user=user)]
        assert ("chat" in listed) == (info is not None and info.user == user)
    for response in memory.responses.list(conversation="chat"):
        assert memory.responses.get(response.id).conversation == "chat"
    memory.user("ada").forget()
    if info is not None and info.user == "ada":
        assert memory.session("chat").info() is None
    assert memory.sessions(user="ada") == []
