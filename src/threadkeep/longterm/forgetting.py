"""Forgetting: everything of a user, or single items with what was learned from them.

A mark goes first: whoever learns meanwhile meets it in a compare-and-set. Sessions go next, each
before its entry in the user's list; what was learned goes last. Cut short, it can be called again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from threadkeep import companions, copying, listing, names, pointers
from threadkeep.answer_records import ENTRY
from threadkeep.engine import Engine
from threadkeep.errors import BackendError, Conflict, NotOwner
from threadkeep.learned import Erasure, Fact, Instruction, Source
from threadkeep.longterm import held
from threadkeep.longterm.held import Held
from threadkeep.longterm.homes import Home, of_session
from threadkeep.ownership import Door
from threadkeep.types import KEEP, Drop, Query, SessionInfo
from threadkeep.verbs import editing

_PAGE: Final = 500
_ROUNDS: Final = 10_000
_TRIES: Final = 64


def forget_user(engine: Engine, user: str, *, purge: bool) -> Erasure:
    """As `User.forget`."""
    home = Home(engine, user=user)
    known = _mark(home)
    records = sessions = 0
    for session in _sessions(engine, user):
        gone = _erase(engine, user, session)
        records, sessions = records + gone, sessions + (gone > 0)
    elsewhere = _summaries(engine, known)
    records += sum(len(kind) for kind in (known.facts, known.instructions, known.watermarks))
    home.drop()
    engine.part_with(user)
    beyond = [f"sessions in the namespace {one!r}: forget the user there" for one in elsewhere]
    return Erasure(records, sessions, [*beyond, *(engine.purge() if purge else [])])


def forget_items(door: Door, ids: Iterable[str]) -> int:
    """As `Session.forget`."""
    wanted = [names.check(id, "item id") for id in ids]
    keys = [names.key(id) for id in wanted]
    gone = len(door.look(Query(door.stream, "item", ids=keys)).pages[0].records)
    editing.remove(door, *wanted)
    companions.spoil(door.engine, door.id)  # also where an attempt before this was cut short
    home = of_session(door)
    theirs = door.engine.settings.namespace
    namespace = None if theirs == home.engine.settings.namespace else theirs

    def step(found: Held) -> None:
        said = {(namespace, door.id, id) for id in wanted}
        for fact in list(found.facts.values()):
            without(found, fact, said, door.engine.now())
        for instruction in list(found.instructions.values()):
            without(found, instruction, said, door.engine.now())

    home.settle(step)
    return gone


def _mark(home: Home) -> Held:
    """Say that the user is being forgotten; what the home held."""
    for _ in range(_TRIES):
        found = home.look()
        found.forget(held.USER, home.engine.now())
        if home.commit(found):
            return found
    raise BackendError("others learned of the user all the time; try again")


def _sessions(engine: Engine, user: str) -> Iterator[str]:
    """The user's sessions, until the list is empty; each leaves it when it is gone."""
    stream = engine.stream("sessions", user)
    for _ in range(_ROUNDS):
        page = engine.read(Query(stream, "session", limit=_PAGE))[0]
        if not page.records:
            engine.commit(stream, drop=[Drop()], ttl=KEEP)
            return
        for entry in page.records:
            yield listing.named(entry)
        gone = [Drop("session", [entry.id for entry in page.records])]
        with suppress(Conflict):  # somebody wrote to one of them meanwhile: once more
            engine.commit(stream, drop=gone, ttl=KEEP, expect=page.version)
    raise BackendError(
        f"user {user!r} still writes to sessions that were forgotten: stop that, and try again"
    )


def _erase(engine: Engine, user: str, session: str) -> int:
    """Remove a session with its summary and the way to its responses; how many records."""
    door = Door(engine, SessionInfo(session, user))
    with suppress(NotOwner):  # claimed by somebody else since it was listed
        info = door.look().info
        if info is not None and info.user != user:
            return 0
        count = sum(1 for _ in copying.records(engine.backend, door.stream, engine.now()))
        companions.forget(engine, session, user=user, ended=info is None)
        return door.settle(lambda: _dropped(door, count))
    return 0


def _dropped(door: Door, count: int) -> int:
    seen = door.look(Query(door.stream, ENTRY))
    pointers.forget(door.engine, door.id, pointers.named(seen.pages[0]))
    if seen.version:
        door.engine.commit(door.stream, drop=[Drop()], ttl=KEEP, expect=seen.version)
    return count


def _summaries(engine: Engine, known: Held) -> list[str]:
    """Remove the summaries of sessions that were read and are gone; the namespaces of others."""
    elsewhere: dict[str, None] = {}
    for stream in known.watermarks:
        if "/" not in stream:  # what learning cost, which is of no session
            continue
        namespace, _ = names.parts(stream)
        if namespace == engine.settings.namespace:
            summary = companions.beside(engine, companions.SUMMARY, stream)
            engine.longterm.commit(summary, drop=[Drop()], ttl=KEEP)
        else:
            elsewhere[namespace] = None
    return list(elsewhere)


def without(
    found: Held, known: Fact | Instruction, said: set[tuple[str | None, str, str]], now: float
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
