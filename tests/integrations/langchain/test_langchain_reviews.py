"""Tool calls that a human reviews, and those that a middleware edits."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_threadkeep import ThreadkeepChatMessageHistory, ThreadkeepMiddleware
from tests.integrations.langchain.chains import (
    ASK,
    CONFIG,
    said,
    shown,
    user,
    weather,
)
from threadkeep.errors import NotOwner

REVIEW = {"interrupt_on": {"weather": True}}


def decide(*decisions):
    return Command(resume={"decisions": list(decisions)})


class TestReviews:
    @pytest.fixture(params=["ours last", "ours first"])
    def reviewed(self, request, memory, served):
        """An agent whose tool calls are reviewed; each `resume` is by another process's objects."""
        saver = InMemorySaver()

        def make(replies):
            chat_model, model = served(replies)

            def build():
                order = [HumanInTheLoopMiddleware(**REVIEW), ThreadkeepMiddleware(memory)]
                if request.param == "ours first":
                    order.reverse()
                return create_agent(chat_model, [weather], middleware=order, checkpointer=saver)

            return build, model

        return make

    def test_approved(self, reviewed, chat):
        build, model = reviewed([ASK, "warm"])
        assert "__interrupt__" in build().invoke(user("weather?"), CONFIG)
        build().invoke(decide({"type": "approve"}), CONFIG)
        assert said(chat) == [
            ("user", "weather?"), ("assistant", "weather"), ("tool", "Lisbon: 21"),
            ("assistant", "warm"),
        ]  # fmt: skip
        assert shown(model) == ["weather?", None, "Lisbon: 21"]

    def test_another_user_cannot_go_on_with_it(self, reviewed, memory):
        build, model = reviewed([ASK, "warm"])
        agent = build()  # one object for both, as in a server

        def of(name):
            return {"configurable": {**CONFIG["configurable"], "user_id": name}}

        agent.invoke(user("weather?"), of("ada"))
        asked = len(model.requests)
        with pytest.raises(NotOwner):
            agent.invoke(decide({"type": "approve"}), of("bob"))
        assert len(model.requests) == asked
        assert len(memory.session("t", user="ada").items()) == 2

    def test_edited(self, reviewed, chat, memory):
        build, _ = reviewed([ASK, "cold"])
        build().invoke(user("weather?"), CONFIG)
        edited = {"name": "weather", "args": {"city": "Oslo"}}
        build().invoke(decide({"type": "edit", "edited_action": edited}), CONFIG)
        state = build().get_state(CONFIG).values["messages"]
        assert ThreadkeepChatMessageHistory("t", memory).messages == state
        assert "Oslo: 21" in chat.items()[2].text

    @pytest.mark.parametrize("in_place", [True, False])
    def test_edited_by_a_middleware_of_the_application(self, memory, served, chat, in_place):
        class Editor(AgentMiddleware):
            def after_model(self, state, runtime):
                last = state["messages"][-1]
                calls = [{**call, "args": {"city": "Oslo"}} for call in last.tool_calls]
                if not in_place:
                    last = last.model_copy()
                last.tool_calls = calls
                return {"messages": [last]}

        chat_model, model = served([ASK, "cold"])
        order = [Editor(), ThreadkeepMiddleware(memory)]
        create_agent(chat_model, [weather], middleware=order).invoke(user("weather?"), CONFIG)
        question, call, result, _ = chat.items()
        assert question.seq < call.seq < result.seq
        assert call.tool_calls[0]["args"] == {"city": "Oslo"}
        assert result.text == "Oslo: 21"
        assert "Oslo" in str(model.requests[-1]["messages"][1])

    def test_rejected(self, reviewed, chat):
        build, _ = reviewed([ASK, "as you like"])
        build().invoke(user("weather?"), CONFIG)
        build().invoke(decide({"type": "reject", "message": "not now"}), CONFIG)
        assert [role for role, _ in said(chat)] == ["user", "assistant", "tool", "assistant"]
        assert "not now" in said(chat)[2][1]

    def test_never_decided(self, reviewed, chat):
        build, model = reviewed([ASK, "fine"])
        build().invoke(user("weather?"), CONFIG)
        build().invoke(user("never mind"), CONFIG)
        assert said(chat) == [
            ("user", "weather?"), ("assistant", "weather"), ("user", "never mind"),
            ("assistant", "fine"),
        ]  # fmt: skip
        assert [m["role"] for m in model.requests[-1]["messages"]] == [
            "user", "assistant", "tool", "user",
        ]  # fmt: skip

    def test_the_call_is_stored_before_the_review(self, memory, served, chat):
        chat_model, _ = served([ASK])
        order = [HumanInTheLoopMiddleware(**REVIEW), ThreadkeepMiddleware(memory)]
        runner = create_agent(chat_model, [weather], middleware=order, checkpointer=InMemorySaver())
        runner.invoke(user("weather?"), CONFIG)
        assert said(chat) == [("user", "weather?"), ("assistant", "weather")]
