"""Agents that are interrupted, retried, cancelled, nested, or run twice at once."""

from __future__ import annotations

import asyncio
import threading

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ClearToolUsesEdit,
    ContextEditingMiddleware,
    HumanInTheLoopMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    hook_config,
)
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

import threadkeep
from langchain_threadkeep import ThreadkeepChatMessageHistory, ThreadkeepMiddleware
from tests.integrations.langchain.chains import (
    ASK,
    ASK_TWO,
    CONFIG,
    Echo,
    said,
    shown,
    texts,
    user,
    weather,
)
from threadkeep.testing import assert_valid

REVIEW = {"interrupt_on": {"weather": True}}


def decide(*decisions):
    return Command(resume={"decisions": list(decisions)})


@pytest.fixture
def ours(memory):
    return ThreadkeepMiddleware(memory)


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
        spoken = [entry for entry, item in zip(said(chat), chat.items(), strict=True)
                  if item.type != "notice"]  # fmt: skip
        turn = [("assistant", "weather"), ("tool", "Lisbon: 21")]
        assert spoken == [
            ("user", "q1"), *turn, ("assistant", "1"), ("user", "q2"), *turn, ("assistant", "2"),
            ("user", "q3"), *turn, ("assistant", "3"),
        ]  # fmt: skip
        assert any(item.type == "notice" for item in chat.items())
        assert all(item.type != "notice" for item in chat.window())

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
        assert [text for _, text in said(chat)] == ["a", "1", "b", "2"]


