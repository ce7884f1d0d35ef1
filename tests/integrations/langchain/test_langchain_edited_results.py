"""Tool results that another middleware changed in the request are cut like those of the tool."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from tests.integrations.langchain.agents_beside import CONFIG, content_of_all, recorder
from threadkeep.policies import max_characters, max_tokens, max_tool_result

SIZES = st.integers(0, 3_000)
WINDOWS = st.sampled_from(
    [{"max_tokens": 800}, [max_tool_result(64)], [max_characters(2_000)], None,
     [max_tool_result(200), max_tokens(5_000)]]
)  # fmt: skip


class Edit(AgentMiddleware[Any, Any, Any]):
    """Replaces the text of tool results, in the request only."""

    def __init__(self, texts: dict[str, str]):
        self.texts = texts

    def wrap_model_call(self, request, handler):
        messages = [
            m.model_copy(update={"content": self.texts[m.tool_call_id]})
            if isinstance(m, ToolMessage) and m.tool_call_id in self.texts
            else m
            for m in request.messages
        ]
        return handler(request.override(messages=messages))


def prompts(results, edited, window, *, read_more=False):
    """What the model sees of a run with a call for each result, one after the other."""
    remaining = list(results.values())

    @tool
    def look() -> str:
        """Look."""
        return str(remaining.pop(0))

    calls = [
        AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": id, "type": "tool_call"}])
        for id in results
    ]
    model = recorder(*calls, "done")
    memory = threadkeep.connect("memory://")
    ours = ThreadkeepMiddleware(memory, window=window, inject=False, read_more=read_more)
    agent = create_agent(model, [look], middleware=[Edit(edited), ours])
    agent.invoke({"messages": [{"role": "user", "content": "q"}]}, CONFIG)
    return model, memory.session("t")


def text_of(size):
    return "".join(f"word{n} " for n in range(size))


@settings(max_examples=40)
@given(st.lists(SIZES, min_size=1, max_size=3), SIZES, WINDOWS)
def test_an_edited_result_is_cut_as_if_the_tool_had_returned_it(sizes, edited_size, window):
    results = {f"c{n}": text_of(size) for n, size in enumerate(sizes)}
    edited = {"c0": "edited " + text_of(edited_size)}
    by_request, chat = prompts(results, edited, window)
    by_tool, _ = prompts({**results, **edited}, {}, window)
    assert content_of_all(by_request) == content_of_all(by_tool)
    assert [item.text for item in chat.items() if item.role == "tool"] == list(results.values())


def test_the_cut_of_an_edited_result_names_no_handle_to_the_stored_text():
    stored = text_of(3_000)
    model, _ = prompts({"c0": stored}, {"c0": "x " * 3_000}, {"max_tokens": 800}, read_more=True)
    shown = model.seen[-1][-1].content
    assert len(shown) < 2_000
    assert "characters left out" in shown
    assert "handle" not in shown


def test_an_edited_result_with_room_is_sent_as_the_request_has_it():
    model, _ = prompts({"c0": text_of(3_000)}, {"c0": "[redacted]"}, {"max_tokens": 800})
    assert model.seen[-1][-1].content == "[redacted]"
