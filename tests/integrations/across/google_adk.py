"""Google ADK as it begins or continues a conversation: events, through its session service."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from google.adk.events.event import Event
from google.adk.sessions import InMemorySessionService
from google.genai import types

from google_adk_threadkeep import ThreadkeepSessionService
from tests.integrations.google_adk.conftest import ask, make_runner, said
from threadkeep.testing import assert_valid

WHO: Any = {"app_name": "guide", "user_id": "ada", "session_id": "chat"}
SESSION = "guide/ada/chat"
"""Where the session of these names is stored; all frameworks share it."""


class GoogleAdk:
    """Events of ADK, through its session service."""

    def __init__(self, png: str, cities: tuple[str, ...], unheard: frozenset[str]) -> None:
        self._png, self._cities, self.unheard = png, cities, unheard

    def turn(self, tag: str) -> list[Any]:
        picture = types.Blob(data=base64.b64decode(self._png), mime_type="image/png")
        ids = {city: f"call_{tag}_{city}" for city in self._cities}
        calls = [
            types.Part(function_call=types.FunctionCall(id=id, name="weather", args={"city": city}))
            for city, id in ids.items()
        ]
        answer = {"result": f"{tag} result"}
        results = [
            types.Part(
                function_response=types.FunctionResponse(id=id, name="weather", response=answer)
            )
            for id in ids.values()
        ]
        thought = types.Part(text=f"{tag} thought", thought=True)
        question = [types.Part(text=f"{tag} question"), types.Part(inline_data=picture)]
        spoken = [
            ("user", "user", question),
            ("guide", "model", [thought, *calls]),
            ("guide", "user", results),
            ("guide", "model", [types.Part(text=f"{tag} answer")]),
        ]
        return [
            Event(
                id=f"{tag}-{number}",
                invocation_id=f"e-{tag}",
                author=author,
                content=types.Content(role=role, parts=parts),
            )
            for number, (author, role, parts) in enumerate(spoken)
        ]

    def write(self, memory: Any, turn: list[Any]) -> None:
        asyncio.run(self._append(ThreadkeepSessionService(memory), turn))

    def read(self, memory: Any) -> list[Any]:
        events = self._events(memory)
        assert_valid(asyncio.run(self._prompt(events)), "gemini")
        return events

    def same(self, turn: list[Any], read: list[Any]) -> bool:
        starts = range(len(read) - len(turn) + 1)
        return any(read[start : start + len(turn)] == turn for start in starts)

    def words(self, memory: Any) -> str:
        parts = [p for e in self._events(memory) for p in (e.content and e.content.parts) or ()]
        data = [p.inline_data.data for p in parts if p.inline_data and p.inline_data.data]
        return " ".join([repr(parts), *(base64.b64encode(one).decode() for one in data)])

    def _events(self, memory: Any) -> list[Event]:
        service = ThreadkeepSessionService(memory, agent="guide")
        session = asyncio.run(service.get_session(**WHO))
        return [] if session is None else session.events

    async def _append(self, service: Any, events: list[Event]) -> None:
        session = await service.get_session(**WHO) or await service.create_session(**WHO)
        for event in events:
            await service.append_event(session, event)

    async def _prompt(self, events: list[Event]) -> list[Any]:
        """What ADK's own runner sends to a model after these events."""
        service = InMemorySessionService()
        await self._append(service, [event.model_copy(deep=True) for event in events])
        runner, model = make_runner(service, [said("ok")])
        await ask(runner, "And now?")
        contents = model.requests[0].contents
        return [c.model_dump(mode="json", by_alias=True, exclude_none=True) for c in contents]
