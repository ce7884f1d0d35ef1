"""`ThreadkeepConversationStore`: the framework's `ConversationStore` on any store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import (
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
)

from pydantic_ai_threadkeep import read_records
from pydantic_ai_threadkeep.delete_record import delete_record
from pydantic_ai_threadkeep.entry_index import EntryIndex
from pydantic_ai_threadkeep.finder import Finder
from pydantic_ai_threadkeep.write_record import write_record
from threadkeep import Memory
from threadkeep.adapters import windows
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import (
    UserId,
    UserIdSource,
    first_user_id,
    fixed_value,
    run_value,
    user_source,
)
from threadkeep.adapters.shared import shared_memory

T = TypeVar("T")


class ThreadkeepConversationStore(ConversationStore):
    """Conversations of Pydantic AI in any store of threadkeep.

    A conversation is the session of its id, and its messages are the session's items, so that
    search, forgetting and other frameworks have them; what those write is in the next `load`. Each
    message comes back equal to what was saved. A save is one atomic step, and any number of
    workers may share a store.

    `delete` deletes the session with all its messages. Only what forks share stays, hidden from
    everything else, until the last of them is deleted.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        user: who owns the conversations, a `str`, an `int` or a `UUID`; or a `ContextVar`, or a
            callable that is asked at each call, with `None`. `None` = the operator, who may open
            any conversation.
        window: limits what `load` returns where it is given no `limit`: a policy, a list of them,
            or `{"max_tokens": 3000}`. Unlike a `limit`, it never begins in the middle of a tool
            step. What is saved goes behind the whole conversation all the same. `None` = the
            Memory's own window, or everything without one.
        user_id: another name for `user`.

    Raises:
        ConfigError: an id, the URL or the window is not valid.
    """

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        user: UserIdSource = None,
        window: object = None,
        user_id: UserIdSource = None,
    ) -> None:
        self.memory = shared_memory(memory)
        self._user = user_source(user, user_id)
        self._policies = windows.parse_window(window)
        self._over = windows.OverWarning()
        self._index = EntryIndex(self.memory)

    async def load(
        self, conversation_id: str, *, limit: int | None = None, scope: str | None = None
    ) -> Conversation | None:
        """As the framework's, and without a `limit` the messages of the window.

        Raises:
            NotOwner: the session belongs to another user.
        """
        if limit is None and (policies := windows.or_memory_window(self._policies, self.memory)):
            limit = await self._run(read_records.limit_of, conversation_id, policies, self._over)
        return await super().load(conversation_id, limit=limit, scope=scope)

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        """The record for a conversation, or `None` if the store doesn't have it."""
        return await self._run(read_records.read_record, conversation_id)

    async def read_records(
        self, *, scope: str | None = None, limit: int | None = None
    ) -> Sequence[ConversationRecord]:
        """The stored records, newest `updated_at` first.

        Without a scope, all scopes are read.
        """
        return await self._run(read_records.read_records, scope, limit)

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        """Store a record and its new entries, in one atomic step up to 1,000 items or 4 MB.

        Raises:
            ConversationConflict: the stored revision is another one; nothing was written.
            InputError: something cannot be stored; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        await self._run(write_record, record, new_entries, expected_revision)

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        """Delete a conversation with the entries that no fork needs.

        Raises:
            ConversationConflict: the stored revision is another one.
            NotOwner: the session belongs to another user.
        """
        await self._run(delete_record, conversation_id, expected_revision)

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        """The entry with this identifier.

        Raises:
            LookupError: there is none.
        """
        return await self._run(read_records.read_entry, entry_id)

    async def read_history(
        self, head_id: str | None, *, limit: int | None = None
    ) -> list[ConversationEntry]:
        """The entries up to `head_id`, in order, or only the last `limit` of them.

        Raises:
            LookupError: there is no such entry.
        """
        return await self._run(read_records.read_history, head_id, limit)

    def __repr__(self) -> str:
        return f"<ThreadkeepConversationStore on {self.memory!r}>"

    async def _run(self, verb: Callable[..., T], *args: Any) -> T:
        finder = Finder(self.memory, self._index, self._current_user())
        return await self.memory.to_thread(verb, finder, *args)

    def _current_user(self) -> str | None:
        candidates: list[tuple[str, UserId | object]] = [
            ("what user= gives", run_value(self._user, None)),
            ("user", fixed_value(self._user)),
        ]
        return first_user_id(candidates)
