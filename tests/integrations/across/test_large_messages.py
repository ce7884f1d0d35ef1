"""No run ends for a large message: its parts stand beside the session, or a text says so."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from agent_framework import Message
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from llama_index.core.llms import ChatMessage

from agent_framework_threadkeep import ThreadkeepHistoryProvider
from langchain_threadkeep import ThreadkeepChatMessageHistory, ThreadkeepMiddleware
from llama_index.memory.threadkeep import ThreadkeepMemory
from openai_agents_threadkeep import ThreadkeepSession
from tests.engine.large_messages import photo, picture
from threadkeep import connect
from threadkeep.core import parts
from threadkeep.core.left_out import KEY, without_large_parts
from threadkeep.sessions import blob_upload
from threadkeep.types import Item

pytestmark = pytest.mark.proves("D4")


class Model(GenericFakeChatModel):
    """Says what it is told to, and may call tools."""

    def bind_tools(self, tools, **kwargs):
        return self


def langchain(memory, text):
    ThreadkeepChatMessageHistory("chat", memory).add_messages([HumanMessage(text)])


def llama_index(memory, text):
    ThreadkeepMemory.from_defaults(memory=memory, session_id="chat").put(
        ChatMessage(role="user", content=text)
    )


def openai_agents(memory, text):
    session = ThreadkeepSession("chat", memory)
    asyncio.run(session.add_items([{"role": "user", "content": text}]))


def agent_framework(memory, text):
    history = ThreadkeepHistoryProvider(memory)
    asyncio.run(history.save_messages("chat", [Message("user", [text])]))


WRITERS = [langchain, llama_index, openai_agents, agent_framework]


@pytest.mark.parametrize("write", WRITERS)
def test_a_text_that_is_too_large_is_cut_and_counted(monkeypatch, caplog, write):
    monkeypatch.setattr(parts, "MAX_MESSAGE", 1_000_000)
    with connect("memory://") as memory, caplog.at_level(logging.WARNING, "threadkeep"):
        write(memory, "word " * 400_000)
        [item] = memory.session("chat").items()
    assert item.text.startswith("word word")
    assert item.text.endswith("\n[the rest left out: 1,984,000 bytes are too much to be stored]")
    assert item.metadata[KEY] == {"parts": 1, "bytes": 1_984_000}
    assert "1 parts (1984000 bytes)" in caplog.text


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_session_takes_further_messages_without_large_parts(monkeypatch, write):
    monkeypatch.setattr(blob_upload, "MAX_SESSION", 250_000)
    with connect("memory://") as memory:
        for _ in range(3):
            write(memory, "word " * 20_000 + picture(12))
        texts = [item.text for item in memory.session("chat").items()]
    assert ["left out" in text for text in texts] == [False, False, True]


@pytest.mark.parametrize("limit", [parts.MAX_MESSAGE, 1_000_000], ids=["stored", "left out"])
def test_a_screenshot_of_a_tool_ends_no_run(monkeypatch, limit):
    monkeypatch.setattr(parts, "MAX_MESSAGE", limit)

    @tool
    def shot() -> list:
        """Take a screenshot."""
        return [{"type": "image", "base64": "A" * 4_100_000, "mime_type": "image/png"}]

    asks = AIMessage("", tool_calls=[{"name": "shot", "args": {}, "id": "1"}])
    model = Model(messages=iter([asks, AIMessage("ok"), AIMessage("yes")]))
    with connect("memory://") as memory:
        agent = create_agent(model, [shot], middleware=[ThreadkeepMiddleware(memory)])
        config: RunnableConfig = {"configurable": {"thread_id": "chat"}}
        for question in ("look", "again"):
            messages: Any = {"messages": [HumanMessage(question)]}
            agent.invoke(messages, config)
        blocks = next(i.content for i in memory.session("chat").items() if i.role == "tool")
    assert ("base64" in blocks[0]) is (limit > 1_000_000)


def test_what_is_left_out_of_an_item_keeps_its_calls_and_words():
    content = [{"type": "text", "text": "look"}, {"type": "image", "base64": picture()}]
    item = Item(
        role="assistant",
        content=content,
        tool_calls=[{"id": "1", "name": "f", "args": {"x": "y" * 100_000}}],
        raw={"format": "f", "data": {}},
        metadata={"mine": 1},
    )
    trimmed = without_large_parts(item)
    assert trimmed.content[0] == content[0]
    assert "[image left out: " in str(trimmed.content[1])
    assert trimmed.tool_calls[0]["args"].startswith("[args left out: ")
    assert (trimmed.raw, trimmed.metadata["mine"]) == (None, 1)
    assert trimmed.metadata[KEY]["parts"] == 2
    small = Item(content=content[:1])
    assert without_large_parts(small) is small
    assert photo()["content"]
