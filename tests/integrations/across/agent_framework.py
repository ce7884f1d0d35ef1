"""The Microsoft Agent Framework as it begins or continues a conversation, through its history."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from agent_framework import Content, Message

from agent_framework_threadkeep import ThreadkeepHistoryProvider
from threadkeep.testing import assert_valid


class AgentFramework:
    """Messages of the framework, through its history provider."""

    def __init__(
        self, session: str, url: str, cities: tuple[str, ...], unheard: frozenset[str]
    ) -> None:
        self._session, self._url, self._cities, self.unheard = session, url, cities, unheard

    def turn(self, tag: str) -> list[Any]:
        ids = {city: f"call_{tag}_{city}" for city in self._cities}
        picture = Content.from_uri(self._url, media_type="image/png")
        calls = [
            Content.from_function_call(id, "weather", arguments={"city": city})
            for city, id in ids.items()
        ]
        results = [Content.from_function_result(id, result=f"{tag} result") for id in ids.values()]
        thought = Content.from_text_reasoning(text=f"{tag} thought")
        return [
            Message("user", [f"{tag} question", picture]),
            Message("assistant", [thought, *calls], author_name="guide"),
            Message("tool", results),
            Message("assistant", [f"{tag} answer"]),
        ]

    def write(self, memory: Any, turn: list[Any]) -> None:
        asyncio.run(self._history(memory).save_messages(self._session, turn))

    def read(self, memory: Any) -> list[Any]:
        messages = asyncio.run(self._history(memory).get_messages(self._session))
        assert_valid(
            [entry for message in messages for entry in message_as_openai(message)], "openai"
        )
        return messages

    def same(self, turn: list[Any], read: list[Any]) -> bool:
        written, found = ([message.to_dict() for message in one] for one in (turn, read))
        starts = range(len(found) - len(written) + 1)
        return any(found[start : start + len(written)] == written for start in starts)

    def words(self, memory: Any) -> str:
        return repr([message.to_dict() for message in self.read(memory)])

    def _history(self, memory: Any) -> ThreadkeepHistoryProvider:
        return ThreadkeepHistoryProvider(memory)


def message_as_openai(message: Message) -> list[dict[str, Any]]:
    """As the framework's client of Chat Completions sends it, without thoughts."""
    results = [content for content in message.contents if content.type == "function_result"]
    if results:
        return [
            {"role": "tool", "tool_call_id": content.call_id, "content": content.result}
            for content in results
        ]
    calls = [
        {
            "id": content.call_id,
            "type": "function",
            "function": {
                "name": content.name,
                "arguments": content.arguments
                if isinstance(content.arguments, str)
                else json.dumps(content.arguments),
            },
        }
        for content in message.contents
        if content.type == "function_call"
    ]
    entry: dict[str, Any] = {"role": message.role, "content": message.text or None}
    return [{**entry, "tool_calls": calls} if calls else {**entry, "content": message.text}]
