"""Reads real conversations from a file, whichever of four formats it has.

- OpenAI-style messages as JSON: a list, an object with `messages`, or a list of either;
- JSON Lines: a message per line, or a conversation per line as in fine-tuning files;
- the data export of ChatGPT, `conversations.json`;
- LoCoMo's conversations of two people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from examples.readers import chat_messages, chatgpt, locomo
from examples.readers.entries import EXPECTED, Conversation, Entry, load

__all__ = ["Conversation", "read"]

_Recognises = Callable[[object], bool]
_Reads = Callable[[list[Entry]], Iterator[Conversation]]
_FORMATS: tuple[tuple[_Recognises, _Reads], ...] = (
    (locomo.recognises, locomo.conversations),
    (chatgpt.recognises, chatgpt.conversations),
    (chat_messages.recognises, chat_messages.conversations),
)


def read(path: str | Path) -> Iterator[Conversation]:
    """The conversations of a file, in its order; the first entry decides which format it is.

    The file is read and recognised at once; its entries are checked as they are reached.

    Raises:
        ValueError: the file has none of the formats, or an entry is malformed: its place is named.
        OSError: the file cannot be read.
    """
    path = Path(path)
    entries = load(path)
    for recognises, conversations in _FORMATS:
        if entries and recognises(entries[0].value):
            return _each_once(path, conversations(entries))
    raise ValueError(f"{path} holds no conversations. {EXPECTED}")


def _each_once(path: Path, conversations: Iterator[Conversation]) -> Iterator[Conversation]:
    """All that is found; two conversations of one id would become one session."""
    ids: set[str] = set()
    for conversation in conversations:
        if conversation.id in ids:
            raise ValueError(f"{path}: two conversations have the id {conversation.id!r}")
        ids.add(conversation.id)
        yield conversation
