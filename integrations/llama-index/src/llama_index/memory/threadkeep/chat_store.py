"""`ThreadkeepChatStore`: for `chat_store=` of `ChatMemoryBuffer` and `ChatSummaryMemoryBuffer`."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.storage.chat_store.base import BaseChatStore

from llama_index.memory.threadkeep import set_history, store_refs
from llama_index.memory.threadkeep.codec import to_item
from llama_index.memory.threadkeep.to_messages import Entry, entries, to_messages
from threadkeep import Memory, Session
from threadkeep.adapters import limits
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import UserId, plain_user
from threadkeep.adapters.shared import shared_memory


class ThreadkeepChatStore(BaseChatStore):
    """Conversations by key; the key is the id of the session.

    Positions count from 0; negative ones, or ones out of range, match no message.

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
    _origin: str | None = PrivateAttr()

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
        self._origin = store_refs.register(self._memory, memory)

    @classmethod
    def class_name(cls) -> str:
        """The class name in dumps."""
        return "ThreadkeepChatStore"

    def set_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """Replace all messages by these, atomically."""
        limits.set_items(self._chat(key), *set_history.items(messages))

    def get_messages(self, key: str) -> list[ChatMessage]:
        """Return copies of all messages of a key."""
        return to_messages(self._chat(key).items())

    def add_message(self, key: str, message: ChatMessage, idx: int | None = None) -> None:
        """Append a message, or insert it before a position (which rewrites all messages)."""
        chat = self._chat(key)
        if idx is None:
            limits.add(chat, to_item(message))
            return
        stored_items = chat.items()
        limits.set_items(chat, *stored_items[:idx], to_item(message), *stored_items[idx:])

    def delete_messages(self, key: str) -> list[ChatMessage] | None:
        """Delete and return all messages of a key; `None` if there are none."""
        chat = self._chat(key)
        removed_items = chat.rewind(before=0)
        chat.delete()
        return to_messages(removed_items) or None

    def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Delete and return the message at a position."""
        chat = self._chat(key)
        message_entry = _entry_at(entries(chat.items()), idx)
        if message_entry is None:
            return None
        chat.remove(*(item.id for item in message_entry[1]))
        return message_entry[0]

    def delete_last_message(self, key: str) -> ChatMessage | None:
        """Delete and return the newest message; each is returned to one caller only."""
        removed_messages = to_messages(self._chat(key).rewind(last=1))
        return removed_messages[-1] if removed_messages else None

    def get_keys(self) -> list[str]:
        """The keys of all conversations."""
        keys: list[str] = []
        cursor: Any = None
        while True:
            page = self._memory.sessions(user=self.user, limit=1_000, cursor=cursor)
            keys += [info.id for info in page]
            cursor = page.cursor
            if cursor is None:
                return keys

    async def aset_messages(self, key: str, messages: list[ChatMessage]) -> None:
        """As `set_messages`."""
        await self._memory.to_thread(self.set_messages, key, messages)

    async def aget_messages(self, key: str) -> list[ChatMessage]:
        """As `get_messages`."""
        return to_messages(await self._chat(key).aitems())

    async def async_add_message(
        self, key: str, message: ChatMessage, idx: int | None = None
    ) -> None:
        """As `add_message`."""
        await self._memory.to_thread(self.add_message, key, message, idx)

    async def adelete_messages(self, key: str) -> list[ChatMessage] | None:
        """As `delete_messages`."""
        return await self._memory.to_thread(self.delete_messages, key)

    async def adelete_message(self, key: str, idx: int) -> ChatMessage | None:
        """As `delete_message`."""
        return await self._memory.to_thread(self.delete_message, key, idx)

    async def adelete_last_message(self, key: str) -> ChatMessage | None:
        """As `delete_last_message`."""
        return await self._memory.to_thread(self.delete_last_message, key)

    async def aget_keys(self) -> list[str]:
        """As `get_keys`."""
        return await self._memory.to_thread(self.get_keys)

    def to_dict(self, **_: Any) -> dict[str, Any]:
        """Return a reference to the store, without messages or secrets."""
        return {"class_name": self.class_name(), "store": self._origin, "user": self.user}

    @classmethod
    def from_dict(cls, data: dict[str, Any], **_: Any) -> ThreadkeepChatStore:
        """Return the chat store of a reference, on the open store it names."""
        return cls(store_refs.resolve(data["store"]), user=data.get("user"))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def _chat(self, key: str) -> Session:
        return self._memory.session(key, user=self.user)


def _entry_at(stored_entries: list[Entry], position: int) -> Entry | None:
    return stored_entries[position] if 0 <= position < len(stored_entries) else None
