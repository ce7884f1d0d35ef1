"""`ThreadkeepAsyncChatStore`: for `chat_store=` of LlamaIndex's `Memory` (0.14.24 and newer)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.storage.chat_store.base_db import AsyncDBChatStore, MessageStatus

from llama_index.memory.threadkeep import set_history
from llama_index.memory.threadkeep.chat_store import ThreadkeepChatStore
from llama_index.memory.threadkeep.to_messages import Entry, entries
from threadkeep import Item, Memory, Session
from threadkeep.adapters import limits
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import UserId, plain_user
from threadkeep.adapters.shared import shared_memory

_ARCHIVED_UP_TO: Final = "llama_index_archived"  # session metadata: archived up to this seq
_ITEM_STATUS: Final = "llama_index_status"

T = TypeVar("T")


class ThreadkeepAsyncChatStore(AsyncDBChatStore):
    """Conversations by key, each message active or archived; the key is the id of the session.

    Archiving moves nothing: the session's metadata says up to which message it is archived, so
    the conversation stays complete for everything else. Of concurrent calls that archive or delete
    the oldest messages, each message goes to one caller only. `limit` counts from the oldest;
    positions count active messages.

    Args:
        memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`.
        user: the owner of the conversations, a `str`, an `int` or a `UUID`; those of other
            users are refused and not listed among the keys.
        user_id: another name for `user`.

    Raises:
        ConfigError: the URL or the user id is not valid.
    """

    user: str | None = None

    _memory: Memory = PrivateAttr()

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        user: UserId | None = None,
        user_id: UserId | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(**{"user": plain_user(user, user_id), **fields})
        self._memory = shared_memory(memory)

    @classmethod
    def class_name(cls) -> str:
        """The class name in dumps."""
        return "ThreadkeepAsyncChatStore"

    async def get_messages(
        self,
        key: str,
        status: MessageStatus | None = MessageStatus.ACTIVE,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[ChatMessage]:
        """Return copies of the messages with a status (`None` = any), oldest first."""
        entries = await self._to_thread(lambda: _entries_with_status(self._chat(key), status))
        start_index = offset or 0
        end_index = None if limit is None else start_index + limit
        return [message for message, _ in entries[start_index:end_index]]

    async def count_messages(
        self, key: str, status: MessageStatus | None = MessageStatus.ACTIVE
    ) -> int:
        """Return the number of messages with a status."""
        return len(await self.get_messages(key, status))

    async def add_message(
        self, key: str, message: ChatMessage, status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Append a message."""
        await self.add_messages(key, [message], status)

    async def add_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Append the messages atomically; an empty list does nothing."""
        if messages:
            await limits.aadd(self._chat(key), *_items_with_status(messages, status))

    async def set_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Replace all messages, of any status, by these."""
        await limits.aset_items(self._chat(key), *_items_with_status(messages, status))

    async def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Delete and return the active message at a position, counted from 0."""

        def step() -> ChatMessage | None:
            chat = self._chat(key)
            active_entries = _entries_with_status(chat, MessageStatus.ACTIVE)
            if not 0 <= idx < len(active_entries):
                return None
            chat.remove(*(item.id for item in active_entries[idx][1]))
            return active_entries[idx][0]

        return await self._to_thread(step)

    async def delete_messages(self, key: str, status: MessageStatus | None = None) -> None:
        """Delete the messages with a status; `None` = the whole conversation."""

        def step() -> None:
            chat = self._chat(key)
            if status is None:
                chat.delete()
            else:
                chat.remove(
                    *(item.id for _, items in _entries_with_status(chat, status) for item in items)
                )

        await self._to_thread(step)

    async def delete_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Delete the oldest active messages and return them."""

        def step() -> list[ChatMessage]:
            chat = self._chat(key)
            archived_entries = _archive_oldest(chat, n)
            chat.remove(*(item.id for _, items in archived_entries for item in items))
            return [message for message, _ in archived_entries]

        return await self._to_thread(step)

    async def archive_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Archive the oldest active messages and return them."""
        return await self._to_thread(
            lambda: [message for message, _ in _archive_oldest(self._chat(key), n)]
        )

    async def get_keys(self) -> list[str]:
        """The keys of all conversations."""
        return await ThreadkeepChatStore(self._memory, user=self.user).aget_keys()

    def _chat(self, key: str) -> Session:
        return self._memory.session(key, user=self.user)

    async def _to_thread(self, step: Callable[[], T]) -> T:
        return await self._memory.to_thread(step)


def _items_with_status(messages: list[ChatMessage], status: MessageStatus) -> list[Item]:
    items = set_history.items(messages)
    if MessageStatus(status) is MessageStatus.ARCHIVED:
        for item in items:
            item.metadata[_ITEM_STATUS] = MessageStatus.ARCHIVED.value
    return items


def _entries_with_status(chat: Session, status: MessageStatus | None) -> list[Entry]:
    info = chat.info()
    archived_seq = int(info.metadata.get(_ARCHIVED_UP_TO, 0)) if info else 0
    after_seq = archived_seq if status is MessageStatus.ACTIVE else None
    stored_entries = entries(chat.items(after=after_seq))
    if status is None:
        return stored_entries
    is_archived = MessageStatus(status) is MessageStatus.ARCHIVED
    return [entry for entry in stored_entries if _is_archived(entry, archived_seq) == is_archived]


def _is_archived(entry: Entry, archived_seq: int) -> bool:
    return all(item.seq <= archived_seq or _ITEM_STATUS in item.metadata for item in entry[1])


def _archive_oldest(chat: Session, count: int) -> list[Entry]:
    """Archive the oldest active messages atomically and return them, to this caller only."""
    oldest_entries: list[Entry] = []

    def step(metadata: dict[str, Any]) -> dict[str, Any]:
        archived_seq = int(metadata.get(_ARCHIVED_UP_TO, 0))
        active_entries = [
            e for e in entries(chat.items(after=archived_seq)) if not _is_archived(e, archived_seq)
        ]
        oldest_entries[:] = active_entries[: max(0, count)]
        return {_ARCHIVED_UP_TO: oldest_entries[-1][1][-1].seq} if oldest_entries else {}

    if chat.info() is not None:
        chat.update(metadata=step)
    return oldest_entries
