"""Agents that are cancelled, nested, or run twice at once."""

from __future__ import annotations

import asyncio
import re
import threading

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
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
from threadkeep.errors import ConfigError
from threadkeep.testing import assert_valid


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
        [info] = memory.sessions(parent="t")
        assert said(memory.session(info.id)) == [("user", "find it"), ("assistant", "found it")]
        assert (info.agent, info.user) == ("scout", "ada")
        assert re.fullmatch(r"t/scout/[0-9a-f-]{36}", info.id)
        assert memory.user("ada").sessions(parent="t")[0].id == info.id
        assert memory.sessions(parent="other") == []
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
        sessions = [memory.session(info.id) for info in memory.sessions(parent="t")]
        assert sorted(said(session)[0][1] for session in sessions) == [
            f"task {n}" for n in range(4)
        ]
        assert {len(session.items()) for session in sessions} == {2}

    @pytest.mark.proves("D5")
    @pytest.mark.parametrize("remembers", ["call", "thread"])
    def test_later_calls_remember_as_asked(self, memory, served, remembers):
        inner_model = Echo()
        scout = create_agent(
            inner_model,
            middleware=[ThreadkeepMiddleware(memory, sub_agent_memory=remembers)],
            name="scout",
        )

        @tool
        def search(task: str) -> str:
            """Let a scout search."""
            return str(scout.invoke(user(task))["messages"][-1].text)

        asks = [{"tool_calls": [{"name": "search", "args": {"task": n}}]} for n in "abc"]
        outer_model, _ = served([*asks, "done"])
        chief = create_agent(outer_model, [search], middleware=[ThreadkeepMiddleware(memory)])
        chief.invoke(user("go"), CONFIG)
        before = [] if remembers == "call" else ["a", "re: a", "b", "re: b"]
        assert texts(inner_model.seen[-1]) == [*before, "c"]
        assert len(memory.sessions(parent="t")) == (3 if remembers == "call" else 1)

    @pytest.mark.proves("D5")
    def test_calls_that_one_node_runs_at_once_do_not_meet(self, memory):
        scout = create_agent(Echo(), middleware=[ThreadkeepMiddleware(memory)], name="scout")

        @tool
        def search(task: str) -> str:
            """Let a scout search."""
            return str(scout.invoke(user(task))["messages"][-1].text)

        graph = StateGraph(MessagesState)
        graph.add_node("tools", ToolNode([search]))
        graph.add_edge(START, "tools")
        calls = [{"name": "search", "args": {"task": n}, "id": n} for n in "abc"]
        graph.compile().invoke({"messages": [AIMessage("", tool_calls=calls)]}, CONFIG)
        sessions = [memory.session(info.id) for info in memory.sessions(parent="t")]
        assert sorted(said(session)[0][1] for session in sessions) == ["a", "b", "c"]
        assert {len(session.items()) for session in sessions} == {2}

    def test_an_unknown_memory_of_sub_agents_is_refused(self, memory):
        with pytest.raises(ConfigError, match="sub_agent_memory must be 'call' or 'thread'"):
            ThreadkeepMiddleware(memory, sub_agent_memory="session")
