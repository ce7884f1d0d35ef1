"""How many of a conversation's last messages a window holds; those of a fork's source count too."""

from __future__ import annotations

import dataclasses
from typing import Final

from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.entries import Entry
from pydantic_ai_threadkeep.entry_history import history
from threadkeep import Item, Window
from threadkeep.adapters import windows

_LAST: Final = 2**50
"""The position of the newest item: positions are counted from the end, as history is read."""

_FIRST_PAGE: Final = 32


def limit_of(log: ConversationLog, state: State, policies: windows.Policies) -> tuple[int, Window]:
    """The number of entries from the first one in the window, and the window.

    A history that is loaded has no gaps; where the newest user message and the last step are all
    that a window holds, it begins with that message.

    Args:
        log: the conversation.
        state: of it.
        policies: those of the window.
    """
    conversation_tail = _Tail(log, state)
    window = windows.choose_from(conversation_tail.fetch, policies, log.chat)
    seqs = [item.seq for item in window if item.role not in ("system", "developer")]
    first_seq = min((seq for seq in seqs if seq > 0), default=_LAST + 1)
    return conversation_tail.entries_from(first_seq), window


class _Tail:
    """The items at the end of a history, read from there as far as a window asks."""

    def __init__(self, log: ConversationLog, state: State) -> None:
        self._log, self._state = log, state
        self._entries: list[Entry] = []
        self._items: list[Item] = []
        self._size, self._is_complete = 0, False

    def fetch(self, before: int, limit: int) -> list[Item]:
        """The newest items before a position, oldest first."""
        while not self._is_complete and len(self._before(before)) < limit:
            self._grow()
        older_items = self._before(before)
        return older_items[max(0, len(older_items) - limit) :]

    def entries_from(self, position: int) -> int:
        """The number of entries from the one that holds a position to the end."""
        items_left, entry_count = _LAST - position + 1, 0
        for entry in reversed(self._entries):
            if items_left <= 0:
                break
            items_left -= len(entry.items)
            entry_count += 1
        return entry_count

    def _before(self, position: int) -> list[Item]:
        end_index = len(self._items) - max(0, _LAST + 1 - position)
        return self._items[: max(0, end_index)]

    def _grow(self) -> None:
        self._size = max(_FIRST_PAGE, 2 * self._size)
        entries = history(self._log, self._state, limit=self._size)
        self._is_complete = len(entries) <= self._size
        self._entries = entries[max(0, len(entries) - self._size) :]
        items = [item for entry in self._entries for item in entry.items]
        first_seq = _LAST + 1 - len(items)
        self._items = [
            dataclasses.replace(item, seq=first_seq + index) for index, item in enumerate(items)
        ]
