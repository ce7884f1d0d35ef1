"""Feedback: what was said of a response comes back, is counted, and goes with its response."""

from __future__ import annotations

import asyncio
import inspect
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.engine.doubles import START
from tests.responses.conftest import answer, streams
from threadkeep.api.feedback import FeedbackCollection
from threadkeep.errors import InputError, NotFound, NotOwner
from threadkeep.types.responses import RatingCounts

DAY = 86_400


@pytest.fixture
def asked(memory):
    """A response of ada's, in a conversation with one item."""
    memory.session("chat", user="ada").add({"role": "user", "content": "Hi", "id": "m1"})
    memory.responses.add(answer("a", user="ada"), conversation="chat")
    return memory


def ids(found):
    return [feedback.id for feedback in found]


def walk(listing, **how):
    found, cursor = [], None
    while True:
        page = listing(cursor=cursor, **how)
        assert len(page) <= how["limit"]
        found += ids(page)
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.proves("B54")
def test_what_was_said_comes_back(asked, clock):
    clock.tick(5)
    given = asked.feedback.add(
        "a", rating="negative", comment="Wrong.", author="bob", item="m1", metadata={"page": 3}
    )
    assert asked.feedback.list() == [given]
    assert (given.response, given.rating, given.comment) == ("a", "negative", "Wrong.")
    assert (given.author, given.item, given.metadata) == ("bob", "m1", {"page": 3})
    assert (given.model, given.conversation) == ("gpt-5", "chat")
    assert given.created_at == datetime.fromtimestamp(START + 5, UTC)


@pytest.mark.proves("B54")
def test_several_to_one_response(asked):
    for rating in ("positive", "negative", "positive"):
        asked.feedback.add("a", rating=rating, user="ada")
    assert [f.rating for f in asked.feedback.list(response="a")] == [
        "positive",
        "negative",
        "positive",
    ]
    assert {f.author for f in asked.feedback.list()} == {"ada"}


def test_given_again_under_its_id_it_is_replaced(asked):
    asked.feedback.add("a", rating="positive", id="vote-of-ada")
    asked.feedback.add("a", rating="negative", id="vote-of-ada")
    (found,) = asked.feedback.list()
    assert found.rating == "negative"
    asked.responses.add(answer("b"), conversation="chat")
    with pytest.raises(InputError, match="on response 'a' already"):
        asked.feedback.add("b", rating="positive", id="vote-of-ada")
    assert asked.feedback.list() == [found]


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        ({"rating": "great"}, "rating"),
        ({"rating": 1}, "rating"),
        ({"rating": ["positive"]}, "rating"),
        ({"comment": 5}, "comment"),
        ({"author": ""}, "author"),
        ({"item": 5}, "item"),
        ({"id": ""}, "id"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"x": object()}}, "metadata.x"),
        ({"response": 5}, "response"),
    ],
)
def test_what_cannot_be_stored_is_named(asked, bad, where):
    said = {"response": "a", "rating": "positive", **bad}
    with pytest.raises(InputError, match=where):
        asked.feedback.add(said.pop("response"), **said)
    assert asked.feedback.list() == []


def test_there_is_no_feedback_on_what_is_not_there(asked):
    with pytest.raises(NotFound, match="no response 'nope'"):
        asked.feedback.add("nope", rating="positive")
    with pytest.raises(NotFound, match="no item 'm9'"):
        asked.feedback.add("a", rating="positive", item="m9")
    assert asked.feedback.list() == asked.feedback.list(response="nope") == []


def test_it_can_be_taken_back(asked):
    one, two = (asked.feedback.add("a", rating="positive") for _ in range(2))
    asked.feedback.delete("b", one.id)
    asked.feedback.delete("a", "nope")
    asked.feedback.delete("a", one.id)
    assert asked.feedback.list() == [two]


CONDITIONS = {
    "all": ({}, lambda n: True),
    "rating": ({"rating": "negative"}, lambda n: n >= 15),
    "model": ({"model": "m1"}, lambda n: n % 2),
    "author": ({"author": "by3"}, lambda n: n % 5 == 3),
    "since": ({"since": START + DAY}, lambda n: n >= 10),
    "until": ({"until": datetime.fromtimestamp(START + DAY, UTC)}, lambda n: n < 10),
    "user": ({"user": "bob"}, lambda n: n % 4 == 0),
    "conversation": ({"conversation": "ada-1"}, lambda n: n % 4 and n % 3 == 1),
    "response": ({"response": "r7"}, lambda n: n == 7),
    "response elsewhere": ({"response": "r7", "conversation": "ada-0"}, lambda n: False),
    "several": (
        {"rating": "positive", "model": "m0", "user": "ada"},
        lambda n: n in {2, 6, 10, 14},
    ),
}


