"""`summary=True`: the session's summary stands in for what the window leaves out."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langgraph.checkpoint.memory import InMemorySaver

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.chains import Echo
from threadkeep.errors import ConfigError

HERS = {"configurable": {"thread_id": "t", "user_id": "ada"}}
TITLE = "What this conversation was about so far:"


class Writer:
    """Writes summaries by a counter; `fails` makes it raise."""

    def __init__(self):
        self.calls = 0
        self.fails = False

    def __call__(self, messages):
        self.calls += 1
        if self.fails:
            raise OSError("the model is down")
        summary = f"They spoke, part {self.calls}."
        return json.dumps({"facts": [], "instructions": [], "summary": summary})


@pytest.fixture
def writer():
    return Writer()


@pytest.fixture
def memory(writer):
    llm = {"call": writer, "every": 1_000, "idle": 1_000, "tries": 1_000}
    with threadkeep.connect("memory://", llm=llm) as memory:
        yield memory


def everyday(memory, *before, window=3, checkpointer=None, **options):
    """An agent with a small window, and its model."""
    ours = ThreadkeepMiddleware(
        memory, window={"max_messages": window}, inject={"recall": False}, **options
    )
    model = Echo()
    agent = create_agent(
        model, middleware=[*before, ours], system_prompt="Be kind.", checkpointer=checkpointer
    )
    return agent, model


def ask(agent, text):
    return agent.invoke({"messages": [{"role": "user", "content": text}]}, HERS)


def front(model):
    """The system message that the model got last."""
    return model.seen[-1][0].text


def test_a_cut_window_has_the_summary_before_it(memory, writer):
    agent, model = everyday(memory, summary=True)
    for n in range(3):
        ask(agent, f"question {n}")
    memory.extract()
    ask(agent, "and now?")
    assert front(model).startswith("Be kind.\n\n")
    assert f"{TITLE}\n- They spoke, part 1." in front(model)
    assert [m.text for m in model.seen[-1][1:]] == ["question 2", "re: question 2", "and now?"]


def test_a_window_that_has_everything_needs_none(memory):
    agent, model = everyday(memory, window=100, summary=True)
    ask(agent, "question 0")
    memory.extract()
    ask(agent, "and now?")
    assert front(model) == "Be kind."


def test_it_is_byte_the_same_between_renewals_which_are_turns_apart(memory, writer):
    agent, model = everyday(memory, summary=True)
    fronts = []
    for n in range(14):
        ask(agent, f"question {n}")
        memory.extract()  # as a learner does that is idle between all turns
        fronts.append(front(model))
    told = [text.partition(f"{TITLE}\n- ")[2].partition("\n")[0] for text in fronts[3:]]
    runs = [n for n in range(1, len(told)) if told[n] != told[n - 1]]
    assert writer.calls == 14
    assert 2 <= len(runs) <= 4
    assert all(late - early >= 3 for early, late in itertools.pairwise(runs))
    summary = memory.session("t", user="ada").summary()
    assert summary is not None
    assert summary.text == "They spoke, part 14.", "who asks for it gets the newest"


def test_what_is_removed_is_not_shown_in_an_older_summary(memory):
    agent, model = everyday(memory, summary=True)
    for n in range(5):
        ask(agent, f"question {n}")
        memory.extract()
    chat = memory.session("t", user="ada")
    chat.remove(chat.items()[0].id)
    ask(agent, "and now?")
    assert TITLE not in front(model)


@pytest.mark.parametrize("summary", [True, None])
def test_a_summary_in_the_state_takes_its_place(memory, summary):
    theirs = SummarizationMiddleware(Echo(), trigger=("messages", 4), keep=("messages", 2))
    agent, model = everyday(memory, theirs, checkpointer=InMemorySaver(), summary=summary)
    for n in range(5):
        result = ask(agent, f"question {n}")
        memory.extract()
    assert "summary" in result["messages"][0].text
    for prompt in model.seen:
        has_theirs = any(m.additional_kwargs.get("lc_source") for m in prompt)
        has_ours = any(TITLE in m.text for m in prompt)
        assert not (has_theirs and has_ours)
    assert any(m.additional_kwargs.get("lc_source") for m in model.seen[-1])


def test_a_writer_that_fails_ends_no_run(memory, writer, caplog):
    writer.fails = True
    agent, model = everyday(memory, summary=True)
    for n in range(4):
        ask(agent, f"question {n}")
        memory.extract(retry=True)
    assert model.seen[-1][-1].text == "question 3"
    assert TITLE not in front(model)


def test_the_background_writes_it_while_the_agent_goes_on(writer):
    with threadkeep.connect("memory://", llm={"call": writer, "every": 4}) as memory:
        agent, model = everyday(memory, summary=True)
        for n in range(4):
            ask(agent, f"question {n}")
        assert memory.flush(timeout=30)
        asyncio.run(agent.ainvoke({"messages": [{"role": "user", "content": "now?"}]}, HERS))
    assert TITLE in front(model)


def test_false_never_tells_it(memory):
    agent, model = everyday(memory, summary=False)
    for n in range(4):
        ask(agent, f"question {n}")
    memory.extract()
    ask(agent, "and now?")
    assert front(model) == "Be kind."


def test_without_a_model_or_injection_it_says_what_is_missing(memory):
    with threadkeep.connect("memory://") as bare, pytest.raises(ConfigError, match="llm="):
        ThreadkeepMiddleware(bare, summary=True)
    with pytest.raises(ConfigError, match="inject"):
        ThreadkeepMiddleware(memory, summary=True, inject=False)
    with pytest.raises(ConfigError, match="True, False or None"):
        ThreadkeepMiddleware(memory, summary="yes")
