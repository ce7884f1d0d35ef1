"""Reads the events of a session: all, the newest ones, or those that a window has room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from google.adk.events.event import Event
from google.adk.sessions.base_session_service import GetSessionConfig

from google_adk_threadkeep.codec import to_events
from threadkeep import Item, Session
from threadkeep.adapters import windows
from threadkeep.adapters.app_sessions import Snapshot, load

_PAGE: Final = 50
_GROWTH: Final = 2


class History(NamedTuple):
    """Events, and the snapshot of the session that they are from, whose items are the newest."""

    snapshot: Snapshot
    events: list[Event]


class Reader:
    """Reads one session; what it costs follows what is asked for.

    Args:
        chat: the session.
        beside: sessions whose metadata is read along.
        agent: the author of answers that other frameworks stored.
    """

    def __init__(self, chat: Session, beside: Sequence[Session], agent: str) -> None:
        self._chat = chat
        self._beside = beside
        self._agent = agent

    def read(self, config: GetSessionConfig | None) -> History:
        """The events that a config asks for, oldest first."""
        limit = None if config is None else config.num_recent_events
        start_time = None if config is None else config.after_timestamp
        if limit is None and start_time is None:
            snapshot = load(self._chat, self._beside)
            return History(snapshot, self._events(snapshot.items))

        def is_enough(events: list[Event]) -> bool:
            has_older = start_time is not None and any(
                event.timestamp < start_time for event in events
            )
            return has_older or (limit is not None and len(events) > limit)

        snapshot, events = self._read_back(_PAGE if limit is None else limit + 1, is_enough)
        return History(snapshot, cut(events, config))

    def window(self, policies: windows.Policies, over: windows.OverWarning) -> History:
        """The events of the window that policies select; of the running turn also those without
        content, with which a workflow goes on.
        """
        snapshot = load(self._chat, self._beside, last=_PAGE)  # first: what is newer is stale
        window = self._chat.window(policy=policies)
        over.check(window, self._chat.id)
        user_indexes = [n for n, item in enumerate(window) if item.role == "user"]
        turn_seq = window[user_indexes[-1]].seq if user_indexes else 0
        if not turn_seq:
            return History(snapshot, self._events(window))
        newest_items = snapshot.items
        if len(newest_items) == _PAGE and newest_items[0].seq > turn_seq:
            newest_items = load(self._chat, after=turn_seq).items
        silent_items = [item for item in newest_items if item.seq > turn_seq and _is_silent(item)]
        turn_items = _merged(window[user_indexes[-1] :], silent_items)
        return History(snapshot, self._events([*window[: user_indexes[-1]], *turn_items]))

    def _events(self, items: Sequence[Item]) -> list[Event]:
        return to_events(items, self._agent)

    def _read_back(
        self, size: int, is_enough: Callable[[list[Event]], bool]
    ) -> tuple[Snapshot, list[Event]]:
        """Read pages from the end; the first event may lack parts if there is more before it."""
        snapshot = load(self._chat, self._beside, last=size)
        page, items = snapshot.items, snapshot.items
        while len(page) == size and not is_enough(self._events(items)):
            size *= _GROWTH
            page = load(self._chat, last=size, before=page[0].seq).items
            items = [*page, *items]
        return snapshot, self._events(items)


def cut(events: list[Event], config: GetSessionConfig | None) -> list[Event]:
    """The events that a config asks for, as ADK's in-memory service chooses them."""
    if config is None:
        return events
    if config.num_recent_events is not None:
        events = events[-config.num_recent_events :] if config.num_recent_events else []
    if config.after_timestamp is None:
        return events
    old_indexes = [n for n, event in enumerate(events) if event.timestamp < config.after_timestamp]
    return events[old_indexes[-1] + 1 :] if old_indexes else events


def _merged(turn_items: Sequence[Item], silent_items: Sequence[Item]) -> list[Item]:
    """The items of a turn with those that no window shows, by seq; synthetic ones have none."""
    merged_items, remaining_items = list[Item](), list(silent_items)
    for item in turn_items:
        while item.seq and remaining_items and remaining_items[0].seq < item.seq:
            merged_items.append(remaining_items.pop(0))
        merged_items.append(item)
    return merged_items + remaining_items


def _is_silent(item: Item) -> bool:
    return item.type == "notice" and not item.hidden
