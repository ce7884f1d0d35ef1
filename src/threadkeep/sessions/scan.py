"""Iterates over sessions page by page, and can resume in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from threadkeep.core import cursor, names
from threadkeep.core.engine import Engine
from threadkeep.sessions import user_index
from threadkeep.types import SessionInfo

_PAGE: Final = 50

Bookmark = Any
"""Where an iteration can resume: at the session it was yielded with, which is included."""


def sessions(
    engine: Engine, user: str | None, bookmark: Bookmark
) -> Iterator[tuple[Bookmark, SessionInfo]]:
    """A user's sessions, the latest written first, or all sessions in no order; with bookmarks.

    Unlike in lists, sessions of sub-agents are included.
    """
    return (
        _all_sessions(engine, bookmark) if user is None else _user_sessions(engine, user, bookmark)
    )


def _user_sessions(
    engine: Engine, user: str, bookmark: Bookmark
) -> Iterator[tuple[Bookmark, SessionInfo]]:
    before_seq = None if bookmark is None else cursor.position(bookmark)
    while True:
        index_entries = user_index.entries(engine, user, before_seq, _PAGE)
        for seq, listed_info in index_entries:
            before_seq = seq
            if listed_info is not None and listed_info.user == user:
                yield seq + 1, listed_info
        if len(index_entries) < _PAGE:
            return


def _all_sessions(engine: Engine, bookmark: Bookmark) -> Iterator[tuple[Bookmark, SessionInfo]]:
    """The store decides the order in a page; if the first stream is gone, the page is repeated."""
    stream_prefix = names.noun_prefix(engine.settings.namespace, "session")
    page_cursor, first_name = (None, None) if bookmark is None else _pair(bookmark, stream_prefix)
    visited_names: set[str] = set()  # a store may name a stream twice
    while True:
        stream_names, next_cursor = engine.streams(stream_prefix, cursor=page_cursor, limit=_PAGE)
        start_index = stream_names.index(first_name) if first_name in stream_names else 0
        stream_names = [name for name in stream_names[start_index:] if name not in visited_names]
        visited_names.update(stream_names)
        for stream, info in zip(stream_names, user_index.read(engine, stream_names), strict=True):
            if info is not None:
                yield [page_cursor, stream], info
        page_cursor, first_name = next_cursor, None
        if page_cursor is None:
            return


def _pair(bookmark: Bookmark, prefix: str) -> tuple[Any, str]:
    page_cursor, first_stream_name = cursor.parts(bookmark, 2)
    return page_cursor, cursor.stream(first_stream_name, prefix)
