"""What recall finds, on each store: by words, neighbours, speakers, dates, facts; and filtered."""

from __future__ import annotations

import pytest

from tests.longterm.recall.conftest import said, texts
from threadkeep.errors import InputError

MAY, JUNE = "2024-05-08T12:00:00Z", "2024-06-20T12:00:00Z"


@pytest.fixture
def talks(ada):
    first, second = ada.session("first"), ada.session("second")
    first.add(
        said("Hello there!", name="Ada", at=MAY),
        said("I bought a sailing boat.", name="Ada", at=MAY),
        said("How nice! Where do you keep it?", name="Ben", at=MAY),
        said("In the old harbour.", name="Ada", at=MAY),
        said("My sister teaches chemistry.", name="Ben", at=MAY),
    )
    second.add(
        said("The weather was awful.", name="Ada", at=JUNE),
        said("I painted the kitchen green.", name="Ben", at=JUNE),
        said("Which colour is the garage?", name="Ada", at=JUNE),
        said("Bright yellow.", name="Ben", at=JUNE),
        said("Nothing else happened.", name="Ben", at=JUNE),
    )
    return first, second


def test_the_best_comes_first_with_its_session_and_neighbours(ada, talks):
    hit = ada.recall("sailing boats")[0]
    assert (hit.text, hit.session, hit.fact) == ("I bought a sailing boat.", "first", None)
    assert (hit.before.text, hit.after.text) == ("Hello there!", "How nice! Where do you keep it?")
    assert hit.item == talks[0].items()[1]
    assert hit.score > 0


def test_scores_fall(ada, talks):
    scores = [hit.score for hit in ada.recall("Where does Ada keep her boat?")]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > 1


def test_other_forms_of_a_word_are_found(ada, talks):
    assert texts(ada.recall("who taught chemistry", 1)) == ["My sister teaches chemistry."]
    assert texts(ada.recall("buy", 1)) == ["I bought a sailing boat."]


def test_words_of_one_root_are_found_where_nothing_else_is(ada):
    ada.session("one").add("I am allergic to nuts")
    ada.session("two").add("I cannot stand allspice")
    assert texts(ada.recall("allergies")) == ["I am allergic to nuts"]
    assert texts(ada.recall("allegory")) == []


def test_an_answer_is_found_by_the_words_of_its_question(ada, talks):
    assert texts(ada.recall("colour of the garage", 1)) == ["Bright yellow."]


def test_neighbours_are_found_after_the_turn_itself(ada, talks):
    found = texts(ada.recall("chemistry"))
    assert found[0] == "My sister teaches chemistry."
    assert "In the old harbour." in found
    assert "Bright yellow." not in found


def test_a_speaker_is_found_by_name(ada, talks):
    assert all(hit.item.name == "Ben" for hit in ada.recall("Ben", 3))
    assert texts(ada.recall("What did Ben paint?", 1)) == ["I painted the kitchen green."]


def test_a_name_at_the_beginning_of_a_text_is_the_speakers(ada):
    ada.session("s").add(
        said("Grace: I saw an owl."), said("Linus: I saw an owl, like Grace."), said("Nothing.")
    )
    assert texts(ada.recall("Which owl did Grace see?", 1)) == ["Grace: I saw an owl."]


def test_a_date_is_found_by_its_words(ada, talks):
    assert {hit.session for hit in ada.recall("20 June 2024", 5)} == {"second"}


def test_what_has_the_kind_that_is_asked_for_comes_first(ada):
    ada.session("s").add(said("The trip to the sea was lovely."))
    ada.session("t").add(said("The trip to the sea was yesterday."))
    assert texts(ada.recall("When was the trip to the sea?", 1)) == [
        "The trip to the sea was yesterday."
    ]


def test_of_equals_the_older_comes_first(ada):
    for n in (2, 1, 3):
        ada.session(f"s{n}").add(said("a red kite", at=f"2024-01-0{n}T00:00:00Z"))
    assert [hit.session for hit in ada.recall("kite")] == ["s1", "s2", "s3"]


