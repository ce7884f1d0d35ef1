"""Pydantic AI as it begins or continues a conversation of several frameworks."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
    repair_messages,
)

from pydantic_ai_threadkeep import ThreadkeepConversationStore
from tests.integrations.across.google_adk import SESSION

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CITIES = ("Oslo", "Rome")


class PydanticAI:
    """Messages of Pydantic AI, through its conversation store."""

    unheard: frozenset[str] = frozenset()

    def turn(self, tag: str) -> list[Any]:
        picture = BinaryContent(base64.b64decode(PNG), media_type="image/png")
        calls = [
            ToolCallPart("weather", f'{{"city":  "{city}"}}', f"call_{tag}_{city}")
            for city in CITIES
        ]
        thought = ThinkingPart(f"{tag} thought", signature="signed")
        results = [ToolReturnPart("weather", f"{tag} result", call.tool_call_id) for call in calls]
        return [
            ModelRequest([UserPromptPart([f"{tag} question", picture])]),
            ModelResponse([thought, *calls], model_name="gpt-5"),
            ModelRequest(results),
            ModelResponse([TextPart(f"{tag} answer")], model_name="gpt-5"),
        ]

    def write(self, memory: Any, turn: list[Any]) -> None:
        async def save() -> None:
            store = ThreadkeepConversationStore(memory)
            conversation = await store.load(SESSION) or Conversation(conversation_id=SESSION)
            conversation.messages = [*conversation.messages, *turn]
            await store.save(conversation)

        asyncio.run(save())

    def read(self, memory: Any) -> list[Any]:
        for window in ({"max_messages": 100}, None):
            store = ThreadkeepConversationStore(memory, window=window)
            loaded = asyncio.run(store.load(SESSION))
            read = [] if loaded is None else loaded.messages
            repaired = [part for message in repair_messages(read) for part in message.parts]
            parts = [part for message in read for part in message.parts]
            assert all(part in repaired for part in parts), "a result without its call"
        return read

    def same(self, turn: list[Any], read: list[Any]) -> bool:
        starts = range(len(read) - len(turn) + 1)
        return any(read[start : start + len(turn)] == turn for start in starts)

    def words(self, memory: Any) -> str:
        read = self.read(memory)
        media = [
            content.base64
            for message in read
            for part in message.parts
            if isinstance(part, UserPromptPart) and not isinstance(part.content, str)
            for content in part.content
            if isinstance(content, BinaryContent)
        ]
        dumped = ModelMessagesTypeAdapter.dump_json(read).decode()
        return dumped + " ".join(base64.b64encode(base64.b64decode(m)).decode() for m in media)
