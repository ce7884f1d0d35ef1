"""Implements `Memory.usage`: rows of what calls took, by model, day, session, run, call or tool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple, get_args

from threadkeep.core import cursor as cursors
from threadkeep.core.engine import Engine
from threadkeep.errors import InputError
from threadkeep.printable import shown
from threadkeep.responses.calls import session_calls
from threadkeep.responses.runs import Call
from threadkeep.responses.search import Scope, sessions_in, take_page
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Listing, SessionInfo
from threadkeep.types.timestamps import utc_datetime
from threadkeep.types.usage import UsageRow

UsageGroup = Literal["model", "day", "session", "run", "call", "tool"]
GROUPS: Final[tuple[str, ...]] = get_args(UsageGroup)
_IN_ORDER: Final = frozenset({"session", "run", "call"})


class Span(NamedTuple):
    """From when to when, in epoch seconds; `until` is exclusive, `None` = open."""

    since: float | None = None
    until: float | None = None

    def holds(self, at: float) -> bool:
        """Return True if the time is in it."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


class _SessionCalls(NamedTuple):
    """A session of the walk, where the walk resumes at it, and its calls in the span."""

    position: Any
    id: str
    calls: Iterator[Call]


def usage(
    engine: Engine, scope: Scope, span: Span, by: str, limit: int, cursor: object
) -> Listing[UsageRow]:
    """As `Memory.usage`."""
    if by not in GROUPS:
        raise InputError(f"by must be one of {', '.join(GROUPS)}, got {shown(by)}")
    if by in _IN_ORDER:
        rows, next_cursor = take_page(_rows_in_order(engine, scope, span, by, cursor), limit)
        return Listing(rows, cursor=next_cursor)
    last_key = None if cursor is None else cursors.text(cursors.parts(cursor, 1)[0])
    rows_by_key = _sums(_walk(engine, scope, span), by)
    sorted_keys = [key for key in sorted(rows_by_key) if last_key is None or key > last_key]
    next_cursor = [sorted_keys[limit - 1]] if len(sorted_keys) > limit else None
    return Listing([rows_by_key[key] for key in sorted_keys[:limit]], cursor=next_cursor)


class _Start(NamedTuple):
    """Where a listing goes on: the walk's position, session, run, and the rows of that run."""

    position: Any = None
    session: str | None = None
    run: int = 0
    done: int = 0


def _walk(
    engine: Engine, scope: Scope, span: Span, start: _Start | None = None
) -> Iterator[_SessionCalls]:
    """The sessions with their calls; of the one to start with, those from its run on."""
    start = start or _Start()
    for session_position, session_info in sessions_in(engine, scope, start.position):
        session_stream = SessionStream(engine, SessionInfo(session_info.id, scope.user))
        first_run = start.run if session_info.id == start.session else 0
        call_iterator = filter(partial(_is_in, span), session_calls(session_stream, first_run))
        yield _SessionCalls(session_position, session_info.id, call_iterator)


def _is_in(span: Span, call: Call) -> bool:
    return span.holds(call.at)


def _sums(sessions: Iterable[_SessionCalls], by: str) -> dict[str, UsageRow]:
    rows_by_key: dict[str, UsageRow] = {}
    for session in sessions:
        for call in session.calls:
            for key in _KEYS[by](call):
                rows_by_key[key] = rows_by_key.get(key, UsageRow(key)).with_call(call.tokens)
    return rows_by_key


def _day(call: Call) -> tuple[str, ...]:
    return (f"{utc_datetime(call.at):%Y-%m-%d}",)


_KEYS: Final[dict[str, Callable[[Call], tuple[str, ...]]]] = {
    "model": lambda call: (call.model,),
    "day": _day,
    "tool": lambda call: call.tools or ("",),
}


def _rows_in_order(
    engine: Engine, scope: Scope, span: Span, by: str, cursor: object
) -> Iterator[tuple[UsageRow, Any]]:
    """Rows in the order of the walk, each with the cursor that leads on behind it."""
    start = _start(cursor, scope)
    for session in _walk(engine, scope, span, start):
        for row, run_seq, row_number in _session_rows(session, by):
            if session.id != start.session or (run_seq, row_number) > (start.run, start.done):
                yield row, [session.position, session.id, run_seq, row_number]


def _session_rows(session: _SessionCalls, by: str) -> Iterator[tuple[UsageRow, int, int]]:
    """The rows of a session, each with its run and its number in it."""
    if by == "session":
        if (row := _sum(UsageRow(session.id), session.calls)).calls:
            yield row, 0, 1
        return
    for run_seq, calls in groupby(session.calls, key=lambda call: call.run_seq):
        if by == "run":
            first_call = next(calls)
            row = UsageRow(first_call.run, session=session.id).with_call(first_call.tokens)
            yield _sum(row, calls), run_seq, 1  # noqa: B031  # the rest of the group
            continue
        for call_number, call in enumerate(calls, 1):
            yield UsageRow(call.id, session=session.id).with_call(call.tokens), run_seq, call_number


def _sum(row: UsageRow, calls: Iterable[Call]) -> UsageRow:
    for call in calls:
        row = row.with_call(call.tokens)
    return row


def _start(cursor: object, scope: Scope) -> _Start:
    if cursor is None:
        return _Start()
    position, session_id, run_seq, row_number = cursors.parts(cursor, 4)
    is_walk = scope.conversation is None
    if (position is not None) != is_walk or (not is_walk and session_id != scope.conversation):
        raise cursors.invalid()
    return _Start(
        position, cursors.text(session_id), cursors.position(run_seq), cursors.position(row_number)
    )
