"""The tool `read_more` in each adapter: the model is told a handle, reads on, and is shown it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from agents.tool_context import ToolContext
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from llama_index.core.base.llms.types import ChatMessage
from pydantic import SecretStr

from langchain_threadkeep import ThreadkeepMiddleware
from llama_index.memory import threadkeep as llama
from openai_agents_threadkeep import ThreadkeepSession, read_more_tool
from threadkeep import connect
from threadkeep.testing import ScriptedModel

LINES = "\n".join(f"line {number}: the sea is calm" for number in range(2_000))
HANDLE = re.compile(r'read_more\(handle="([^"]+)", start=(\d+)\)')
CALL = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}


@tool
def read(path: str) -> str:
    """Read a file."""
    return LINES


def run(memory, answer, tools, **options):
    """The requests that a model got from an agent in one run."""
    with ScriptedModel(answer) as server:
        model = ChatOpenAI(model="gpt-5", base_url=server.base_url, api_key=SecretStr("none"))
        middleware = ThreadkeepMiddleware(memory, window={"max_tokens": 4_000}, **options)
        config: Any = {"configurable": {"thread_id": "t"}}
        create_agent(model, tools, middleware=[middleware]).invoke(
            {"messages": [HumanMessage("sum up the file")]}, config
        )
        return server.requests


def reading_on(request):
    """Calls `read`, then `read_more` with what the marker names, then answers."""
    results = [m["content"] for m in request["messages"] if m["role"] == "tool"]
    if not results:
        return {"tool_calls": [{"name": "read", "args": {"path": "a"}}]}
    found = HANDLE.search(results[0])
    if len(results) == 1 and found:
        return {
            "tool_calls": [
                {"name": "read_more", "args": {"handle": found[1], "start": int(found[2])}}
            ]
        }
    return "done"


@pytest.mark.proves("D2")
def test_an_agent_reads_on_what_was_cut():
    with connect("memory://") as memory:
        *_, last = run(memory, reading_on, [read])
        cut, page = (m["content"] for m in last["messages"] if m["role"] == "tool")
        assert len(cut) < len(LINES)
        assert page.startswith("[read_more ")
        assert page.partition("\n")[2] in LINES
        assert len(page) > 1_000
        stored = [item.text for item in memory.session("t").items() if item.role == "tool"]
        assert stored == [LINES, page.partition("\n")[0]]


def names(request):
    return [entry["function"]["name"] for entry in request.get("tools", [])]


def test_only_agents_with_tools_are_given_it():
    with connect("memory://") as memory:
        assert sorted(names(run(memory, lambda _: "hi", [read])[0])) == ["read", "read_more"]
        assert names(run(memory, lambda _: "hi", [])[0]) == []
        assert names(run(memory, lambda _: "hi", [read], read_more=False)[0]) == ["read"]
        assert names(run(memory, lambda _: "hi", [], read_more=True)[0]) == ["read_more"]


def test_without_it_the_marker_names_no_handle():
    with connect("memory://") as memory:
        *_, last = run(memory, reading_on, [read], read_more=False)
        assert HANDLE.search(str(last["messages"])) is None
        assert "characters left out" in str(last["messages"])


def fill(memory):
    result = {"role": "tool", "tool_call_id": "c", "content": LINES}
    memory.session("t").add("q", {"role": "assistant", "tool_calls": [CALL]}, result)


def test_llama_index_memory_names_a_handle_for_its_tool():
    with connect("memory://") as memory:
        fill(memory)
        found = llama.ThreadkeepMemory.from_defaults("t", memory, token_limit=4_000)
        assert HANDLE.search(str(found.get()[-1].content)) is None
        reader = llama.read_more_tool(found)
        match = HANDLE.search(str(found.get()[-1].content))
        assert match
        page = str(reader.call(handle=match[1], start=int(match[2])))
        assert page.partition("\n")[2] in LINES
        found.put(ChatMessage(role="tool", content=page, additional_kwargs={"tool_call_id": "d"}))
        assert memory.session("t").items()[-1].text == page.partition("\n")[0]


def test_an_agents_session_names_a_handle_for_its_tool():
    with connect("memory://") as memory:
        fill(memory)
        session = ThreadkeepSession("t", memory, window={"max_tokens": 4_000})
        reader = read_more_tool(session)

        async def read_on():
            *_, cut = await session.get_items()
            match = HANDLE.search(str(cut))
            assert match
            arguments = json.dumps({"handle": match[1], "start": int(match[2])})
            context = ToolContext(
                None, tool_name="read_more", tool_call_id="d", tool_arguments=arguments
            )
            page = await reader.on_invoke_tool(context, arguments)
            call = {"type": "function_call", "call_id": "d", "name": "read_more"}
            output = {"type": "function_call_output", "call_id": "d", "output": page}
            entries: Any = [{**call, "arguments": arguments}, output]
            await session.add_items(entries)
            *_, shown = await session.get_items()
            return page, shown

        page, shown = asyncio.run(read_on())
        assert page.partition("\n")[2] in LINES
        assert shown["output"] == page
        assert memory.session("t").items()[-1].text == page.partition("\n")[0]