class TestAtOnce:
    @pytest.mark.parametrize("saver", [None, InMemorySaver()], ids=["no saver", "saver"])
    def test_two_runs_of_one_thread_lose_nothing(self, memory, chat, saver):
        model = Echo()
        runner = create_agent(model, middleware=[ThreadkeepMiddleware(memory)], checkpointer=saver)
        runner.invoke(user("a"), CONFIG)
        entered, let_go = model.hold()
        slow = threading.Thread(target=runner.invoke, args=(user("slow"), CONFIG))
        slow.start()
        assert entered.wait(20)
        runner.invoke(user("quick"), CONFIG)
        let_go.set()
        slow.join()
        assert [text for _, text in said(chat)] == [
            "a", "re: a", "slow", "quick", "re: quick", "re: slow",
        ]  # fmt: skip
        assert [texts(messages)[-1] for messages in model.seen] == ["a", "slow", "quick"]

    def test_runs_between_each_other_s_tool_calls(self, memory, served, chat):
        gate = threading.Barrier(2, timeout=20)

        @tool
        def weather(city: str) -> str:
            """How the weather is."""
            gate.wait()
            return f"{city}: 21"

        def answer(request):
            return "warm" if request["messages"][-1]["role"] == "tool" else ASK

        chat_model, model = served(answer)
        runner = create_agent(chat_model, [weather], middleware=[ThreadkeepMiddleware(memory)])
        threads = [
            threading.Thread(target=runner.invoke, args=(user(f"q{n}"), CONFIG)) for n in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = said(chat)
        assert len(stored) == 8
        assert len([entry for entry in stored if entry == ("assistant", "warm")]) == 2
        for request in model.requests:
            assert request["messages"][-1]["role"] in ("user", "tool")
        assert_valid(chat.window().to_openai(), "openai")

    def test_many_runs_of_one_thread(self, memory, chat):
        runner = create_agent(Echo(), middleware=[ThreadkeepMiddleware(memory)])

        async def run():
            await asyncio.gather(*[runner.ainvoke(user(f"q{n}"), CONFIG) for n in range(20)])

        asyncio.run(run())
        expected = [f"q{n}" for n in range(20)] + [f"re: q{n}" for n in range(20)]
        assert sorted(text for _, text in said(chat)) == sorted(expected)


class TestCut:
    def test_a_cancelled_run_keeps_what_was_said(self, memory, served, chat):
        started = asyncio.Event()

        @tool
        async def weather(city: str) -> str:
            """How the weather is."""
            started.set()
            await asyncio.sleep(60)
            return "never"

        chat_model, model = served([ASK, "let us see"])
        runner = create_agent(chat_model, [weather], middleware=[ThreadkeepMiddleware(memory)])

        async def run():
            task = asyncio.create_task(runner.ainvoke(user("weather?"), CONFIG))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await runner.ainvoke(user("are you there?"), CONFIG)

        asyncio.run(run())
        assert said(chat) == [
            ("user", "weather?"), ("assistant", "weather"), ("user", "are you there?"),
            ("assistant", "let us see"),
        ]  # fmt: skip
        assert [m["role"] for m in model.requests[-1]["messages"]] == [
            "user", "assistant", "tool", "user",
        ]  # fmt: skip

    def test_a_tool_that_raises_leaves_a_sound_history(self, memory, served, chat):
        @tool
        def weather(city: str) -> str:
            """How the weather is."""
            raise RuntimeError("no satellite")

        chat_model, model = served([ASK_TWO, "ok"])
        runner = create_agent(chat_model, [weather], middleware=[ThreadkeepMiddleware(memory)])
        with pytest.raises(RuntimeError):
            runner.invoke(user("weather?"), CONFIG)
        runner.invoke(user("and now?"), CONFIG)
        assert [m["role"] for m in model.requests[-1]["messages"]] == [
            "user", "assistant", "tool", "tool", "user",
        ]  # fmt: skip
        assert len(chat.items()) == 4

    def test_a_stream_that_is_left(self, memory, served, chat):
        chat_model, _ = served([ASK, "never said", "ok"])
        runner = create_agent(chat_model, [weather], middleware=[ThreadkeepMiddleware(memory)])
        stream = runner.stream(user("weather?"), CONFIG, stream_mode="updates")
        for update in stream:
            if "model" in update:
                break
        stream.close()
        runner.invoke(user("and now?"), CONFIG)
        stored = said(chat)
        assert stored[:2] == [("user", "weather?"), ("assistant", "weather")]
        assert [role for role, _ in stored[-2:]] == ["user", "assistant"]
        assert_valid(chat.window().to_openai(), "openai")

    def test_a_run_goes_on_in_another_process(self, memory, served, chat, tmp_path):
        chat_model, model = served([ASK, 400, "warm"])
        for attempt in range(2):
            with (
                threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as other,
                SqliteSaver.from_conn_string(str(tmp_path / "saver.db")) as saver,
            ):
                runner = create_agent(
                    chat_model,
                    [weather],
                    middleware=[ThreadkeepMiddleware(other)],
                    checkpointer=saver,
                )
                if attempt:
                    runner.invoke(None, CONFIG)
                else:
                    with pytest.raises(Exception, match="Bad request"):
                        runner.invoke(user("weather?"), CONFIG)
        assert said(chat) == [
            ("user", "weather?"), ("assistant", "weather"), ("tool", "Lisbon: 21"),
            ("assistant", "warm"),
        ]  # fmt: skip
        assert shown(model) == ["weather?", None, "Lisbon: 21"]


class TestSubAgents:
    def test_they_write_to_a_session_of_their_own(self, memory, served):
        inner_model, _ = served(["found it", "found more"])
        scout = create_agent(inner_model, middleware=[ThreadkeepMiddleware(memory)], name="scout")

        @tool
        def search(task: str) -> str:
            """Let a scout search."""
            return str(scout.invoke(user(task))["messages"][-1].text)

        ask = {"tool_calls": [{"name": "search", "args": {"task": "find it"}}]}
        outer_model, _ = served([ask, "done"])
        chief = create_agent(
            outer_model, [search], middleware=[ThreadkeepMiddleware(memory)], name="chief"
        )
        config = {"configurable": {"thread_id": "t", "user_id": "ada"}}
        chief.invoke(user("go"), config)
        assert said(memory.session("t")) == [
            ("user", "go"), ("assistant", "search"), ("tool", "found it"), ("assistant", "done"),
        ]  # fmt: skip
        assert said(memory.session("t/scout")) == [("user", "find it"), ("assistant", "found it")]
        assert memory.session("t/scout").info().user == "ada"
        assert [info.id for info in memory.user("ada").sessions()] == ["t"]
        assert [info.id for info in memory.sessions()] == ["t"]

    def test_parallel_ones_do_not_mix(self, memory, served):
        scout = create_agent(Echo(), middleware=[ThreadkeepMiddleware(memory)], name="scout")

        @tool
        async def search(task: str) -> str:
            """Let a scout search."""
            found = await scout.ainvoke(user(task))
            return str(found["messages"][-1].text)

        ask = {"tool_calls": [{"name": "search", "args": {"task": f"task {n}"}} for n in range(4)]}
        outer_model, _ = served([ask, "done"])
        chief = create_agent(outer_model, [search], middleware=[ThreadkeepMiddleware(memory)])
        asyncio.run(chief.ainvoke(user("go"), CONFIG))
        results = [item.text for item in memory.session("t").items() if item.role == "tool"]
        assert results == [f"re: task {n}" for n in range(4)]
        assert len(memory.session("t/scout").items()) == 8


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
