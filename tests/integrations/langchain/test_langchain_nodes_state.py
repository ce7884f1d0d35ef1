"""The nodes follow the state as the middleware does, where there is one."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver

import threadkeep
from tests.integrations.langchain.chains import CONFIG, Echo, texts, user
from tests.integrations.langchain.test_langchain_nodes import graph


@pytest.fixture
def model():
    return Echo()


@pytest.fixture
def runner(memory, model):
    return graph(memory, model, InMemorySaver())


def test_an_edit_is_shown_and_stored(memory, runner, model, chat):
    runner.invoke(user("card 4711"), CONFIG)
    first = runner.get_state(CONFIG).values["messages"][0]
    runner.update_state(CONFIG, {"messages": [HumanMessage("card ****", id=first.id)]})
    runner.invoke(user("and?"), CONFIG)
    assert texts(model.seen[-1]) == ["card ****", "re: card 4711", "and?"]
    assert chat.items()[0].text == "card ****"


def test_a_removed_message_does_not_come_back_in_any_form(memory, runner, model, chat):
    runner.invoke(user("card 4711"), CONFIG)
    first = runner.get_state(CONFIG).values["messages"][0]
    runner.update_state(CONFIG, {"messages": [HumanMessage("card ****", id=first.id)]})
    runner.invoke(user("and?"), CONFIG)
    runner.update_state(CONFIG, {"messages": [RemoveMessage(first.id)]})
    runner.invoke(user("so?"), CONFIG)
    assert texts(model.seen[-1]) == ["re: card 4711", "and?", "re: and?", "so?"]
    assert chat.items()[0].text == "re: card 4711"


def test_another_branch_is_hidden_and_shown_again(runner, model, chat):
    for number in range(3):
        runner.invoke(user(f"q{number}"), CONFIG)
    ends = {
        len(state.values["messages"]): state.config
        for state in runner.get_state_history(CONFIG)
        if not state.next
    }
    runner.invoke(user("other"), ends[2])
    assert texts(model.seen[-1]) == ["q0", "re: q0", "other"]
    runner.invoke(user("on"), ends[6])
    assert texts(model.seen[-1]) == ["q0", "re: q0", "q1", "re: q1", "q2", "re: q2", "on"]
    assert "other" not in [item.text for item in chat.items()]


def test_a_lost_state_loses_nothing(memory, model):
    for number in range(2):
        graph(memory, model, InMemorySaver()).invoke(user(f"q{number}"), CONFIG)
    assert texts(model.seen[-1]) == ["q0", "re: q0", "q1"]


def test_extraction_waits_for_the_end_of_a_turn(tmp_path):
    """What an agent is working on may yet be redacted."""
    from langchain.agents import create_agent

    from langchain_threadkeep import ThreadkeepMiddleware

    asked = []
    read = []

    def learn(messages):
        read.append(str(messages))
        return "{}"

    with threadkeep.connect("memory://", llm=learn) as memory:

        class Asking(Echo):
            def _answer(self, messages):
                memory.extract(user="ada", session="t")
                asked.append(len(read))
                return super()._answer(messages)

        agent = create_agent(Asking(), middleware=[ThreadkeepMiddleware(memory)])
        config = {"configurable": {"thread_id": "t", "user_id": "ada"}}
        agent.invoke({"messages": [HumanMessage("My card is 4711, and I live in Rome")]}, config)
        assert asked == [0], "the turn was open"
        memory.extract(user="ada", session="t")
        assert "Rome" in str(read)
