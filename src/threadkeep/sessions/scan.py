"""Walks over sessions, page by page, that can be taken up again in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from threadkeep.core import cursor, names
from threadkeep.core.engine import Engine
from threadkeep.sessions import user_index
from threadkeep.types import SessionInfo

_PAGE: Final = 50

Mark = Any
"""Where a walk can be taken up again: at the session it was yielded with, that one included."""


def sessions(engine: Engine, user: str | None, mark: Mark) -> Iterator[tuple[Mark, SessionInfo]]:
    """A user's sessions, the one written last first, or everybody's, in no order; with marks.

    Those of sub-agents are among them, other than in lists.
    """
    return _everybodys(engine, mark) if user is None else _users(engine, user, mark)


def _users(engine: Engine, user: str, mark: Mark) -> Iterator[tuple[Mark, SessionInfo]]:
    before = None if mark is None else cursor.place(mark)
    while True:
        found = user_index.entries(engine, user, before, _PAGE)
        for seq, info in found:
            before = seq
            if info is not None and info.user == user:
                yield seq + 1, info
        if len(found) < _PAGE:
            return


def _everybodys(engine: Engine, mark: Mark) -> Iterator[tuple[Mark, SessionInfo]]:
    """The order within a page of streams is the store's; what is not there begins the page anew."""
    prefix = names.prefix(engine.settings.namespace, "session")
    page, first = (None, None) if mark is None else _pair(mark, prefix)
    met: set[str] = set()  # a store may name a stream twice
    while True:
        streams, after = engine.streams(prefix, cursor=page, limit=_PAGE)
        start = streams.index(first) if first in streams else 0
        streams = [stream for stream in streams[start:] if stream not in met]
        met.update(streams)
        for stream, info in zip(streams, user_index.read(engine, streams), strict=True):
            if info is not None:
                yield [page, stream], info
        page, first = after, None
        if page is None:
            return


def _pair(mark: Mark, prefix: str) -> tuple[Any, str]:
    page, first = cursor.parts(mark, 2)
    return page, cursor.stream(first, prefix)
