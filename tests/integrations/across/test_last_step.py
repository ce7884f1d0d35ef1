"""What a model has just obtained is in every prompt, whichever adapter makes it, whatever fits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, convert_to_openai_messages
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agent_framework_threadkeep import ThreadkeepHistoryProvider
from langchain_threadkeep import (
    ThreadkeepChatMessageHistory,
    ThreadkeepMiddleware,
    load_history_node,
    trim_messages,
)
from llama_index.memory.threadkeep import ThreadkeepMemory
from openai_agents_threadkeep import ThreadkeepSession
from tests.integrations.across.agent_framework import message_as_openai
from tests.integrations.llama_index.conftest import as_openai
from tests.window.histories import tool_loops
from tests.window.looking import last_step, many, newest_user_message
from threadkeep import connect
from threadkeep.testing import ScriptedModel, assert_valid

LIMITS = {
    "max_tokens": st.sampled_from([1, 50, 2_500]),
    "max_characters": st.sampled_from([1, 200, 12_000]),
    "max_messages": st.integers(1, 5),
    "max_turns": st.integers(1, 3),
    "max_exchanges": st.integers(1, 2),
    "max_age": st.sampled_from([0.001, 100.0]),
}
windows = st.one_of(
    *(
        st.builds(
            lambda n, step, name=name: {name: n, "step": step},
            limit,
            st.sampled_from([0.0] if name == "max_age" else [0.0, 0.5]),  # an age has no steps
        )
        for name, limit in LIMITS.items()
    )
)


def by_history(memory, window):
    found = ThreadkeepChatMessageHistory("chat", memory, window=window).messages
    return convert_to_openai_messages(found)


def by_node(memory, window):
    node = load_history_node(memory, window=window, session_id="chat")
    return convert_to_openai_messages(node.invoke({"messages": []})["messages"][1:])


def by_llama_index(memory, window):
    made = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", window=window)
    return as_openai(made.get())


def by_agents(memory, window):
    session = ThreadkeepSession("chat", memory, window=window)
    return asyncio.run(session.get_items())


def by_agent_framework(memory, window):
    history = ThreadkeepHistoryProvider(memory, window=window)
    messages = asyncio.run(history.get_messages("chat"))
    return [entry for message in messages for entry in message_as_openai(message)]


ADAPTERS = [by_history, by_node, by_llama_index, by_agents, by_agent_framework]


@pytest.mark.proves("C4")
@pytest.mark.parametrize("adapter", ADAPTERS)
@many
@given(history=tool_loops(), window=windows)
def test_adapters_show_the_last_step_and_the_question(adapter, history, window):
    with connect("memory://") as memory:
        stored = memory.session("chat").add(*history)
        prompt = adapter(memory, window)
        written = repr(prompt)
        calls = [call["id"] for item in last_step(stored) for call in item.tool_calls]
        assert [id_ for id_ in calls if written.count(id_) < 1] == []
        results = [item for item in last_step(stored) if item.tool_call_id]
        assert [item for item in results if not _is_shown(item, prompt)] == []
        assert all(item.text.strip() in written for item in newest_user_message(stored))
        assert_valid(prompt, "responses" if adapter is by_agents else "openai")


def _is_shown(result, prompt):
    """Whether an entry of a prompt answers the call of a result with its text, or its head."""
    ids = {"tool_call_id", "call_id"}
    entries = [entry for entry in prompt if result.tool_call_id in {entry.get(key) for key in ids}]
    texts = [str(entry.get("content") or entry.get("output") or "") for entry in entries]
    return any(text == result.text or text.startswith(result.text[:40]) for text in texts)


@pytest.mark.parametrize("most", [1, 100])
@many
@given(history=tool_loops())
def test_trimmed_messages_end_with_the_last_step(most, history):
    with connect("memory://") as memory:
        memory.session("chat").add(*history)
        messages: list[Any] = [*ThreadkeepChatMessageHistory("chat", memory).messages]
        found = trim_messages(messages, max_tokens=most, token_counter="approximate")
        calls = [call["id"] for m in messages if m.type == "ai" for call in m.tool_calls]
        results = [m.tool_call_id for m in messages if m.type == "tool"]
        if not results or sorted(calls) == sorted(results):  # half a step cannot be sent
            assert messages[-1].content in [message.content for message in found]
        if not results or results == calls:  # else each result is put behind its own call
            assert found[-1].content == messages[-1].content


@pytest.mark.parametrize("words", [10, 60_000])
def test_an_agent_ends_however_large_a_result_is(words):
    @tool
    def read(path: str) -> str:
        """Read a file."""
        return f"{path}: {'word ' * words}"

    def answer(request: Any) -> Any:
        obtained = any(message["role"] == "tool" for message in request["messages"])
        return "done" if obtained else {"tool_calls": [{"name": "read", "args": {"path": "a"}}]}

    with connect("memory://") as memory, ScriptedModel(answer) as server:
        model = ChatOpenAI(model="gpt-5", base_url=server.base_url, api_key=SecretStr("none"))
        agent = create_agent(model, [read], middleware=[ThreadkeepMiddleware(memory)])
        config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 12}
        state: Any = {"messages": [HumanMessage("sum up the file")]}
        end = agent.invoke(state, config)
        assert end["messages"][-1].content == "done"
