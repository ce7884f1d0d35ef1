"""The history of a conversation, read from its newest entry back, also in what it is a fork of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic_ai_threadkeep.conversation_log import ConversationLog, State
from pydantic_ai_threadkeep.entries import Entry, group
from pydantic_ai_threadkeep.tree import MAX_SEQ, Base, Range, contains

_EXTRA: Final = 8


def history(
    log: ConversationLog, state: State, upto: int | None = None, *, limit: int | None = None
) -> list[Entry]:
    """The entries of a history, oldest first.

    Args:
        log: the conversation.
        state: of it.
        upto: the seq at which the history ends; `None` = its current end.
        limit: read at least so many of the last entries, if there are as many.
    """
    entries: list[Entry] = []
    for range_entries in _runs(log, state, upto, limit):
        entries = [*range_entries, *entries]
        if limit is not None and len(entries) > limit:
            break
    return entries


def _runs(
    log: ConversationLog, state: State, upto: int | None, limit: int | None
) -> Iterator[list[Entry]]:
    """The entries of each range, and of the conversations before it, newest range first."""
    current_ranges = state.tree.ranges()
    for range_or_base in state.tree.path(MAX_SEQ if upto is None else upto):
        if isinstance(range_or_base, Base):
            yield from _runs_before(log, range_or_base, limit)
            return
        span = Range(range_or_base.after, min(range_or_base.upto, state.newest_seq))
        if span.after < span.upto:
            yield _entries(log, span, limit, current_ranges)


def _runs_before(log: ConversationLog, base: Base, limit: int | None) -> Iterator[list[Entry]]:
    source_log = log.open(base.conversation)
    state = source_log.state()
    if state.document is not None and state.document.token == base.token:
        yield from _runs(source_log, state, source_log.seq_of(state, base), limit)


def _entries(
    log: ConversationLog, span: Range, limit: int | None, current_ranges: list[Range]
) -> list[Entry]:
    """The newest entries of a range: more than `limit` whole ones, or all of them.

    What is hidden in the current history was hidden by the application; elsewhere, because a
    branch was left.
    """
    page_size = None if limit is None else 2 * limit + _EXTRA
    while True:
        query = log.log.query(after=span.after, upto=span.upto, newest=page_size)
        records = log.log.read(query).pages[0].records
        items = log.log.items(records)
        visible_items = (i for i in items if not i.hidden or not contains(current_ranges, i.seq))
        entries = group(visible_items, log.id)
        if page_size is None or len(records) < page_size or len(entries) > _more(limit):
            return entries
        page_size *= 2


def _more(limit: int | None) -> int:
    """The number of entries of which the oldest may be cut, and the one before it is a parent."""
    return 0 if limit is None else limit + 1
