"""Where a response is: `response/<id>` points to the session that holds it.

A pointer is written before its response and lives a fifth longer than the session would without
another write; the session's writes renew it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.core.response_codec import ENTRY, read_entry
from threadkeep.errors import Conflict
from threadkeep.types import KEEP, Drop, Page, Query, Record

_OFTEN: Final = 0.1  # of a life passes at most between two renewals
_LONGER: Final = 1.2  # lives, so that no pointer dies before its session
_RENEWED: Final = ""  # no user's name, among what the engine remembers


class Pointer(NamedTuple):
    """Where a response is said to be (`None` = nowhere), and the version of that word."""

    session: str | None
    version: int


def find(engine: Engine, ids: Sequence[str]) -> list[Pointer]:
    """Where responses are said to be, in one round trip; they may be gone."""
    queries = [Query(engine.stream("response", id), "pointer", ids=["pointer"]) for id in ids]
    return [_read(page) for page in engine.read(*queries)] if queries else []


def point(engine: Engine, id: str, session: str, user: str | None, found: Pointer) -> None:
    """Say that a response is in a session, and whose it is.

    Also where that was said before: who takes a pointer back must see that it is needed anew.

    Raises:
        Conflict: somebody else said otherwise since it was looked for.
    """
    stream, ttl = engine.stream("response", id), _life(engine)
    owner = {} if user is None else {"user": user}
    body = item_codec.dumps({"id": id, "session": session, **owner}, "response id")
    record = Record("pointer", "pointer", body, engine.now())
    engine.commit(stream, put=[record], ttl=ttl, expect=found.version)


def adopt(engine: Engine, session: str, user: str | None, entry: Record) -> None:
    """Say where the response of an entry will be, unless it is in another session already."""
    id = read_entry(entry).id
    found = find(engine, [id])[0]
    if found.session not in (None, session):
        elsewhere = engine.stream("session", str(found.session))
        if engine.read(Query(elsewhere, ENTRY, ids=[entry.id]))[0].records:
            return
    with suppress(Conflict):
        point(engine, id, session, user, found)


def of_session(engine: Engine, session: str, ids: Iterable[str]) -> dict[str, int]:
    """The responses that are said to be in a session, and the versions of that word."""
    listed = list(ids)
    pairs = zip(listed, find(engine, listed), strict=True)
    return {id: pointer.version for id, pointer in pairs if pointer.session == session}


def forget(engine: Engine, versions: Mapping[str, int]) -> None:
    """Take back where responses are, but for those of which it was said again since."""
    for id, version in versions.items():
        with suppress(Conflict):
            stream = engine.stream("response", id)
            engine.commit(stream, drop=[Drop()], ttl=KEEP, expect=version)


def renew(engine: Engine, session: str, *, new: bool) -> None:
    """Let the pointers to a session live on with it; seldom, and for nothing where none expire."""
    ttl = engine.settings.ttl
    if ttl is None:
        return
    now = engine.now()
    if 0 <= now - engine.touched(_RENEWED, session) < ttl * _OFTEN:
        return
    if not new:
        page = engine.read(Query(engine.stream("session", session), ENTRY))[0]
        for id in named(page):
            engine.commit(engine.stream("response", id), ttl=_life(engine))
    engine.touch(_RENEWED, session, now)


def named(page: Page) -> list[str]:
    """The ids of the responses that a page of entries lists."""
    return [read_entry(record).id for record in page.records]


def _read(page: Page) -> Pointer:
    try:
        return Pointer(str(json.loads(page.records[0].body)["session"]), page.version)
    except (IndexError, ValueError, TypeError, KeyError):
        return Pointer(None, page.version)


def _life(engine: Engine) -> float | None:
    return None if engine.settings.ttl is None else engine.settings.ttl * _LONGER