def test_words_without_english_letters_are_found(ada):
    ada.session("s").add(
        said("\u041c\u043e\u044f \u043a\u043e\u0448\u043a\u0430 \u0441\u043f\u0438\u0442."),
        said("\u79c1\u306f\u6771\u4eac\u306b\u4f4f\u3093\u3067\u3044\u307e\u3059\u3002"),
        said("Die T\u00fcr klemmt."),
    )
    assert "\u0441\u043f\u0438\u0442" in texts(ada.recall("\u041a\u043e\u0448\u043a\u0430", 1))[0]
    assert "\u6771\u4eac" in texts(ada.recall("\u6771\u4eac", 1))[0]
    assert texts(ada.recall("T\u00dcR", 1)) == ["Die T\u00fcr klemmt."]


def test_a_question_without_any_known_word_finds_nothing(ada, talks):
    assert ada.recall("xylophone") == []
    assert ada.recall("?!") == []


def test_one_session_one_role_one_time(ada, talks):
    ada.session("third").add(said("The boat is blue.", role="assistant", at=JUNE))
    assert {hit.session for hit in ada.recall("boat", session="first")} == {"first"}
    assert texts(ada.recall("boat", role="assistant")) == ["The boat is blue."]
    assert {hit.session for hit in ada.recall("boat", until=JUNE)} == {"first"}
    assert {hit.session for hit in ada.recall("boat", since=JUNE)} == {"third"}
    assert ada.recall("boat", session="nowhere") == []


def test_so_many_at_most(ada, talks):
    assert len(ada.recall("Ada Ben", 3)) == 3


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"query": ""}, "query"),
        ({"query": 3}, "query"),
        ({"k": 0}, "k"),
        ({"k": True}, "k"),
        ({"k": 1_001}, "k"),
        ({"session": 3}, "session"),
        ({"role": ""}, "role"),
        ({"since": "soon"}, "since"),
        ({"until": []}, "until"),
    ],
)
def test_a_wrong_argument_is_named(ada, wrong, named):
    with pytest.raises(InputError, match=named):
        ada.recall(**{"query": "boat", **wrong})


async def _ask(user):
    return await user.arecall("sailing boat", 1)


def test_the_async_twin_finds_the_same(ada, talks):
    import asyncio

    assert asyncio.run(_ask(ada)) == ada.recall("sailing boat", 1)


def test_a_notebook_shows_it_escaped(ada):
    ada.session("s").add(said("a <b>bold</b> kite"))
    shown = ada.recall("kite <i>")._repr_html_()
    assert "&lt;b&gt;bold" in shown
    assert "<b>" not in shown
    assert "<i>" not in shown


def test_system_messages_notices_and_unreadable_items_are_not_recalled(ada):
    ada.session("s").add(
        said("the kite policy", role="system"),
        said("kite rules", role="developer"),
        {"type": "notice", "role": "assistant", "content": "kite notice"},
        said("my kite"),
    )
    assert texts(ada.recall("kite")) == ["my kite"]


def test_tool_output_comes_behind_what_people_say(ada):
    call = {"id": "c1", "name": "look", "args": {}}
    ada.session("s").add(
        said("Please look for kites."),
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "kites: red, blue"},
        said("There are red ones.", role="assistant"),
    )
    assert texts(ada.recall("kites"))[0] == "Please look for kites."
    assert texts(ada.recall("kites", role="tool")) == ["kites: red, blue"]
    by_neighbour = ada.recall("kites", role="assistant")
    assert texts(by_neighbour) == ["There are red ones."], "a tool call is no turn between them"


def test_the_sessions_of_sub_agents_stay_out(memory, ada):
    memory.session("s/helper", user="ada", agent="helper").add(said("a kite"))
    assert ada.recall("kite") == []


def test_a_speaker_is_found_by_each_of_two_names(ada):
    ada.session("s").add(
        said("The garden is mine", name="Emi (Kate)"), said("It is hers", name="Bo")
    )
    for name in ("Kate", "Emi"):
        [hit, *_] = ada.recall(f"What does {name} have?")
        assert hit.item.name == "Emi (Kate)"
        assert hit.why[0].kind == "speaker"
