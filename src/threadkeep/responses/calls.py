"""The calls to models that a session has, run by run: of its responses, else of its items."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import dropwhile
from operator import attrgetter
from typing import Final

from threadkeep.core import item_codec
from threadkeep.core.response_codec import ENTRY, read_entry
from threadkeep.responses.runs import BranchRuns, Call, Run, begins_run
from threadkeep.sessions.branch_paths import BranchTree
from threadkeep.sessions.branch_starts import seqs_of_starts
from threadkeep.sessions.stream import SessionStream, Snapshot
from threadkeep.types import Item, Page, Query, Record, SessionInfo

_KINDS: Final = ("item", ENTRY)
_PAGE: Final = 200
_SEQ: Final = attrgetter("seq")
_RUN_SEQ: Final = attrgetter("run_seq")


def session_calls(stream: SessionStream, after: int = 0) -> Iterator[Call]:
    """The calls of a session, run by run, oldest first.

    What a fork has of its origin is not among them: it was paid for there.

    Args:
        stream: of the session.
        after: the seq of a user's message: only calls from its run on.

    Raises:
        NotOwner: it belongs to another user.
    """
    snapshot = _first_pages(stream, after)
    if snapshot.info is not None and snapshot.info.branches:
        # runs of branches lie between one another, so that all are read, and put in order
        calls = _calls_of_branches(stream, snapshot.info)
        yield from (call for call in sorted(calls, key=_RUN_SEQ) if call.run_seq >= after)
        return
    run, records = Run(), _records(stream, snapshot)
    for record in records if after else _without_copied(records, snapshot.info):
        if record.kind == ENTRY:
            yield run.response(read_entry(record))
            continue
        item = item_codec.read_item(record)
        if begins_run(item):
            yield from run.item_calls()
            run = Run(item.id, record.seq)
        else:
            run.item(item, _time_of(item, record))
    yield from run.item_calls()


def _calls_of_branches(stream: SessionStream, info: SessionInfo) -> Iterator[Call]:
    runs = BranchRuns(BranchTree(info.branches, seqs_of_starts(stream, info)))
    for record in _without_copied(_records(stream, _first_pages(stream)), info):
        if record.kind == ENTRY:
            yield runs.response(read_entry(record))
        else:
            item = item_codec.read_item(record)
            runs.add(item, _time_of(item, record))
    yield from runs.item_calls()


def _time_of(item: Item, record: Record) -> float:
    return record.at if item.created_at is None else item.created_at.timestamp()


def _first_pages(stream: SessionStream, after: int = 0) -> Snapshot:
    """The items and the responses from a seq on, a page of each."""
    return stream.read(*(_query(stream, kind, max(after - 1, 0)) for kind in _KINDS))


def _records(stream: SessionStream, snapshot: Snapshot) -> Iterator[Record]:
    """The items and the responses of a session in order, from its first pages on."""
    pages = zip(_KINDS, snapshot.pages, strict=True)
    return heapq.merge(*(_of_kind(stream, kind, page) for kind, page in pages), key=_SEQ)


def _of_kind(stream: SessionStream, kind: str, page: Page) -> Iterator[Record]:
    yield from page.records
    while len(page.records) == _PAGE:
        page = stream.read(_query(stream, kind, page.records[-1].seq)).pages[0]
        yield from page.records


def _query(stream: SessionStream, kind: str, after: int) -> Query:
    return Query(stream.stream_name, kind, limit=_PAGE, after=after or None)


def _without_copied(records: Iterator[Record], info: SessionInfo | None) -> Iterator[Record]:
    """The records that a fork has not of its origin, whose items come first.

    One that was edited or hidden since, or changed sides with its branch, has its own date still.
    """
    if info is None or info.forked_from is None or info.created_at is None:
        return records
    copied_until = info.created_at.timestamp()
    later_records = (record for record in records if record.at > copied_until)
    return dropwhile(lambda record: _first_written(record) <= copied_until, later_records)


def _first_written(record: Record) -> float:
    if record.kind == ENTRY:
        return record.at
    return _time_of(item_codec.read_item(record), record)
