"""State of providers and odd values through every framework: kept, and no run ends for them."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    ToolMessage,
    convert_to_openai_messages,
)
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock

from langchain_threadkeep import ThreadkeepChatMessageHistory
from llama_index.memory.threadkeep import ThreadkeepMemory
from openai_agents_threadkeep import ThreadkeepSession
from threadkeep import connect
from threadkeep.testing import assert_valid

SIGNATURES = "__gemini_function_call_thought_signatures__"
DETAILS = [{"type": "reasoning.encrypted", "data": "D"}]
FUNCTION = {"name": "f", "arguments": '{"a": 1}'}
CALL = {"id": "c", "type": "function", "function": FUNCTION}
SIGNED = {**CALL, "extra_content": {"google": {"thought_signature": "S"}}}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "r"}
STATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "deepseek": ({"reasoning_content": "thought"}, {"reasoning_content": "thought"}),
    "openrouter": ({"reasoning_details": DETAILS}, {"reasoning_details": DETAILS}),
    "gemini": ({"tool_calls": [SIGNED]}, {SIGNATURES: {"c": "S"}}),
}


@pytest.fixture
def memory():
    with connect("memory://") as memory:
        yield memory


def history(memory):
    return ThreadkeepChatMessageHistory("chat", memory)


@pytest.mark.proves("D3")
@pytest.mark.parametrize("profile", STATES)
def test_langchain_gets_state_where_its_classes_look_for_it(memory, profile):
    state, kwargs = STATES[profile]
    asked = {"role": "assistant", "content": None, "tool_calls": [CALL], **state}
    memory.session("chat").add("q", asked, RESULT)
    message = history(memory).messages[1]
    assert message.additional_kwargs == kwargs
    assert message.tool_calls[0]["args"] == {"a": 1}
    sent = convert_to_openai_messages(history(memory).messages)
    assert_valid(sent, "openai", profile="openai")


@pytest.mark.proves("D3")
@pytest.mark.parametrize("profile", STATES)
def test_what_langchain_wrote_goes_to_the_server_that_wrote_it(memory, profile):
    state, kwargs = STATES[profile]
    call = {"name": "f", "args": {"a": 1}, "id": "c"}
    written = [
        HumanMessage("q"),
        AIMessage("", tool_calls=[call], additional_kwargs=kwargs),
        ToolMessage("r", tool_call_id="c"),
    ]
    history(memory).add_messages(written)
    assert history(memory).messages == written
    window = memory.session("chat").window()
    for wire in (window.to_openai(), window.to_openai(profile)):
        if profile == "gemini":
            assert wire[1]["tool_calls"][0]["extra_content"] == SIGNED["extra_content"]
        else:
            assert state.items() <= wire[1].items()
        assert_valid(wire, "openai", profile=profile)
    assert_valid(window.to_openai("openai"), "openai", profile="openai")


@pytest.mark.parametrize("arguments", ['{"bad": ', '{"x": NaN}', "[1]", ""])
def test_arguments_of_another_framework_end_no_run(memory, arguments):
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": arguments}
    output = {"type": "function_call_output", "call_id": "c", "output": "r"}
    thought: Any = {"type": "reasoning", "id": "rs_1", "summary": []}
    written: list[Any] = [{"role": "user", "content": "q"}, thought, call, output]

    async def run() -> list[Any]:
        session = ThreadkeepSession("chat", memory)
        await session.add_items(written)
        return await session.get_items()

    assert asyncio.run(run()) == written
    read = history(memory).messages
    assert read[1].invalid_tool_calls[0]["args"] == arguments
    assert read[2].tool_call_id == "c"
    assert ThreadkeepMemory.from_defaults(memory=memory, session_id="chat").get()
    window = memory.session("chat").window()
    assert window.to_responses()[1:] == [thought, call, output]
    assert_valid(window.to_gemini(), "gemini")


ODD = {
    "nan": math.nan,
    "datetime": datetime(2026, 1, 2, tzinfo=UTC),
    "uuid": UUID(int=7),
    "decimal": Decimal("1.10"),
    "bytes": b"\xff\x00",
    "set": {1, 2},
    "keys": {1: "a"},
    "surrogate": "half \ud83d",
}


@pytest.mark.proves("D4")
@pytest.mark.parametrize("name", ODD)
def test_odd_values_of_a_model_or_tool_end_no_run(memory, name):
    value = ODD[name]
    call = {"name": "f", "args": {"x": value}, "id": "c"}
    written = [
        HumanMessage("q"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("r", tool_call_id="c", artifact=value),
    ]
    ThreadkeepChatMessageHistory("langchain", memory).add_messages(written)
    block = ToolCallBlock(tool_call_id="c", tool_name="f", tool_kwargs={"x": value})
    told = ThreadkeepMemory.from_defaults(memory=memory, session_id="llama")
    told.put(ChatMessage(role="user", content="q"))
    told.put(ChatMessage(role="assistant", blocks=[block]))
    told.put(
        ChatMessage(role="tool", content="r", additional_kwargs={"tool_call_id": "c", "x": value})
    )
    entries: list[Any] = [
        {"role": "user", "content": "q"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"x": value}]},
    ]
    asyncio.run(ThreadkeepSession("agents", memory).add_items(entries))
    for session in ("langchain", "llama", "agents"):
        window = memory.session(session).window()
        assert [item.role for item in window] == ["user", "assistant", "tool"], session
        assert_valid(window.to_openai(), "openai")
        assert_valid(window.to_responses(), "responses")
        assert_valid(window.to_anthropic(), "anthropic")
        json.dumps(window.to_gemini(), allow_nan=False)
