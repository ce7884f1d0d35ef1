"""What lives beside a session's own stream, in the store of long-term memory.

Its summary, and what was learned in it if it has no user. Here is how they go with what they came
from; what is in them is written and read elsewhere.
"""

from __future__ import annotations

import json
from typing import Any, Final

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.types import KEEP, Drop, Query

SUMMARY: Final = "summary"
"""The noun of the stream, and the kind and the id of its one record."""

ANONYMOUS: Final = "anon"


def stream(engine: Engine, noun: str, session: str) -> str:
    """The stream of what long-term memory keeps by session.

    Sessions of other namespaces than its own, as services with identifiers have, stay apart.
    """
    return engine.longterm.stream(_noun(engine, noun), session)


def beside(engine: Engine, noun: str, stream: str) -> str:
    """The same, by the name of the session's own stream."""
    _, encoded = names.parts(stream)
    return names.prefix(engine.longterm.settings.namespace, _noun(engine, noun)) + encoded


def forget(engine: Engine, session: str, *, user: str | None, ended: bool) -> None:
    """Drop what belongs to a session that is deleted, as far as it is there.

    Args:
        engine: of the session.
        session: its id.
        user: who deletes it; `None` = the operator.
        ended: whether the session itself is not there any more: then a user may only drop what
            carries their name.
    """
    own = stream(engine, SUMMARY, session)
    if not ended or user is None:
        _drop(engine, own)
        _drop(engine, stream(engine, ANONYMOUS, session))
        return
    found = engine.longterm.read(Query(own, SUMMARY, ids=[SUMMARY]))[0].records
    if found and _said(found[0].body).get("user") == user:
        _drop(engine, own)


def spoil(engine: Engine, session: str, *, seq: int = 0, life: int | None = None) -> None:
    """Drop the summary if it covers an item that was edited or taken back.

    To be called after the edit: who writes a summary looks at the items again after writing it, so
    that one of the two sees the other.

    Args:
        engine: of the session.
        session: its id.
        seq: the oldest item that changed; 0 = all may have.
        life: of the session; a summary of another life covers nothing of this one.
    """
    name = stream(engine, SUMMARY, session)
    found = engine.longterm.read(Query(name, SUMMARY, ids=[SUMMARY]))[0].records
    if found and _covers(_said(found[0].body), seq, life):
        _drop(engine, name)


def _noun(engine: Engine, noun: str) -> str:
    ours, theirs = engine.settings.namespace, engine.longterm.settings.namespace
    return noun if ours == theirs else f"{noun}@{names.home(ours)[:-1]}"


def _covers(said: dict[str, Any], seq: int, life: int | None) -> bool:
    try:
        return (not seq or said["last_seq"] >= seq) and life in (None, said["life"])
    except (TypeError, KeyError):
        return True  # nobody can say


def _said(body: str) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _drop(engine: Engine, name: str) -> None:
    engine.longterm.commit(name, drop=[Drop()], ttl=KEEP)
