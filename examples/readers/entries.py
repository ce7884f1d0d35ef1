"""What all readers share: a conversation, the entries of a file, and errors that name the place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

Message = dict[str, Any]
"""Fit for `Session.add`: role, content, and of name, id, created_at, tool_calls, tool_call_id and
metadata those that are known."""

T = TypeVar("T")

EXPECTED = (
    "Expected one of: OpenAI-style messages (a list of objects with role and content, or objects "
    "with messages; as JSON or as JSON Lines), the conversations.json of a ChatGPT export (objects "
    "with mapping), LoCoMo (objects with a conversation of speaker_a and speaker_b)"
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of a file, to become one session.

    Attributes:
        id: its own id, or one made of the file's name; unique within the file.
        messages: in order, oldest first.
        title: as the file gives it.
        user: whose conversation it is, where the file says so.
        speakers: the names that speak in it, in the order of their first message.
    """

    id: str
    messages: list[Message]
    title: str | None = None
    user: str | None = None
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One top-level entry of a file: its value, and where it stands.

    Attributes:
        at: its place, for errors.
        file: the name of the file, without its suffix.
        number: from 1, or 0 if it is the whole file.
    """

    value: Any
    at: str
    file: str
    number: int = 0

    @property
    def id(self) -> str:
        """An id for a conversation that brings none."""
        return f"{self.file}-{self.number}" if self.number else self.file


def malformed(at: str, why: str) -> NoReturn:
    """Refuse an entry; `at` is its place, such as `chat.json[3].messages[0]`."""
    raise ValueError(f"{at}: {why}")


def expect(value: object, kind: type[T], at: str) -> T:
    """The value, if it is of this JSON type."""
    if not isinstance(value, kind):
        malformed(at, f"must be a {kind.__name__}, is {type(value).__name__}")
    return value


def text_or_none(value: object, at: str) -> str | None:
    """A string with something in it; `None` for null and for nothing."""
    return None if value is None else expect(value, str, at) or None


def conversation(entry: Entry, messages: Iterable[Message], **details: Any) -> Conversation:
    """The conversation of an entry; what two messages share an id would lose one of them."""
    message_list = list(messages)
    ids: set[str] = set()
    for message in message_list:
        if (message_id := message.get("id")) in ids:
            malformed(entry.at, f"two messages have the id {message_id!r}")
        if message_id is not None:
            ids.add(message_id)
    names = dict.fromkeys(message["name"] for message in message_list if "name" in message)
    return Conversation(
        **{"id": entry.id, "messages": message_list, "speakers": tuple(names), **details},
    )


def load(path: Path) -> list[Entry]:
    """The entries of a file: of its JSON list, its lines of JSON, or the one JSON object it is.

    Raises:
        ValueError: it is neither JSON nor JSON Lines, or not UTF-8.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text file in UTF-8: {error}") from error
    try:
        document = json.loads(text)
    except ValueError as error:
        return _lines(path, text, error)
    if not isinstance(document, list):
        return [Entry(document, path.name, path.stem)]
    return [
        Entry(value, f"{path.name}[{position}]", path.stem, position + 1)
        for position, value in enumerate(document)
    ]


def _lines(path: Path, text: str, not_json: ValueError) -> list[Entry]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    entries: list[Entry] = []
    for number, line in lines:
        at = f"{path.name} line {number}"
        try:
            entries.append(Entry(json.loads(line), at, path.stem, len(entries) + 1))
        except ValueError as error:
            if not entries:
                why = f"{path} is neither JSON nor JSON Lines ({not_json}). {EXPECTED}"
                raise ValueError(why) from error
            malformed(at, f"not JSON: {error}")
    return entries
