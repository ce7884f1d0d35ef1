"""`ThreadkeepMemoryService`: ADK's memory on threadkeep's recall and facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from google.adk.memory.base_memory_service import BaseMemoryService, SearchMemoryResponse
from google.adk.memory.memory_entry import MemoryEntry

from google_adk_threadkeep.memory_entries import Place, Scope, fact_entry, item_entry, parse_id
from google_adk_threadkeep.memory_events import add_events, forget_item
from google_adk_threadkeep.session_ids import Address, memory_id
from threadkeep import Memory
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import user_id as checked_user
from threadkeep.adapters.memory_types import Hits
from threadkeep.adapters.shared import shared_memory
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

if TYPE_CHECKING:
    from google.adk.events.event import Event
    from google.adk.sessions.session import Session

_FACTOR: Final = 4
"""How many times as many memories are looked at if those of other apps are among them."""


class ThreadkeepMemoryService(BaseMemoryService):
    """ADK's memory in any store of threadkeep: `Runner(memory_service=this, ...)`.

    It finds facts and what was said in the sessions of the user in the app. Beside a
    `ThreadkeepSessionService` of the same store everything stored is found at once, whether it was
    added or not; beside another session service, what was added.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        max_results: how many memories a search returns, at most.

    Raises:
        ConfigError: the URL or the number is not valid.
    """

    @strict_arguments
    def __init__(self, memory: Memory | str | None = None, *, max_results: int = 10) -> None:
        if type(max_results) is not int or max_results < 1:
            raise ConfigError(
                f"max_results must be a whole number of at least 1, got {shown(max_results)}"
            )
        self.memory = shared_memory(memory)
        self._max_results = max_results

    async def add_session_to_memory(self, session: Session) -> None:
        """Have a session searched; with `connect(llm=)`, facts are also learned of it now."""
        await self.add_events_to_memory(
            app_name=session.app_name,
            user_id=session.user_id,
            events=session.events,
            session_id=session.id,
        )
        if self.memory.has_llm:
            address = Address(session.app_name, session.user_id, session.id)
            await self.memory.aextract(user=address.user_id, session=address.stored_id)

    async def add_events_to_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        events: Sequence[Event],
        session_id: str | None = None,
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Have events searched. Those that are stored, or were deleted, are not added again.

        Args:
            app_name: the app.
            user_id: the user.
            events: those without content are left out.
            session_id: where they are from; `None` = no session.
            custom_metadata: ignored.
        """
        user = checked_user(user_id, "user_id")
        stored_id = (
            Address(app_name, user, session_id.strip()).stored_id
            if session_id and session_id.strip()
            else memory_id(app_name, user)
        )
        await self.memory.to_thread(add_events, self.memory, stored_id, user, events)

    async def add_memory(
        self,
        *,
        app_name: str,
        user_id: str,
        memories: Sequence[MemoryEntry],
        custom_metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Store memories as facts about the user; those without text are left out.

        Raises:
            InputError: one is no fact, for example since it is too long; none was stored.
        """
        scope = Scope(app_name, checked_user(user_id, "user_id"))
        new_facts = [
            {
                "text": text,
                "metadata": {**(custom_metadata or {}), **scope.fact_metadata(entry)},
                **({"observed_at": entry.timestamp} if entry.timestamp else {}),
            }
            for entry in memories
            if (text := _text(entry))
        ]
        if new_facts:
            await self.memory.user(scope.user).facts.aadd_many(new_facts)

    async def search_memory(
        self, *, app_name: str, user_id: str, query: str
    ) -> SearchMemoryResponse:
        """The memories that answer a question, best first."""
        scope = Scope(app_name, checked_user(user_id, "user_id"))
        memories = await self.memory.to_thread(self._search, scope, query)
        return SearchMemoryResponse(memories=memories)

    async def delete_memory(
        self, *, app_name: str, user_id: str, memory_id: str | None = None
    ) -> None:
        """Delete a memory by the id that a search gave it, and what was learned only of it.

        What was said in a session is deleted there as well. An unknown id is no error.
        """
        scope = Scope(app_name, checked_user(user_id, "user_id"))
        if memory_place := parse_id(memory_id or "", scope):
            await self.memory.to_thread(self._delete, scope, memory_place)

    def _delete(self, scope: Scope, place: Place) -> None:
        if place.session is not None and place.item is not None:
            forget_item(self.memory, place.session, scope.user, place.item)
            return
        facts = self.memory.user(scope.user).facts
        for fact in facts.list():
            if fact.id == place.fact and scope.has_fact(fact):
                facts.forget(fact.id)

    def _search(self, scope: Scope, query: str) -> list[MemoryEntry]:
        """The best memories; more are looked at if those of other apps take their places."""
        user, hit_limit = self.memory.user(scope.user), self._max_results
        while True:
            hits = user.recall(query, hit_limit)
            entries = list(self._entries(scope, hits))
            if len(entries) >= self._max_results or len(hits) < hit_limit:
                return entries[: self._max_results]
            hit_limit *= _FACTOR

    def _entries(self, scope: Scope, hits: Hits) -> Iterator[MemoryEntry]:
        for hit in hits:
            if hit.fact is not None and scope.has_fact(hit.fact):
                yield fact_entry(hit.fact)
            elif hit.item is not None and hit.session and scope.holds(hit.session):
                memory_entry = item_entry(hit.session, hit.item)
                if memory_entry is not None:
                    yield memory_entry

    def __repr__(self) -> str:
        return f"<ThreadkeepMemoryService of {self.memory!r}>"


def _text(entry: MemoryEntry) -> str:
    return "\n".join(part.text for part in entry.content.parts or () if part.text).strip()
