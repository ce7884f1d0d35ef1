"""`--input FILE`: the conversations of a file as sessions, with their own dates and speakers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import threadkeep
from examples import conversations
from examples.conversations import Conversation
from examples.demo import terminal
from threadkeep import Item, Memory, Window
from threadkeep.testing import assert_valid

BUDGET = 500
SHOWN = 4


def run(path: str, store: str) -> bool:
    """Import a file and show what came of it; whether every count matches.

    Raises:
        ValueError: the file is not understood, or the store's URL.
        OSError: the file cannot be read.
        ThreadkeepError: the store did not do what it should.
    """
    imported = list(conversations.read(path))
    terminal.row("input", f"{path}: {terminal.many(len(imported), 'conversation')}")
    terminal.row("store", store)
    with threadkeep.connect(store) as memory:
        good = [_show(memory, conversation) for conversation in imported]
    terminal.heading("Counts")
    terminal.row(
        "check", f"{sum(good)} of {len(good)} conversations stored as they are in the file"
    )
    return all(good)


def _show(memory: Memory, conversation: Conversation) -> bool:
    chat = memory.session(conversation.id, user=conversation.user)
    before = len(chat.items())
    messages = [_identified(conversation, n) for n in range(len(conversation.messages))]
    if messages:
        chat.add(*messages)
    if conversation.title:
        chat.update(title=conversation.title)
    stored = chat.items()
    _about(conversation, stored, before)
    sound = _excerpt(chat.window(max_tokens=BUDGET)) if stored else True
    return _checked(messages, stored) and sound


def _identified(conversation: Conversation, number: int) -> dict[str, Any]:
    """A message with an id: its own, else one that is the same at the next import."""
    message = conversation.messages[number]
    return {"id": f"{conversation.id}:{number}", **message}


def _about(conversation: Conversation, stored: Sequence[Item], before: int) -> None:
    title = f" ({conversation.title})" if conversation.title else ""
    terminal.heading(f"{conversation.id}{title}")
    terminal.row(
        "speakers", ", ".join(conversation.speakers) or ", ".join(_roles(stored)) or "none"
    )
    terminal.row("in the file", terminal.many(len(conversation.messages), "item"))
    terminal.row(
        "stored", f"{terminal.many(len(stored), 'item')}, {len(stored) - before} of them new"
    )
    dated = [message for message in conversation.messages if "created_at" in message]
    if dated and stored:
        times = [item.created_at for item in stored if item.created_at]
        terminal.row("dates", f"{min(times):%Y-%m-%d %H:%M} to {max(times):%Y-%m-%d %H:%M} UTC")
    else:
        terminal.row("dates", "none in the file; stored with the time of the import")


def _roles(items: Sequence[Item]) -> list[str]:
    return list(dict.fromkeys(item.role for item in items))


def _excerpt(window: Window) -> bool:
    """The end of a window, and whether providers would take all of it."""
    wrong = _verdict(window)
    size = f"{terminal.many(len(window), 'item')}, {window.tokens} tokens"
    terminal.row("window", f"max_tokens={BUDGET}: {size}, {wrong or 'valid'}")
    if len(window) > SHOWN:
        terminal.row("", f"... {len(window) - SHOWN} before these:")
    terminal.messages(window[-SHOWN:])
    return not wrong


def _verdict(window: Window) -> str:
    try:
        assert_valid(window.to_openai(), "openai")
        assert_valid(window.to_responses(), "responses")
        assert_valid(window.to_anthropic(), "anthropic")
    except AssertionError as error:
        return f"NOT VALID: {error}"
    return ""


def _checked(messages: Sequence[dict[str, Any]], stored: Sequence[Item]) -> bool:
    same = [message["id"] for message in messages] == [item.id for item in stored]
    verdict = "ok: same items, same order" if same else "DIFFERS from the file"
    terminal.row("check", f"{len(messages)} in the file, {len(stored)} stored, {verdict}")
    return same
