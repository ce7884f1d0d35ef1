"""`instructions(memory)`: what an agent of the SDK is told of the user, and of nobody else."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest
from agents import Runner

from openai_agents_threadkeep import ThreadkeepSession, instructions
from tests.engine.doubles import Counting
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.errors import ConfigError, NotOwner
from threadkeep.longterm.markers import is_injected

CALL = {"tool_calls": [{"name": "weather", "args": {"city": "Oslo"}}]}


@pytest.fixture
def ada(memory):
    ada = memory.user("ada")
    ada.facts.add("Ada has a cat")
    ada.instructions.add("Answer in French")
    return ada


def told(request):
    """What a request says before the conversation."""
    if "messages" in request:
        return "\n".join(m["content"] for m in request["messages"] if m["role"] == "system")
    return request.get("instructions") or ""


@pytest.fixture
def ask(assistant, memory):
    """Runs an agent once; what each of its requests said before the conversation."""

    def run(replies, context=None, session="chat", user=None, name="guide", **how):
        async def main():
            made = instructions(memory, base=how.pop("base", "Be kind."), user=user, **how)
            kept = ThreadkeepSession(session, memory, user=user)
            async with assistant(replies, instructions=made, name=name) as (agent, model):
                await Runner.run(agent, "hi", session=kept, context=context)
                return [told(request) for request in model.requests]

        return asyncio.run(main())

    return run


def test_it_stands_below_the_agents_own_and_is_stored_nowhere(ask, ada, memory):
    first, second = ask([CALL, "chaud"], context={"user_id": "ada"})
    assert first.startswith("Be kind.\n\n<threadkeep-notes>")
    assert "- Answer in French" in first
    assert "- Ada has a cat" in first
    assert second == first
    stored = memory.session("chat", user="ada").items()
    assert not any(is_injected(item.text) for item in stored)


@pytest.mark.parametrize("context", [{"user_id": "ada"}, SimpleNamespace(user_id="ada")])
def test_the_user_is_the_runs(ask, ada, context):
    assert "cat" in ask(["oui"], context=context)[0]


def test_or_the_one_given_beforehand_or_nobody(ask, ada):
    assert "cat" in ask(["oui"], session="one", user="ada")[0]
    assert "cat" in ask(["oui"], session="two", user=lambda context: "ada")[0]
    assert ask(["oui"], session="three") == ["Be kind."]
    assert ask(["oui"], session="four", context={"user_id": "bob"}) == ["Be kind."]


def test_with_a_session_its_own_and_the_agents_instructions_are_told(ask, ada):
    ada.instructions.add("Be brief here", session="chat")
    ada.instructions.add("Show diffs", agent="coder")
    context = {"user_id": "ada", "session_id": "chat"}
    assert "Be brief here" in ask(["oui"], context=context)[0]
    assert "diffs" not in ask(["oui"], context=context)[0]
    assert "Show diffs" in ask(["oui"], context=context, name="coder")[0]
    assert "Be brief" not in ask(["oui"], session="new", user="ada")[0]
    assert "Be brief" in ask(["oui"], user="ada", session_id="chat")[0]


@pytest.mark.proves("A31")
def test_a_session_without_a_user_is_told_its_own(ask, ada, memory):
    memory.session("kiosk").facts.add("Somebody has a dog")
    (text,) = ask(["oui"], session="kiosk", session_id="kiosk")
    assert "dog" in text
    assert "cat" not in text


def test_the_session_of_somebody_else_is_refused(ask, ada):
    ada.session("hers").add("hello")
    with pytest.raises(NotOwner):
        ask(["oui"], session="his", user="bob", session_id="hers")


def test_the_base_may_be_a_callable_of_either_colour(ask, ada):
    async def slow(context, agent):
        return f"You are {agent.name}."

    for base in (slow, lambda context, agent: f"You are {agent.name}."):
        assert ask(["oui"], user="ada", base=base)[0].startswith("You are guide.\n\n<")
    assert ask(["oui"], user="ada", base="")[0].startswith("<threadkeep-notes>")


def test_it_is_as_long_as_it_may_be(ask, ada):
    for n in range(50):
        ada.facts.add(f"Ada knows somebody whose number is {n}")
    (text,) = ask(["oui"], user="ada", max_tokens=120)
    assert "Answer in French" in text
    assert len(text) / 4 < 150


def test_a_wrong_choice_is_refused_at_construction(memory):
    with pytest.raises(ConfigError, match="max_tokens"):
        instructions(memory, max_tokens=0)
    with pytest.raises(ConfigError):
        instructions(5)  # type: ignore[arg-type]


@pytest.fixture
def store():
    return Counting(MemoryBackend())


def test_a_question_is_searched_once_in_a_run(assistant, store):
    reads = []

    def base(context, agent):
        reads.append(store.reads)
        return "Be kind."

    async def main(memory, *questions):
        made = instructions(memory, base=base, user="ada", recall=True)
        async with assistant([CALL, "yes"] * len(questions), instructions=made) as (agent, model):
            for question in questions:
                await Runner.run(agent, question)
            return [told(request) for request in model.requests]

    with connect(store) as memory:
        memory.user("ada").session("old").add("I rode the oldest tram")
        memory.user("ada").session("boat").add("Our ferry was yellow")
        memory.user("ada").facts.add("Ada has a cat")
        first, again, other, last = asyncio.run(main(memory, "Which tram?", "Which ferry?"))
    assert "oldest tram" in first == again
    assert "yellow" in other == last
    reads.append(store.reads)
    first_reads, again_reads, *_ = (after - before for before, after in pairwise(reads))
    assert again_reads == 1 < first_reads
