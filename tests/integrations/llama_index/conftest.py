"""A store, and a model that says what a script tells it and judges each prompt."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import warnings

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, TextNode

import threadkeep
from threadkeep.testing import assert_valid


@pytest.fixture
def memory(tmp_path):
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as memory:
        yield memory


@pytest.fixture(autouse=True)
def no_loop_left():
    """Close the event loop that LlamaIndex's engines leave behind in this thread."""
    yield
    with contextlib.suppress(RuntimeError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.get_event_loop_policy().get_event_loop().close()
        asyncio.set_event_loop(None)


def call(id, city="Oslo"):
    return ToolCallBlock(tool_call_id=id, tool_name="weather", tool_kwargs={"city": city})


def weather(city: str) -> str:
    """How the weather is."""
    return f"{city}: 21 degrees"


class Scripted:
    """`.llm` answers with the next of the replies; `.prompts` are what it was asked."""

    def __init__(self, *replies):
        self.prompts = []
        self._replies = list(replies)
        self.llm = MockFunctionCallingLLM(response_generator=self._answer, is_chat_model=True)

    def _answer(self, messages, **_):
        self.prompts.append([message.model_copy(deep=True) for message in messages])
        assert_valid(as_openai(messages), "openai")
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, str):
            return ChatMessage(role="assistant", content=reply)
        return ChatMessage(role="assistant", blocks=reply)

    @property
    def said(self):
        return [[message.content for message in prompt] for prompt in self.prompts]


def as_openai(messages):
    """The prompt as LlamaIndex's OpenAI model sends it."""
    return [_one(message) for message in messages]


def _one(message):
    words = "\n".join(b.text for b in message.blocks if isinstance(b, TextBlock))
    if message.role == MessageRole.TOOL:
        id_ = message.additional_kwargs["tool_call_id"]
        return {"role": "tool", "tool_call_id": id_, "content": words}
    asked = [
        {
            "id": block.tool_call_id,
            "type": "function",
            "function": {"name": block.tool_name, "arguments": json.dumps(block.tool_kwargs)},
        }
        for block in message.blocks
        if isinstance(block, ToolCallBlock)
    ]
    if asked:
        return {"role": "assistant", "content": words or None, "tool_calls": asked}
    return {"role": message.role.value, "content": words}


class Shelf(BaseRetriever):
    """A retriever with one text for every question."""

    def _retrieve(self, query_bundle):
        return [NodeWithScore(node=TextNode(text="Oslo is in Norway."), score=1.0)]


async def settled(value):
    return await value if inspect.isawaitable(value) else value
