"""Each framework as it begins or continues a conversation: what it writes, and what it reads.

`unheard` names those whose thoughts it leaves out of what its model reads; they stay stored.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    ToolMessage,
    convert_to_openai_messages,
)
from llama_index.core.base.llms.types import (
    ChatMessage,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from langchain_threadkeep import ThreadkeepChatMessageHistory
from llama_index.memory.threadkeep import ThreadkeepMemory
from openai_agents_threadkeep import ThreadkeepSession
from tests.integrations.across.agent_framework import AgentFramework
from tests.integrations.across.google_adk import SESSION, GoogleAdk
from tests.integrations.across.pydantic_ai_turns import PydanticAI
from tests.integrations.llama_index.conftest import as_openai
from threadkeep.testing import assert_valid

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
URL = f"data:image/png;base64,{PNG}"
CITIES = ("Oslo", "Rome")


class Plain:
    """OpenAI Chat Completions dicts, added to the session as they are."""

    unheard: frozenset[str] = frozenset()

    def turn(self, tag: str) -> list[Any]:
        picture = {"type": "image_url", "image_url": {"url": URL, "detail": "low"}}
        asked = [
            {
                "id": f"call_{tag}_{city}",
                "type": "function",
                "function": {"name": "weather", "arguments": json.dumps({"city": city})},
            }
            for city in CITIES
        ]
        return [
            {"role": "user", "content": [{"type": "text", "text": f"{tag} question"}, picture]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": asked,
                "reasoning_content": f"{tag} thought",
            },
            *(
                {"role": "tool", "tool_call_id": call["id"], "content": f"{tag} result"}
                for call in asked
            ),
            {"role": "assistant", "content": f"{tag} answer"},
        ]

    def write(self, memory: Any, turn: list[Any]) -> None:
        memory.session(SESSION).add(*turn)

    def read(self, memory: Any) -> list[Any]:
        window = memory.session(SESSION).window()
        assert_valid(window.to_responses(), "responses")
        anthropic = window.to_anthropic()
        assert_valid(anthropic, "anthropic", system=anthropic.system or None)
        read = window.to_openai()
        assert_valid(read, "openai")
        return list(read)

    def same(self, turn: list[Any], read: list[Any]) -> bool:
        told = [{k: v for k, v in said.items() if k != "reasoning_content"} for said in turn]
        return _holds(read, told)

    def words(self, memory: Any) -> str:
        return repr(memory.session(SESSION).items())


class Agents:
    """Items of the OpenAI Agents SDK, through its `Session` protocol."""

    # No model but the one that thought it can be given a thought by the Responses API.
    unheard = frozenset(
        {"plain", "langchain", "llama_index", "pydantic_ai", "google_adk", "agent_framework"}
    )

    def turn(self, tag: str) -> list[Any]:
        picture = {"type": "input_image", "detail": "low", "image_url": URL}
        ids = {city: f"call_{tag}_{city}" for city in CITIES}
        return [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": f"{tag} question"}, picture],
            },
            {
                "type": "reasoning",
                "id": f"rs_{tag}",
                "summary": [{"type": "summary_text", "text": f"{tag} thought"}],
            },
            *(
                {
                    "type": "function_call",
                    "id": f"fc_{tag}_{city}",
                    "call_id": id,
                    "name": "weather",
                    "arguments": json.dumps({"city": city}),
                    "status": "completed",
                }
                for city, id in ids.items()
            ),
            *(
                {"type": "function_call_output", "call_id": id, "output": f"{tag} result"}
                for id in ids.values()
            ),
            {
                "type": "message",
                "id": f"msg_{tag}",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": f"{tag} answer", "annotations": []}],
            },
        ]

    def write(self, memory: Any, turn: list[Any]) -> None:
        asyncio.run(ThreadkeepSession(SESSION, memory).add_items(turn))

    def read(self, memory: Any) -> list[Any]:
        for window in (None, {"max_messages": 100}):
            session = ThreadkeepSession(SESSION, memory, window=window)
            read = asyncio.run(session.get_items())
            assert_valid(read, "responses")
        return list(read)

    def same(self, turn: list[Any], read: list[Any]) -> bool:
        return _holds(read, turn)

    def words(self, memory: Any) -> str:
        return repr(self.read(memory))


class LlamaIndex:
    """Chat messages of LlamaIndex, through its memory."""

    unheard: frozenset[str] = frozenset()

    def turn(self, tag: str) -> list[Any]:
        picture = ImageBlock(image=PNG.encode(), image_mimetype="image/png", detail="low")
        asked = [
            ToolCallBlock(
                tool_call_id=f"call_{tag}_{city}", tool_name="weather", tool_kwargs={"city": city}
            )
            for city in CITIES
        ]
        thought = ThinkingBlock(content=f"{tag} thought")
        return [
            ChatMessage(role="user", blocks=[TextBlock(text=f"{tag} question"), picture]),
            ChatMessage(role="assistant", blocks=[thought, *asked]),
            *(
                ChatMessage(
                    role="tool",
                    content=f"{tag} result",
                    additional_kwargs={"tool_call_id": call.tool_call_id},
                )
                for call in asked
            ),
            ChatMessage(role="assistant", content=f"{tag} answer"),
        ]

    def write(self, memory: Any, turn: list[Any]) -> None:
        self._kept(memory).put_messages(turn)

    def read(self, memory: Any) -> list[Any]:
        kept = self._kept(memory)
        assert_valid(as_openai(kept.get()), "openai")
        read = kept.get_all()
        assert_valid(as_openai(read), "openai")
        return read

    def same(self, turn: list[Any], read: list[Any]) -> bool:
        return _holds(read, turn)

    def words(self, memory: Any) -> str:
        return repr(self.read(memory))

    def _kept(self, memory: Any) -> ThreadkeepMemory:
        return ThreadkeepMemory.from_defaults(memory=memory, session_id=SESSION)


class LangChain:
    """Messages of LangChain, through its chat message history."""

    # Thoughts that stand apart as items of their own have no place in its messages.
    unheard = frozenset({"openai_agents"})

    def turn(self, tag: str) -> list[Any]:
        picture = {"type": "image", "base64": PNG, "mime_type": "image/png"}
        ids = [f"call_{tag}_{city}" for city in CITIES]
        asked = [
            {"name": "weather", "args": {"city": city}, "id": id, "type": "tool_call"}
            for city, id in zip(CITIES, ids, strict=True)
        ]
        thought = {"type": "reasoning", "reasoning": f"{tag} thought"}
        return [
            HumanMessage([{"type": "text", "text": f"{tag} question"}, picture], id=f"h_{tag}"),
            AIMessage([thought], tool_calls=asked, id=f"run-{tag}"),
            *(ToolMessage(f"{tag} result", tool_call_id=id, name="weather") for id in ids),
            AIMessage(f"{tag} answer", response_metadata={"model_name": "gpt-5"}),
        ]

    def write(self, memory: Any, turn: list[Any]) -> None:
        ThreadkeepChatMessageHistory(SESSION, memory).add_messages(turn)

    def read(self, memory: Any) -> list[Any]:
        read = ThreadkeepChatMessageHistory(SESSION, memory).messages
        assert_valid(_sent(read), "openai")
        return list(read)

    def same(self, turn: list[Any], read: list[Any]) -> bool:
        return _holds(read, turn)

    def words(self, memory: Any) -> str:
        return repr(self.read(memory))


def _sent(messages: list[Any]) -> Any:
    """As LangChain's OpenAI model sends them: without thoughts, which that API has no place for."""
    told = []
    for message in messages:
        content = message.content
        if isinstance(content, list):
            content = [part for part in content if part.get("type") != "reasoning"]
        told.append(message.model_copy(update={"content": content or ""}))
    return convert_to_openai_messages(told)


def _holds(read: list[Any], turn: list[Any]) -> bool:
    """Whether the turn stands in what was read, unchanged and in one piece."""
    starts = range(len(read) - len(turn) + 1)
    return any(read[start : start + len(turn)] == turn for start in starts)


FOREIGN = frozenset(
    {"plain", "langchain", "llama_index", "openai_agents", "pydantic_ai", "google_adk"}
)
"""Those whose thoughts the Agent Framework leaves out: no other model can read them."""

FRAMEWORKS: dict[str, Any] = {
    "plain": Plain(),
    "langchain": LangChain(),
    "llama_index": LlamaIndex(),
    "openai_agents": Agents(),
    "pydantic_ai": PydanticAI(),
    "google_adk": GoogleAdk(PNG, CITIES, frozenset()),
    "agent_framework": AgentFramework(SESSION, URL, CITIES, FOREIGN),
}
