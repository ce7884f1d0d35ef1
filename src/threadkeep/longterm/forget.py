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
from threadkeep.longterm.store.user_stream import UserStream, for_session
from threadkeep.printable import counted, shown
from threadkeep.sessions import (
    blob_release,
    checkpoints,
    derived,
    edit,
    recall_segments,
    remove,
    user_index,
)
from threadkeep.sessions.read import items_of_page, whole_items
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
    user_stream = UserStream(engine, user=user)
    user_unit = _mark_forgotten(user_stream)
    count_by_session: dict[str, int] = {}
    unreadable_stream_names: list[str] = []
    for session_id in _all_sessions(engine, user, unreadable_stream_names):
        if (count := _erase(engine, user, session_id)) is not None:
            count_by_session[session_id] = count_by_session.get(session_id, 0) + count
    record_count = sum(count_by_session.values()) + orphans.forget_pointers(
        engine, user, count_by_session
    )
    record_count += checkpoints.delete_of_user(engine, user) + blob_release.delete_of_user(
        engine, user
    )
    other_namespaces = _summaries(engine, user_unit)
    record_count += orphans.forget_summaries(engine, user)
    recall_segments.forget_user(engine, user)
    record_count += sum(
        len(entries) for entries in (user_unit.facts, user_unit.instructions, user_unit.watermarks)
    )
    user_stream.delete()
    engine.evict_user(user)
    unreached_places = [
        *_unreached(other_namespaces, unreadable_stream_names),
        *(engine.purge() if purge else []),
    ]
    return ForgetReport(
        record_count, sum(count > 0 for count in count_by_session.values()), unreached_places
    )


def _unreached(namespaces: list[str], unreadable: list[str]) -> Iterator[str]:
    """What forgetting the user here could not reach, in words."""
    for namespace in namespaces:
        yield f"sessions in the namespace {shown(namespace)}: forget the user there"
    if unreadable:
        yield (
            f"{counted(len(unreadable), 'session')} whose records cannot be read, so that nobody "
            "can say whose they are: delete them as the operator"
        )


def forget_items(session_stream: SessionStream, ids: Iterable[str]) -> int:
    """As `Session.forget`."""
    item_ids = [names.check(item_id, "item id") for item_id in ids]
    item_keys = [names.key(item_id) for item_id in item_ids]
    forgotten_page = session_stream.read(
        Query(session_stream.stream_name, "item", ids=item_keys)
    ).pages[0]
    items = whole_items(session_stream, items_of_page(forgotten_page))
    edit.remove(session_stream, *item_ids, notify=False)
    forgotten_texts = {item.text for item in items if item.text}
    checkpoints.forget_items(session_stream.engine, session_stream.id, item_ids, forgotten_texts)
    derived.invalidate_summary(
        session_stream.engine, session_stream.id
    )  # also where an attempt before this was cut short
    user_stream = for_session(session_stream)
    session_namespace = session_stream.engine.settings.namespace
    namespace = (
        None if session_namespace == user_stream.engine.settings.namespace else session_namespace
    )

    def step(unit: UnitOfWork) -> None:
        removed_source_keys = {(namespace, session_stream.id, item_id) for item_id in item_ids}
        for entry in unit.entries():
            remove_sources(unit, entry, removed_source_keys, session_stream.engine.now())
        for refusal in list(unit.refusals.values()):
            if any(_source_key(source) in removed_source_keys for source in refusal.sources):
                unit.drop_refusal(refusal.id)

    user_stream.transact(step)
    return len(items)


def _mark_forgotten(user_stream: UserStream) -> UnitOfWork:
    """Mark the user as being forgotten. Returns the entries."""
    for _ in range(_TRIES):
        user_unit = user_stream.load()
        user_unit.mark_forgotten(unit_of_work.USER, user_stream.engine.now())
        if user_stream.commit(user_unit):
            return user_unit
    raise BackendError("others learned of the user all the time; try again")


def _all_sessions(engine: Engine, user: str, unreadable_streams: list[str]) -> Iterator[str]:
    """Those on the user's list, and those that it has lost, or that came back meanwhile."""
    yield from _listed(engine, user)
    yield from orphans.sessions(engine, user, unreadable_streams)
    yield from _listed(engine, user)


def _listed(engine: Engine, user: str) -> Iterator[str]:
    """The sessions of the user's list, until it is empty; each leaves it when it is over."""
    stream_name = engine.stream("sessions", user)
    for _ in range(_ROUNDS):
        list_page = engine.read(Query(stream_name, "session", limit=_PAGE))[0]
        if not list_page.records:
            if list_page.version:
                with suppress(Conflict):  # somebody begins a session
                    engine.commit(stream_name, drop=[Drop()], ttl=KEEP, expect=list_page.version)
            return
        for record in list_page.records:
            yield user_index.session_id_of(record)
        entry_drops = [Drop("session", [record.id for record in list_page.records])]
        with suppress(Conflict):  # somebody wrote to one of them meanwhile: once more
            engine.commit(stream_name, drop=entry_drops, ttl=KEEP, expect=list_page.version)
    raise BackendError(
        f"user {shown(user)} still writes to sessions that were forgotten: stop that, and try again"
    )


def _erase(engine: Engine, user: str, session: str) -> int | None:
    """Remove a session, or what is left of it; how many records. `None` = it is not the user's."""
    session_stream = SessionStream(engine, SessionInfo(session, user))

    def step() -> int | None:
        deletion_target = remove.find_target(session_stream)
        if deletion_target.user != user:  # nobody's
            return None
        record_count = _count(session_stream)
        remove.delete_target(session_stream, deletion_target)
        return record_count

    with suppress(NotOwner, CorruptRecord):  # somebody else's, or begun by them since
        return session_stream.retry(step)
    return None


def _count(session_stream: SessionStream) -> int:
    with suppress(CorruptRecord):  # a store that gives out nothing that it cannot open
        return sum(
            1
            for _ in copy_streams.records(
                session_stream.engine.backend,
                session_stream.stream_name,
                session_stream.engine.now(),
            )
        )
    return 1


def _summaries(engine: Engine, unit: UnitOfWork) -> list[str]:
    """Remove the summaries of sessions that were read and are gone; the namespaces of others."""
    other_namespaces: dict[str, None] = {}
    for session_stream_name in unit.watermarks:
        if "/" not in session_stream_name:  # what learning cost, which is of no session
            continue
        namespace, _ = names.parts(session_stream_name)
        if namespace == engine.settings.namespace:
            stream_name = derived.derived_stream(engine, derived.SUMMARY, session_stream_name)
            engine.longterm.commit(stream_name, drop=[Drop()], ttl=KEEP)
        else:
            other_namespaces[namespace] = None
    return list(other_namespaces)


def remove_sources(
    unit: UnitOfWork,
    entry: Fact | Instruction,
    removed_sources: set[tuple[str | None, str, str]],
    now: float,
) -> None:
    """A fact without those sources; gone, if it had no others."""
    remaining_sources = tuple(
        source for source in entry.sources if _source_key(source) not in removed_sources
    )
    if len(remaining_sources) == len(entry.sources):
        return
    if remaining_sources:
        unit.put(replace(entry, sources=remaining_sources))
    else:
        unit.drop(entry)
        unit.mark_forgotten(entry.id, now)


def _source_key(source: Source) -> tuple[str | None, str, str]:
    return source.namespace, source.session, source.item
