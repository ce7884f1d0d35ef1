"""ADK's memory entries from what recall finds, with ids by which they are deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from google.adk.memory.memory_entry import MemoryEntry
from google.genai import types

from google_adk_threadkeep.codec import timestamp_of, to_events
from google_adk_threadkeep.session_ids import memory_id, prefix
from threadkeep import Item
from threadkeep.adapters.memory_types import Fact
from threadkeep.longterm import markers

_FACT: Final = "fact"
_ITEM: Final = "item"
_APP: Final = "google_adk_app:"
"""Where the keys of metadata begin that name the apps to which a fact was added."""


class Place(NamedTuple):
    """Where a memory is: a fact, or an item in a stored session."""

    fact: str | None = None
    session: str | None = None
    item: str | None = None


class Scope(NamedTuple):
    """The memories of one user in one app."""

    app_name: str
    user: str

    def holds(self, session: str) -> bool:
        """Whether a stored session is of the user and the app."""
        session_prefix = prefix(self.app_name, self.user)
        return session.startswith(session_prefix) or session == memory_id(*self)

    def has_fact(self, fact: Fact) -> bool:
        """Whether a fact is not one of other apps only."""
        app_keys = [key for key in fact.metadata if key.startswith(_APP)]
        sessions = [source.session for source in fact.sources]
        is_general = not app_keys and not sessions
        return is_general or _APP + self.app_name in app_keys or any(map(self.holds, sessions))

    def fact_metadata(self, entry: MemoryEntry) -> dict[str, Any]:
        """What a fact holds besides its text when it is added to this app."""
        return {**entry.custom_metadata, _APP + self.app_name: True}


def fact_entry(fact: Fact) -> MemoryEntry:
    """The entry of a fact."""
    observed_at = fact.observed_at
    return MemoryEntry(
        id=f"{_FACT}/{fact.id}",
        content=types.Content(role="user", parts=[types.Part(text=fact.text)]),
        timestamp=None if observed_at is None else observed_at.isoformat(),
    )


def item_entry(session: str, item: Item) -> MemoryEntry | None:
    """The entry of an item; `None` for what no model said or heard."""
    event = next(iter(to_events([item])), None)
    if event is None or event.content is None or markers.is_injected(item.text):
        return None
    return MemoryEntry(
        id=f"{_ITEM}/{quote(item.id, safe='')}/{session}",
        content=event.content,
        author=event.author,
        timestamp=datetime.fromtimestamp(timestamp_of(item), UTC).isoformat(),
    )


def parse_id(id: str, scope: Scope) -> Place | None:
    """Where the memory of an id is; `None` if it is none of this user in this app."""
    memory_kind, _, location = id.partition("/")
    if memory_kind == _FACT and location:
        return Place(fact=location)
    item_id, _, session_id = location.partition("/")
    if memory_kind != _ITEM or not item_id or not scope.holds(session_id):
        return None
    return Place(session=session_id, item=unquote(item_id))
