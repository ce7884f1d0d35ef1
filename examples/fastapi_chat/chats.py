"""Chats: read a page, say something and have the answer streamed, delete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI
from pydantic import BaseModel, Field

from examples.fastapi_chat.identity import CurrentMemory, CurrentUser
from examples.fastapi_chat.settings import Settings
from threadkeep import Session

router = APIRouter(prefix="/chats")


class Question(BaseModel):
    """What a user says. A client that repeats a request sends the same id: nothing is doubled."""

    text: str = Field(min_length=1, max_length=100_000)
    id: str | None = Field(None, min_length=1, max_length=200)


@router.get("")
async def list_chats(memory: CurrentMemory, user: CurrentUser, cursor: int | None = None) -> Any:
    """A page of the user's chats, latest first."""
    page = await memory.user(user).asessions(cursor=cursor)
    return {"chats": [{"id": info.id, "title": info.title} for info in page], "next": page.cursor}


@router.get("/{chat_id}/messages")
async def read_chat(
    chat_id: str,
    memory: CurrentMemory,
    user: CurrentUser,
    after: int | None = None,
    limit: int = Query(50, ge=1, le=200),
) -> Any:
    """A page of a chat, oldest first."""
    page = await memory.session(chat_id, user=user).aitems(after=after, limit=limit)
    lines = [{"id": item.id, "role": item.role, "text": item.text} for item in page]
    return {"messages": lines, "next": page.cursor}


@router.post("/{chat_id}/messages")
async def say(
    chat_id: str, question: Question, request: Request, memory: CurrentMemory, user: CurrentUser
) -> StreamingResponse:
    """Store the question, then stream the answer, which is stored as far as it came."""
    chat = memory.session(chat_id, user=user)
    message = {"role": "user", "content": question.text}
    await chat.aadd(message | ({"id": question.id} if question.id else {}))
    prompt = await _prompt(chat, question.text, request.app.state.settings)
    pieces = _answer(chat, request.app.state.client, request.app.state.settings.model, prompt)
    return StreamingResponse(pieces, media_type="text/plain; charset=utf-8")


@router.delete("/{chat_id}", status_code=204)
async def delete_chat(chat_id: str, memory: CurrentMemory, user: CurrentUser) -> None:
    """Delete a chat with everything in it."""
    await memory.session(chat_id, user=user).adelete()


async def _prompt(chat: Session, text: str, settings: Settings) -> list[dict[str, Any]]:
    """What is known of the user, then the newest part of the chat."""
    window = await chat.awindow(max_tokens=settings.window_tokens)
    known = await chat.acontext(text, window=window)
    system = [{"role": "system", "content": f"You are a helpful guide.\n\n{known}".strip()}]
    return [*system, *window.to_openai()]


async def _answer(
    chat: Session, client: AsyncOpenAI, model: str, prompt: list[dict[str, Any]]
) -> AsyncIterator[str]:
    pieces: list[str] = []
    status = "incomplete"
    try:
        messages: Any = prompt
        async with await client.chat.completions.create(
            model=model, messages=messages, stream=True
        ) as stream:
            async for chunk in stream:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    pieces.append(text)
                    yield text
        status = "complete"
    finally:
        # Also when the client has gone, which cancels this generator: what it read is stored.
        if pieces:
            answer = chat.aadd("".join(pieces), role="assistant", metadata={"status": status})
            await asyncio.shield(answer)
