"""A chat that comes in pieces, each of which may repeat what was said before it."""

from collections.abc import Sequence
from typing import Any

from threadkeep.errors import InputError
from threadkeep.importers import fields
from threadkeep.importers.values import Message
from threadkeep.messages import read


class Transcript:
    """The messages of all pieces, each once.

    Attributes:
        messages: in order.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._keys: list[str] = []

    def add(self, contents: Sequence[Any], location: str, date: object) -> None:
        """Append what is new: what follows the longest overlap with the end of the chat.

        Args:
            contents: the messages of a piece.
            location: of the piece.
            date: of its messages.
        """
        locations = [f"{location}[{index}]" for index in range(len(contents))]
        keys = [_key(content, place) for content, place in zip(contents, locations, strict=True)]
        for index in range(self._overlap(keys), len(keys)):
            if self._is_repeated_prompt(keys, index):
                continue
            self._keys.append(keys[index])
            self.messages.append(Message(contents[index], locations[index], created_at=date))

    def _overlap(self, keys: Sequence[str]) -> int:
        """How many of the first messages the chat ends with, or begins with."""
        if keys[: len(self._keys)] == self._keys:
            return len(self._keys)
        if keys == self._keys[: len(keys)] and len(keys) > 1:
            return len(keys)  # an earlier state of the same chat
        longest_overlap = min(len(keys), len(self._keys))
        return next((n for n in range(longest_overlap, 0, -1) if self._keys[-n:] == keys[:n]), 0)

    def _is_repeated_prompt(self, keys: Sequence[str], key_index: int) -> bool:
        """Whether it is a system prompt at the front, which each piece may begin with."""
        return (
            all(key.startswith("system:") for key in keys[: key_index + 1])
            and keys[key_index] in self._keys
        )


def _key(raw_content: Any, location: str) -> str:
    """What a message says, however it is written down."""
    try:
        items = read(raw_content, location)
    except (InputError, ValueError, TypeError, RecursionError):
        return f"?:{fields.digest(raw_content)}"  # it is named when it is stored
    contents = [[i.role, i.type, i.text or i.content, i.tool_calls, i.tool_call_id] for i in items]
    return f"{items[0].role if items else ''}:{fields.digest(contents)}"
