"""Other middlewares beside ours: retries, fallbacks, edits, summaries."""

from __future__ import annotations

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    hook_config,
)
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.chains import (
    ASK,
    CONFIG,
    Echo,
    said,
    shown,
    user,
    weather,
)


@pytest.fixture
def ours(memory):
    return ThreadkeepMiddleware(memory)


class TestOtherMiddlewares:
    def test_retries_store_one_answer(self, memory, served, chat):
        for order in (0, 1):
            chat_model, _ = served([500, 500, "ok"])
            both = [ModelRetryMiddleware(max_retries=3, initial_delay=0.0, jitter=False)]
            both.insert(order, ThreadkeepMiddleware(memory, session_id=f"s{order}"))
            create_agent(chat_model, middleware=both).invoke(user("hi"), CONFIG)
            assert said(memory.session(f"s{order}")) == [("user", "hi"), ("assistant", "ok")]

    def test_a_fallback_answers_once(self, served, ours, chat):
        broken, _ = served([500])
        spare, _ = served(["ok"])
        both = [ModelFallbackMiddleware(spare), ours]
        create_agent(broken, middleware=both).invoke(user("hi"), CONFIG)
        assert said(chat) == [("user", "hi"), ("assistant", "ok")]

    def test_an_answer_that_another_refused_is_not_stored(self, served, ours, chat):
        class Picky(AgentMiddleware):
            def wrap_model_call(self, request, handler):
                response = handler(request)
                return handler(request) if response.result[0].text == "bad" else response

        chat_model, model = served(["bad", "good"])
        create_agent(chat_model, middleware=[Picky(), ours]).invoke(user("hi"), CONFIG)
        assert len(model.requests) == 2
        assert said(chat) == [("user", "hi"), ("assistant", "good")]

    def test_an_answer_that_another_changed_is_stored_as_changed(self, served, memory, chat):
        class Polite(AgentMiddleware):
            def after_model(self, state, runtime):
                last = state["messages"][-1]
                return {"messages": [last.model_copy(update={"content": f"please, {last.text}"})]}

        for order in (0, 1):
            chat_model, _ = served(["sit"])
            both = [Polite()]
            both.insert(order, ThreadkeepMiddleware(memory, session_id=f"s{order}"))
            create_agent(chat_model, middleware=both).invoke(user("hi"), CONFIG)
            stored = said(memory.session(f"s{order}"))
            assert stored == [("user", "hi"), ("assistant", "please, sit")]

    def test_a_word_for_the_model_only_is_shown_and_not_stored(self, served, ours, chat):
        class Reminder(AgentMiddleware):
            def wrap_model_call(self, request, handler):
                more = [HumanMessage("it is late")]
                return handler(request.override(messages=[*request.messages, *more]))

        chat_model, model = served(["1", "2"])
        runner = create_agent(chat_model, middleware=[Reminder(), ours])
        for text in "ab":
            runner.invoke(user(text), CONFIG)
        assert shown(model) == ["a", "1", "b", "it is late"]
        assert [text for _, text in said(chat)] == ["a", "1", "b", "2"]

    def test_what_another_takes_out_of_the_prompt_stays_out(self, served, ours, chat):
        class Short(AgentMiddleware):
            def wrap_model_call(self, request, handler):
                return handler(request.override(messages=request.messages[-1:]))

        chat_model, model = served(["1", "2"])
        runner = create_agent(chat_model, middleware=[Short(), ours], checkpointer=InMemorySaver())
        for text in "ab":
            runner.invoke(user(text), CONFIG)
        assert shown(model) == ["b"]
        assert len(chat.items()) == 4

    def test_tool_results_cleared_for_the_prompt_are_stored_whole(self, served, ours, chat):
        edit = ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=1, keep=0)])
        chat_model, model = served([ASK, "warm"])
        runner = create_agent(chat_model, [weather], middleware=[edit, ours])
        runner.invoke(user("weather?"), CONFIG)
        assert shown(model)[-1] == "[cleared]"
        assert said(chat)[2] == ("tool", "Lisbon: 21")

    def test_a_summary_of_the_state_takes_nothing_from_the_store(self, served, memory, chat):
        chat_model, _ = served([ASK, "1", ASK, "2", ASK, "3"])
        summaries = SummarizationMiddleware(Echo(), trigger=("messages", 4), keep=("messages", 2))
        runner = create_agent(
            chat_model,
            [weather],
            middleware=[summaries, ThreadkeepMiddleware(memory)],
            checkpointer=InMemorySaver(),
        )
        for number in "123":
            state = runner.invoke(user(f"q{number}"), CONFIG)
        assert len(state["messages"]) < 8, "the state was summed up"
        items = chat.items(hidden=True)
        spoken = [entry for entry, item in zip(said(chat, hidden=True), items, strict=True)
                  if item.role != "system"]  # fmt: skip
        turn = [("assistant", "weather"), ("tool", "Lisbon: 21")]
        assert spoken == [
            ("user", "q1"), *turn, ("assistant", "1"), ("user", "q2"), *turn, ("assistant", "2"),
            ("user", "q3"), *turn, ("assistant", "3"),
        ]  # fmt: skip
        [summary] = [item for item in chat.items() if item.role == "system"]
        assert len(chat.items()) < 8, "what was summed up is hidden"
        assert summary in chat.window()

    def test_what_is_removed_from_the_state_stays_in_the_store(self, served, ours, chat):
        class Forgetful(AgentMiddleware):
            def after_agent(self, state, runtime):
                return {"messages": [RemoveMessage(id=m.id) for m in state["messages"][:-1]]}

        chat_model, _ = served(["1", "2"])
        runner = create_agent(
            chat_model, middleware=[ours, Forgetful()], checkpointer=InMemorySaver()
        )
        for text in "ab":
            runner.invoke(user(text), CONFIG)
        assert [text for _, text in said(chat)] == ["2"]
        assert [text for _, text in said(chat, hidden=True)] == ["a", "1", "b", "2"]


def test_a_question_answered_by_another_node_is_stored(memory, served, chat):
    """A middleware that ends the run before the model is asked."""

    class Closed(AgentMiddleware):
        @hook_config(can_jump_to=["end"])
        def before_model(self, state, runtime):
            return {"messages": [AIMessage("we are closed")], "jump_to": "end"}

    chat_model, model = served([])
    create_agent(chat_model, middleware=[Closed(), ThreadkeepMiddleware(memory)]).invoke(
        user("hi"), CONFIG
    )
    assert said(chat) == [("user", "hi"), ("assistant", "we are closed")]
    assert model.requests == []
