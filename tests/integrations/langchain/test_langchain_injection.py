"""What an agent's model is told by long-term memory: in the request only, once, and nobody else's.

The chat model asks a scripted server over HTTP, which keeps the requests it got.
"""

from __future__ import annotations

import asyncio

import pytest
from langchain_core.messages import SystemMessage

from langchain_threadkeep import ThreadkeepMiddleware
from langchain_threadkeep.inject import with_text_after
from tests.integrations.langchain.chains import ASK, said, user
from threadkeep import Session
from threadkeep.errors import ConfigError
from threadkeep.longterm.markers import is_injected


@pytest.fixture
def ada(memory):
    ada = memory.user("ada")
    ada.facts.add("Ada has a cat")
    ada.instructions.add("Answer in French")
    return ada


HERS = {"configurable": {"thread_id": "t", "user_id": "ada"}}


def system(model, request=-1):
    """The system messages of a request."""
    return [_text(m) for m in model.requests[request]["messages"] if m["role"] == "system"]


def others(model, request=-1):
    return [_text(m) for m in model.requests[request]["messages"] if m["role"] != "system"]


def _text(message):
    content = message["content"]
    if isinstance(content, list):
        return "\n".join(block.get("text", "") for block in content)
    return content


@pytest.mark.parametrize("run", ["sync", "async"])
def test_it_stands_below_the_system_prompt_and_nowhere_else(agent, ada, chat, run):
    runner, model = agent(["bonjour", "oui"], system_prompt="Be kind.")
    for text in ("hi", "again"):
        if run == "sync":
            result = runner.invoke(user(text), HERS)
        else:
            result = asyncio.run(runner.ainvoke(user(text), HERS))
    (told,) = system(model)
    assert told.startswith("Be kind.\n\n<threadkeep-notes>")
    assert "- Answer in French" in told
    assert "- Ada has a cat" in told
    assert others(model) == ["hi", "bonjour", "again"]
    assert not any(is_injected(str(message.content)) for message in result["messages"])
    assert [text for _, text in said(chat)] == ["hi", "bonjour", "again", "oui"]


def test_it_makes_a_system_message_where_there_is_none(agent, ada):
    runner, model = agent(["bonjour"])
    runner.invoke(user("hi"), HERS)
    (told,) = system(model)
    assert told.startswith("<threadkeep-notes>")


def test_who_has_nothing_remembered_gets_the_prompt_as_it_was(agent, ada):
    runner, model = agent(["hello"], system_prompt="Be kind.")
    runner.invoke(user("hi"), {"configurable": {"thread_id": "bobs", "user_id": "bob"}})
    runner, bare = agent(["hello"], system_prompt="Be kind.", ours={"inject": False})
    runner.invoke(user("hi"), {"configurable": {"thread_id": "bare", "user_id": "bob"}})
    assert model.requests[0]["messages"] == bare.requests[0]["messages"]


def test_it_can_be_switched_off(agent, ada):
    runner, model = agent(["hello"], ours={"inject": False})
    runner.invoke(user("hi"), HERS)
    assert system(model) == []


def test_it_is_as_long_as_it_may_be(agent, ada):
    for n in range(50):
        ada.facts.add(f"Ada knows somebody whose number is {n}")
    runner, model = agent(["hello"], ours={"inject": {"max_tokens": 120}})
    runner.invoke(user("hi"), HERS)
    (told,) = system(model)
    assert "Answer in French" in told
    assert len(told) / 4 < 150


def test_blocks_of_a_system_message_stay_as_they_are():
    blocks = [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]
    told = with_text_after(SystemMessage(blocks, id="s"), "more")
    assert told.content == [*blocks, {"type": "text", "text": "more"}]
    assert told.id == "s"


def test_the_notes_stay_the_same_while_the_model_calls_its_tools(agent, ada):
    runner, model = agent([ASK, ASK, "warm"])
    runner.invoke(user("weather?"), HERS)
    first, *rest = [system(model, n) for n in range(3)]
    assert rest == [first, first]


def test_it_is_read_once_in_a_turn(agent, ada, monkeypatch):
    asked = []
    read = Session.context

    def noted(self, *args, **how):
        asked.append(args)
        return read(self, *args, **how)

    monkeypatch.setattr(Session, "context", noted)
    runner, _ = agent([ASK, ASK, "warm", "bye"])
    runner.invoke(user("weather?"), HERS)
    runner.invoke(user("thanks"), HERS)
    assert asked == [("weather?",), ("thanks",)]


def test_a_fact_learned_in_between_is_told_in_the_next_turn(agent, ada):
    runner, model = agent(["one", "two"])
    runner.invoke(user("hi"), HERS)
    ada.facts.add("Ada has a dog")
    runner.invoke(user("again"), HERS)
    assert ["dog" in system(model, n)[0] for n in (0, 1)] == [False, True]


