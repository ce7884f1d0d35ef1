"""Forgetting: everything of a user, or single items with what was learned from them.

A mark goes first: whoever learns meanwhile meets it in a compare-and-set. Sessions go next, each
before its entry in the user's list, then what no list leads to; what was learned goes last. Cut
short, it can be called again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from threadkeep.core import copy_streams, names
from threadkeep.core.engine import Engine
from threadkeep.errors import BackendError, Conflict, CorruptRecord, NotOwner
from threadkeep.longterm import orphans
from threadkeep.longterm.store import unit_of_work
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import UserStream, of_session
from threadkeep.sessions import derived, edit, remove, user_index
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import KEEP, Drop, Query, SessionInfo
from threadkeep.types.knowledge import (
    Fact,
    ForgetReport,
    Instruction,
    Source,
)

_PAGE: Final = 500
_ROUNDS: Final = 10_000
_TRIES: Final = 64


def forget_user(engine: Engine, user: str, *, purge: bool) -> ForgetReport:
    """As `User.forget`."""
    home = UserStream(engine, user=user)
    learned = _mark(home)
    erased: dict[str, int] = {}
    unreadable: list[str] = []
    for session in _all_sessions(engine, user, unreadable):
        if (count := _erase(engine, user, session)) is not None:
            erased[session] = erased.get(session, 0) + count
    records = sum(erased.values()) + orphans.forget_pointers(engine, user, erased)
    elsewhere = _summaries(engine, learned)
    records += orphans.forget_summaries(engine, user)
    records += sum(len(kind) for kind in (learned.facts, learned.instructions, learned.watermarks))
    home.drop()
    engine.part_with(user)
    beyond = [*_beyond(elsewhere, unreadable), *(engine.purge() if purge else [])]
    return ForgetReport(records, sum(count > 0 for count in erased.values()), beyond)


def _beyond(namespaces: list[str], unreadable: list[str]) -> Iterator[str]:
    """What forgetting the user here could not reach, in words."""
    for namespace in namespaces:
        yield f"sessions in the namespace {namespace!r}: forget the user there"
    if unreadable:
        yield (
            f"{len(unreadable)} sessions whose records cannot be read, so that nobody can say "
            "whose they are: delete them as the operator"
        )


def forget_items(door: SessionStream, ids: Iterable[str]) -> int:
    """As `Session.forget`."""
    wanted = [names.check(id, "item id") for id in ids]
    keys = [names.key(id) for id in wanted]
    gone = len(door.look(Query(door.stream, "item", ids=keys)).pages[0].records)
    edit.remove(door, *wanted)
    derived.spoil(door.engine, door.id)  # also where an attempt before this was cut short
    home = of_session(door)
    theirs = door.engine.settings.namespace
    namespace = None if theirs == home.engine.settings.namespace else theirs

    def step(found: UnitOfWork) -> None:
        said = {(namespace, door.id, id) for id in wanted}
        for fact in list(found.facts.values()):
            without(found, fact, said, door.engine.now())
        for instruction in list(found.instructions.values()):
            without(found, instruction, said, door.engine.now())

    home.settle(step)
    return gone


def _mark(home: UserStream) -> UnitOfWork:
    """Say that the user is being forgotten; what the home held."""
    for _ in range(_TRIES):
        found = home.look()
        found.forget(unit_of_work.USER, home.engine.now())
        if home.commit(found):
            return found
    raise BackendError("others learned of the user all the time; try again")


def _all_sessions(engine: Engine, user: str, unreadable: list[str]) -> Iterator[str]:
    """Those on the user's list, and those that it has lost, or that came back meanwhile."""
    yield from _listed(engine, user)
    yield from orphans.sessions(engine, user, unreadable)
    yield from _listed(engine, user)


def _listed(engine: Engine, user: str) -> Iterator[str]:
    """The sessions of the user's list, until it is empty; each leaves it when it is over."""
    stream = engine.stream("sessions", user)
    for _ in range(_ROUNDS):
        page = engine.read(Query(stream, "session", limit=_PAGE))[0]
        if not page.records:
            if page.version:
                with suppress(Conflict):  # somebody begins a session
                    engine.commit(stream, drop=[Drop()], ttl=KEEP, expect=page.version)
            return
        for entry in page.records:
            yield user_index.named(entry)
        over = [Drop("session", [entry.id for entry in page.records])]
        with suppress(Conflict):  # somebody wrote to one of them meanwhile: once more
            engine.commit(stream, drop=over, ttl=KEEP, expect=page.version)
    raise BackendError(
        f"user {user!r} still writes to sessions that were forgotten: stop that, and try again"
    )


def _erase(engine: Engine, user: str, session: str) -> int | None:
    """Remove a session, or what is left of it; how many records. `None` = it is not the user's."""
    door = SessionStream(engine, SessionInfo(session, user))

    def step() -> int | None:
        remains = remove.look(door)
        if remains.user != user:  # nobody's
            return None
        count = _count(door)
        remove.end(door, remains)
        return count

    with suppress(NotOwner, CorruptRecord):  # somebody else's, or begun by them since
        return door.settle(step)
    return None


def _count(door: SessionStream) -> int:
    with suppress(CorruptRecord):  # a store that gives out nothing that it cannot open
        return sum(
            1 for _ in copy_streams.records(door.engine.backend, door.stream, door.engine.now())
        )
    return 1


def _summaries(engine: Engine, known: UnitOfWork) -> list[str]:
    """Remove the summaries of sessions that were read and are gone; the namespaces of others."""
    elsewhere: dict[str, None] = {}
    for stream in known.watermarks:
        if "/" not in stream:  # what learning cost, which is of no session
            continue
        namespace, _ = names.parts(stream)
        if namespace == engine.settings.namespace:
            summary = derived.beside(engine, derived.SUMMARY, stream)
            engine.longterm.commit(summary, drop=[Drop()], ttl=KEEP)
        else:
            elsewhere[namespace] = None
    return list(elsewhere)


def without(
    found: UnitOfWork, known: Fact | Instruction, said: set[tuple[str | None, str, str]], now: float
) -> None:
    """A fact without those sources; gone, if it had no others."""
    left = tuple(one for one in known.sources if _place(one) not in said)
    if len(left) == len(known.sources):
        return
    if isinstance(known, Fact):
        found.put_fact(replace(known, sources=left)) if left else found.drop_fact(known.id)
    elif left:
        found.put_instruction(replace(known, sources=left))
    else:
        found.drop_instruction(known.id)
    if not left:
        found.forget(known.id, now)


def _place(source: Source) -> tuple[str | None, str, str]:
    return source.namespace, source.session, source.item
