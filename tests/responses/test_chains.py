"""`previous_response_id`: chains across conversations, to a depth, and never in a circle."""

from __future__ import annotations

import pytest

from tests.engine.doubles import Counting, Meddling
from tests.responses.conftest import answer
from threadkeep.errors import CorruptRecord, InputError, NotFound, NotOwner


def ids(found):
    return [response.id for response in found]


def say(memory, *steps, **how):
    """Adds `b<a` (b goes on from a), optionally `b<a@chat`."""
    for step in steps:
        name, _, chat = step.partition("@")
        id, _, previous = name.partition("<")
        said = answer(id, **({"previous_response_id": previous} if previous else {}))
        memory.responses.add(said, conversation=chat or None, **how)


@pytest.mark.proves("B53")
def test_a_chain_is_oldest_first(memory):
    say(memory, "a", "b<a", "c<b", "x<a")
    assert ids(memory.responses.chain("c")) == ["a", "b", "c"]
    assert ids(memory.responses.chain("x")) == ["a", "x"]
    assert ids(memory.responses.chain("a")) == ["a"]
    assert memory.responses.chain("c").cursor is None
    assert memory.responses.chain("c")[1] == memory.responses.get("b")


def test_a_chain_leads_through_conversations(memory):
    say(memory, "a@one", "b<a@two", "c<b@one", "d<c@three")
    assert ids(memory.responses.chain("d")) == ["a", "b", "c", "d"]


@pytest.mark.proves("B53")
def test_a_chain_ends_at_its_depth_and_says_where_it_goes_on(memory):
    say(memory, "r0", *(f"r{n}<r{n - 1}" for n in range(1, 130)))
    page = memory.responses.chain("r129")
    assert ids(page) == [f"r{n}" for n in range(30, 130)]
    rest = memory.responses.chain(page.cursor)
    assert ids(rest) == [f"r{n}" for n in range(30)]
    assert rest.cursor is None
    assert len(memory.responses.chain("r129", depth=130)) == 130
    assert memory.responses.chain("r129", depth=130).cursor is None
    for bad in (0, 1_001, "2", True):
        with pytest.raises(InputError, match="limit"):
            memory.responses.chain("r129", depth=bad)


def test_a_long_chain_in_one_conversation_costs_a_few_reads(opened):
    memory = opened(Counting)
    say(memory, "r0", *(f"r{n}<r{n - 1}" for n in range(1, 100)))
    memory._engine.backend.reset()
    assert len(memory.responses.chain("r99")) == 100
    assert memory._engine.backend.reads <= 3
    memory._engine.backend.reset()
    say(memory, "r100<r99")
    assert memory._engine.backend.records < 20, "the cost of an add does not grow with the chain"


def test_an_add_costs_the_same_however_long_ago_its_chain_left_another_conversation(opened):
    memory = opened(Counting)
    say(memory, "a@other", "r0<a@chat", *(f"r{n}<r{n - 1}" for n in range(1, 100)))
    memory._engine.backend.reset()
    say(memory, "r100<r99")
    assert memory._engine.backend.records < 30


def test_a_response_that_is_gone_ends_the_chain(memory):
    say(memory, "a", "b<a", "c<b", "d<c")
    memory.responses.delete("b")
    assert ids(memory.responses.chain("d")) == ["c", "d"]
    assert memory.responses.chain("d").cursor is None
    say(memory, "z<never")
    assert ids(memory.responses.chain("z")) == ["z"]
    say(memory, "b<a")
    assert ids(memory.responses.chain("d")) == ["a", "b", "c", "d"]


def test_a_missing_response_that_somebody_else_stores_stops_no_conversation(memory):
    say(memory, "b<a@chat", user="ada")
    say(memory, "a@other", user="bob")
    say(memory, "c<b", "d<c", user="ada")
    assert ids(memory.responses.list(conversation="chat")) == ["d", "c", "b"]


def test_the_chain_of_nothing_is_an_error(memory):
    with pytest.raises(NotFound, match="'nope'"):
        memory.responses.chain("nope")


CIRCLES = {
    "itself": ["a<a"],
    "itself again": ["a", "a<a"],
    "two": ["a", "b<a", "a<b"],
    "three": ["a", "b<a", "c<b", "a<c"],
    "recorded before the first": ["c<b", "d<c", "b<d"],
    "recorded before, in another conversation": ["c<b@one", "b<c@two"],
    "through conversations": ["a@one", "b<a@two", "c<b@three", "a<c"],
    "recorded before, through conversations": ["a<c@one", "c<b@three", "b<a@two"],
    "recorded after, through conversations": ["c<b@three", "a<c@one", "b<a@two"],
    "by long ids": ["a<" + "c" * 600 + "@one", "c" * 600 + "<b@three", "b<a@two"],
    "where one was deleted": ["a", "b<a", "c<b", "-b", "b<c"],
}


@pytest.mark.proves("B53")
@pytest.mark.parametrize("steps", CIRCLES.values(), ids=CIRCLES)
def test_no_response_goes_on_from_itself(memory, steps):
    for step in steps[:-1]:
        if step[0] == "-":
            memory.responses.delete(step[1:])
        else:
            say(memory, step)
    before = sorted(ids(memory.responses.list()))
    with pytest.raises(InputError, match="goes on from"):
        say(memory, steps[-1])
    assert sorted(ids(memory.responses.list())) == before


def test_two_writers_may_make_a_circle_and_it_is_noticed(opened):
    memory = opened(Meddling)
    say(memory, "x@chat")
    other = memory._engine.backend

    def meddle():
        say(memory, "b<a@chat")

    other.before_commit.append(meddle)
    say(memory, "a<b@chat")
    with pytest.raises(CorruptRecord, match="cycle"):
        memory.responses.chain("a")


def test_a_chain_into_another_users_conversation_is_refused(memory):
    say(memory, "a", user="ada")
    with pytest.raises(NotOwner):
        say(memory, "b<a", user="bob")
    with pytest.raises(NotOwner):
        memory.user("bob").responses.chain("a")
    assert memory.responses.get("b") is None