def test_an_answer_that_is_recorded_is_recorded_without_it(agent, ada, memory):
    runner, _ = agent(["bonjour"], ours={"record_responses": True})
    result = runner.invoke(user("hi"), HERS)
    response = memory.responses.get(result["messages"][-1].id)
    assert response.output
    assert not is_injected(str(response.input))


@pytest.mark.parametrize("wrong", [5, None, {"tokens": 5}, {"max_tokens": 0}, {"recall": 1}])
def test_a_wrong_choice_is_refused_at_construction(memory, wrong):
    with pytest.raises(ConfigError, match="inject"):
        ThreadkeepMiddleware(memory, inject=wrong)


@pytest.mark.proves("A31")
def test_agents_of_several_users_are_told_of_their_own(agent, ada, memory):
    memory.user("bob").facts.add("Bob has a dog")
    memory.session("nobodys").facts.add("Somebody has a fish")
    runner, model = agent(["a"] * 4)
    for thread, who in (("t", "ada"), ("b", "bob"), ("nobodys", None), ("another", None)):
        runner.invoke(user("hi"), {"configurable": {"thread_id": thread, "user_id": who}})
    pets = {"cat", "dog", "fish"}
    found = [{pet for pet in pets if pet in " ".join(system(model, n))} for n in range(4)]
    assert found == [{"cat"}, {"dog"}, {"fish"}, set()]


class TestRecall:
    @pytest.fixture
    def trams(self, memory):
        memory.session("old", user="ada").add("I visited the tram museum in Porto")

    def test_what_was_said_before_stands_before_the_question(self, agent, trams, chat):
        runner, model = agent(["Porto", "bye"])
        result = runner.invoke(user("Which tram museum did I see?"), HERS)
        (asked,) = others(model)
        assert asked.startswith("<threadkeep-notes>")
        assert "tram museum in Porto" in asked
        assert asked.endswith("</threadkeep-notes>\n\nWhich tram museum did I see?")
        assert system(model) == []
        assert result["messages"][0].text == "Which tram museum did I see?"
        assert said(chat)[0] == ("user", "Which tram museum did I see?")
        runner.invoke(user("thanks"), HERS)
        assert others(model) == ["Which tram museum did I see?", "Porto", "thanks"]

    def test_it_stays_at_the_question_while_the_model_calls_its_tools(self, agent, trams):
        runner, model = agent([ASK, "warm"])
        runner.invoke(user("How is the weather at the tram museum?"), HERS)
        first, second = (others(model, n) for n in range(2))
        assert second[0] == first[0]
        assert is_injected(first[0])
        assert second[1:] == [None, "Lisbon: 21"]

    def test_pictures_of_the_question_stay(self, agent, trams):
        runner, model = agent(["Porto"])
        picture = {"type": "image_url", "image_url": {"url": "https://x.example/tram.png"}}
        content = [{"type": "text", "text": "Which tram museum is it?"}, picture]
        runner.invoke({"messages": [{"role": "user", "content": content}]}, HERS)
        blocks = model.requests[0]["messages"][-1]["content"]
        assert [block["type"] for block in blocks] == ["text", "text", "image_url"]
        assert is_injected(blocks[0]["text"])

    def test_what_the_window_shows_is_not_told_again(self, agent, memory, trams):
        runner, model = agent(["Porto", "yes"])
        runner.invoke(user("Tell me of the tram museum"), HERS)
        runner.invoke(user("Which tram museum again?"), HERS)
        assert str(others(model)).count("Tell me of the tram museum") == 1

    def test_an_answer_that_is_recorded_is_recorded_without_it(self, agent, memory, trams):
        runner, model = agent(["Porto"], ours={"record_responses": True})
        result = runner.invoke(user("Which tram museum did I see?"), HERS)
        assert is_injected(others(model)[0])
        response = memory.responses.get(result["messages"][-1].id)
        assert not is_injected(str(response.input))

    @pytest.mark.parametrize("who", ["bob", None])
    def test_nobody_is_told_what_somebody_else_said(self, agent, trams, who):
        runner, model = agent(["no"])
        config = {"configurable": {"thread_id": f"of {who}", "user_id": who}}
        runner.invoke(user("Which tram museum did I see?"), config)
        assert others(model) == ["Which tram museum did I see?"]

    def test_it_can_be_left_out(self, agent, ada, trams):
        runner, model = agent(["no"], ours={"inject": {"recall": False}})
        runner.invoke(user("Which tram museum did I see?"), HERS)
        assert others(model) == ["Which tram museum did I see?"]
        assert "Ada has a cat" in system(model)[0]
