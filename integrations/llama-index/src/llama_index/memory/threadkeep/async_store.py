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
from threadkeep.adapters.identity import UserId, optional_user_id
from threadkeep.adapters.shared import shared

_MARK: Final = "llama_index_archived"  # of a session: up to which seq; of an item: by itself
_BATCH: Final = "llama_index_status"

T = TypeVar("T")


class ThreadkeepAsyncChatStore(AsyncDBChatStore):
    """Conversations by key, each message active or archived; the key is the id of the session.

    Archiving moves nothing: the session notes up to where it reaches, so that the conversation
    stays whole for everything else. Of several that archive or delete the oldest at once, each
    message is given to one only. `limit` counts from the oldest; positions count active messages.

    Args:
        memory: a `Memory`, or a URL.
        user_id: whose conversations these are, a `str`, an `int` or a `UUID`; others' are
            refused, and not among the keys.

    Raises:
        ConfigError: the user id is none.
    """

    user_id: str | None = None

    _memory: Memory = PrivateAttr()

    def __init__(
        self, memory: Memory | str, *, user_id: UserId | None = None, **fields: Any
    ) -> None:
        super().__init__(**{"user_id": optional_user_id(user_id, "user_id"), **fields})
        self._memory = shared(memory)

    @classmethod
    def class_name(cls) -> str:
        """Its name in dumps."""
        return "ThreadkeepAsyncChatStore"

    async def get_messages(
        self,
        key: str,
        status: MessageStatus | None = MessageStatus.ACTIVE,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[ChatMessage]:
        """The messages of a status (`None` = of any), oldest first, fresh copies."""
        found = await self._hop(lambda: _found(self._chat(key), status))
        start = offset or 0
        end = None if limit is None else start + limit
        return [message for message, _ in found[start:end]]

    async def count_messages(
        self, key: str, status: MessageStatus | None = MessageStatus.ACTIVE
    ) -> int:
        """How many messages of a status there are."""
        return len(await self.get_messages(key, status))

    async def add_message(
        self, key: str, message: ChatMessage, status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Append a message."""
        await self.add_messages(key, [message], status)

    async def add_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Append the messages in one atomic step; none is no step."""
        if messages:
            await self._chat(key).aadd(*_marked(messages, status))

    async def set_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = MessageStatus.ACTIVE
    ) -> None:
        """Put the messages in the place of all of any status."""
        await self._chat(key).arewrite(*_marked(messages, status))

    async def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Delete the active message at a position, from 0."""

        def step() -> ChatMessage | None:
            chat = self._chat(key)
            found = _found(chat, MessageStatus.ACTIVE)
            if not 0 <= idx < len(found):
                return None
            chat.remove(*(item.id for item in found[idx][1]))
            return found[idx][0]

        return await self._hop(step)

    async def delete_messages(self, key: str, status: MessageStatus | None = None) -> None:
        """Delete the messages of a status; `None` = the whole conversation."""

        def step() -> None:
            chat = self._chat(key)
            if status is None:
                chat.delete()
            else:
                chat.remove(*(item.id for _, items in _found(chat, status) for item in items))

        await self._hop(step)

    async def delete_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Delete the oldest active messages and return them."""

        def step() -> list[ChatMessage]:
            chat = self._chat(key)
            taken = _archived(chat, n)
            chat.remove(*(item.id for _, items in taken for item in items))
            return [message for message, _ in taken]

        return await self._hop(step)

    async def archive_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Archive the oldest active messages and return them."""
        return await self._hop(lambda: [message for message, _ in _archived(self._chat(key), n)])

    async def get_keys(self) -> list[str]:
        """The keys of all conversations."""
        return await ThreadkeepChatStore(self._memory, user_id=self.user_id).aget_keys()

    def _chat(self, key: str) -> Session:
        return self._memory.session(key, user=self.user_id)

    async def _hop(self, step: Callable[[], T]) -> T:
        return await self._memory.engine.hop(step)


def _marked(messages: list[ChatMessage], status: MessageStatus) -> list[Item]:
    made = set_history.items(messages)
    if MessageStatus(status) is MessageStatus.ARCHIVED:
        for item in made:
            item.metadata[_BATCH] = MessageStatus.ARCHIVED.value
    return made


def _found(chat: Session, status: MessageStatus | None) -> list[Entry]:
    info = chat.info()
    mark = int(info.metadata.get(_MARK, 0)) if info else 0
    after = mark if status is MessageStatus.ACTIVE else None
    found = entries(chat.items(after=after))
    if status is None:
        return found
    wanted = MessageStatus(status) is MessageStatus.ARCHIVED
    return [entry for entry in found if _is_archived(entry, mark) == wanted]


def _is_archived(entry: Entry, mark: int) -> bool:
    return all(item.seq <= mark or _BATCH in item.metadata for item in entry[1])


def _archived(chat: Session, count: int) -> list[Entry]:
    """Move the mark behind the oldest active messages; what it passed is this caller's alone."""
    taken: list[Entry] = []

    def step(metadata: dict[str, Any]) -> dict[str, Any]:
        mark = int(metadata.get(_MARK, 0))
        found = [e for e in entries(chat.items(after=mark)) if not _is_archived(e, mark)]
        taken[:] = found[: max(0, count)]
        return {_MARK: taken[-1][1][-1].seq} if taken else {}

    if chat.info() is not None:
        chat.update(metadata=step)
    return taken
