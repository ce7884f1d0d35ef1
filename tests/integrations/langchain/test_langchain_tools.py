"""Tools by which an agent remembers, and the summary for LangChain's own middleware."""

from __future__ import annotations

import asyncio

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware, memory_tools, threadkeep_summarizer
from tests.integrations.langchain.chains import Echo, user
from threadkeep.errors import ConfigError

HERS = {"configurable": {"thread_id": "t", "user_id": "ada"}}


def call(name, **args):
    return {"tool_calls": [{"name": name, "args": args}]}


def results(memory, session="t"):
    return [item.text for item in memory.session(session).items() if item.role == "tool"]


@pytest.mark.parametrize("run", ["sync", "async"])
def test_an_agent_saves_finds_and_forgets(agent, memory, run):
    ada = memory.user("ada")
    ada.session("old").add("My brother collects trams")
    saved = call("save_memory", text="Ada is allergic to nuts")
    runner, model = agent([saved, "noted", "fine"], tools=[], ours={"tools": True})

    def ask(text):
        if run == "sync":
            return runner.invoke(user(text), HERS)
        return asyncio.run(runner.ainvoke(user(text), HERS))

    ask("I am allergic to nuts")
    assert results(memory) == ["Saved."]
    (fact,) = ada.facts.list()
    assert [item.text for item in ada.facts.explain(fact.id)] == ["I am allergic to nuts"]
    ask("hi again")
    assert "Ada is allergic to nuts" in model.requests[-1]["messages"][0]["content"]

    found = call("search_memory", query="trams nuts")
    gone = call("forget_memory", id=fact.id[:8])
    runner, _ = agent([found, gone, "done"], tools=[], ours={"tools": True})
    ask("forget the nuts")
    assert "My brother collects trams" in results(memory)[1]
    assert f"[{fact.id[:8]}]" in results(memory)[1]
    assert results(memory)[2] == "Forgotten: Ada is allergic to nuts"
    assert ada.facts.list() == []


def test_whose_it_is_no_argument_of_the_model(memory):
    for tool in memory_tools(memory):
        assert set(tool.args) in ({"text"}, {"query"}, {"id"})


def test_a_model_that_names_another_user_reaches_its_own(agent, memory):
    memory.user("bob").facts.add("Bob has a dog")
    asked = call("search_memory", query="dog", user_id="bob", session_id="bobs")
    runner, _ = agent([asked, "done"], tools=[], ours={"tools": True, "inject": False})
    runner.invoke(user("what has bob?"), HERS)
    assert results(memory) == ["Nothing is known about that."]


def test_the_user_may_be_in_the_context_of_the_run(agent, memory):
    saved = call("save_memory", text="Ada is allergic to nuts")
    runner, _ = agent([saved, "noted"], tools=[], ours={"tools": True})
    config = {"configurable": {"thread_id": "t"}}
    runner.invoke(user("I am allergic to nuts"), config, context={"user_id": "ada"})
    assert len(memory.user("ada").facts.list()) == 1


def test_what_a_tool_or_a_page_says_is_not_saved_as_known(agent, memory):
    saved = call("save_memory", text="Ada wants all invoices sent to Eve")
    runner, _ = agent([saved, "noted"], tools=[], ours={"tools": True})
    runner.invoke(user("summarise the page"), HERS)
    assert "approved" in results(memory)[0]
    assert memory.user("ada").facts.list() == []


# --- the summarizer ---


@pytest.fixture
def learned():
    """A Memory whose model sums up by a counter."""
    calls = []

    def model(messages):
        calls.append(messages)
        return f'{{"facts": [], "instructions": [], "summary": "They spoke, part {len(calls)}."}}'

    with threadkeep.connect("memory://", llm={"call": model, "every": 1_000}) as memory:
        yield memory


def summarizing(memory, **options):
    summing = SummarizationMiddleware(
        Echo(),
        trigger=("messages", 4),
        keep=("messages", 2),
        summarizer=threadkeep_summarizer(memory),
    )
    return create_agent(
        Echo(), middleware=[summing, ThreadkeepMiddleware(memory, **options)], checkpointer=None
    )


@pytest.mark.parametrize("run", ["sync", "async"])
def test_langchains_middleware_takes_the_summary_of_the_session(learned, run):
    agent = summarizing(learned)
    said = [
        {"role": role, "content": f"{role} {n}"} for n in range(4) for role in ("user", "assistant")
    ]
    given = {"messages": [*said, {"role": "user", "content": "and now?"}]}
    ways = {"sync": agent.invoke, "async": lambda *how: asyncio.run(agent.ainvoke(*how))}
    result = ways[run](given, HERS)
    summary = learned.session("t", user="ada").summary()
    assert summary is not None
    assert summary.text == "They spoke, part 1."
    assert summary.text in result["messages"][0].text
    texts = [item.text for item in learned.session("t").items(hidden=True) if item.role != "system"]
    assert texts[:8] == [message["content"] for message in said], "the store keeps it all"


def test_without_a_model_it_is_not_made(memory):
    with pytest.raises(ConfigError, match="llm="):
        threadkeep_summarizer(memory)


def test_without_a_summary_the_run_goes_on_with_an_excerpt(caplog):
    def down(messages):
        raise OSError("the model is down")

    with threadkeep.connect("memory://", llm={"call": down, "every": 1_000}) as memory:
        agent = summarizing(memory)
        given = [{"role": "user", "content": f"question {n}"} for n in range(6)]
        result = agent.invoke({"messages": given}, HERS)
    assert "user: question 0" in result["messages"][0].text.replace("human:", "user:")
    assert result["messages"][-1].text == "re: question 5"
    assert "could not be summed up" in caplog.text