class TestConditions:
    @pytest.fixture(autouse=True)
    def filled(self, memory, clock):
        for n in range(20):
            user = "bob" if n % 4 == 0 else "ada"
            said = answer(f"r{n}", model=f"m{n % 2}", user=user)
            memory.responses.add(said, conversation=f"{user}-{n % 3}")
            rating = "positive" if n < 15 else "negative"
            memory.feedback.add(f"r{n}", rating=rating, id=f"f{n}", author=f"by{n % 5}")
            clock.tick(DAY / 10)

    @pytest.mark.proves("B54")
    @pytest.mark.parametrize("limit", [1, 1_000])
    @pytest.mark.parametrize(("how", "wanted"), CONDITIONS.values(), ids=CONDITIONS)
    @pytest.mark.slow
    def test_all_of_them_must_hold(self, memory, how, wanted, limit):
        found = walk(memory.feedback.list, limit=limit, **how)
        assert sorted(found) == sorted(f"f{n}" for n in range(20) if wanted(n))
        exported = memory.feedback.export(**how)
        assert sorted(one["id"] for one in exported) == sorted(found)

    @pytest.mark.proves("B54")
    def test_counted_by_model_day_rating_and_response(self, memory):
        assert memory.feedback.counts() == {"m0": RatingCounts(8, 2), "m1": RatingCounts(7, 3)}
        first = datetime.fromtimestamp(START, UTC)
        days = [(first + timedelta(days=n / 10)).date().isoformat() for n in range(20)]
        wanted: dict[str, list[int]] = {}
        for n, day in enumerate(days):
            wanted.setdefault(day, [0, 0])[n >= 15] += 1
        by_day = memory.feedback.counts(by="day")
        assert by_day == {day: RatingCounts(*counts) for day, counts in wanted.items()}
        assert list(by_day) == sorted(wanted)
        assert memory.feedback.counts(by="rating") == {
            "negative": RatingCounts(0, 5),
            "positive": RatingCounts(15, 0),
        }
        assert memory.feedback.counts(by="response", response="r7") == {"r7": RatingCounts(1, 0)}
        assert memory.feedback.counts(user="bob")["m0"].total == 5
        with pytest.raises(InputError, match="by must be"):
            memory.feedback.counts(by="colour")

    @pytest.mark.proves("B54")
    def test_an_export_is_json(self, memory):
        lines = [json.loads(json.dumps(one)) for one in memory.feedback.export(response="r7")]
        (found,) = memory.feedback.list(response="r7")
        assert lines[0]["created_at"] == found.created_at.isoformat()
        assert (lines[0]["model"], lines[0]["rating"]) == ("m1", "positive")

    @pytest.mark.parametrize(
        ("bad", "where"),
        [({"since": "soon"}, "since"), ({"rating": "so so"}, "rating"), ({"cursor": 5}, "cursor")],
    )
    def test_a_condition_that_is_none_is_named(self, memory, bad, where):
        with pytest.raises(InputError, match=where):
            memory.feedback.list(**bad)


@pytest.mark.proves("B55")
def test_it_goes_with_its_response_and_with_its_session(asked):
    asked.responses.add(answer("b"), conversation="chat")
    asked.feedback.add("a", rating="positive")
    kept = asked.feedback.add("b", rating="negative")
    asked.responses.delete("a")
    assert asked.feedback.list() == [kept]
    asked.session("chat").delete()
    assert asked.feedback.list() == []
    assert not [name for name in streams(asked) if "/sessions/" not in name]


@pytest.mark.proves("B55")
def test_it_never_outlives_its_session(opened, clock):
    memory = opened(ttl=100)
    memory.responses.add(answer("a"), conversation="chat")
    memory.feedback.add("a", rating="positive")
    clock.tick(100)
    assert memory.feedback.list() == []
    with pytest.raises(NotFound):
        memory.feedback.add("a", rating="positive")
    assert memory.session("chat").info() is None


DOORS = {
    "add": lambda f: f.add("a", rating="positive", user="bob"),
    "list": lambda f: f.list(response="a", user="bob"),
    "list of a conversation": lambda f: f.list(conversation="chat", user="bob"),
    "counts": lambda f: f.counts(conversation="chat", user="bob"),
    "export": lambda f: f.export(response="a", user="bob"),
    "delete": lambda f: f.delete("a", "f1", user="bob"),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_another_users_door_opens_nothing_and_changes_nothing(asked, door):
    kept = asked.feedback.add("a", rating="negative", id="f1", user="ada")
    for feedback in (asked.feedback, asked.user("bob").feedback):
        with pytest.raises(NotOwner):
            door(feedback)
    assert asked.user("ada").feedback.list() == [kept]
    assert asked.user("bob").feedback.list() == []


def test_there_is_a_door_for_every_verb_and_a_twin():
    verbs = {
        n for n in vars(FeedbackCollection) if n[0] != "_" and f"a{n}" in vars(FeedbackCollection)
    }
    assert verbs == {name.partition(" ")[0] for name in DOORS}
    for name in verbs:
        verb, twin = getattr(FeedbackCollection, name), getattr(FeedbackCollection, f"a{name}")
        assert inspect.iscoroutinefunction(twin)
        assert inspect.signature(verb) == inspect.signature(twin)


def test_twins_do_what_verbs_do(asked):
    async def story():
        given = await asked.feedback.aadd("a", rating="positive")
        assert await asked.feedback.alist() == [given]
        assert await asked.feedback.acounts() == {"gpt-5": RatingCounts(1, 0)}
        assert len(await asked.feedback.aexport()) == 1
        await asked.feedback.adelete("a", given.id)
        assert await asked.feedback.alist() == []

    asyncio.run(story())
