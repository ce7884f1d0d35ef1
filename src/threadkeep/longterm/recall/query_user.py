"""What `User.recall` does: the indexes of the users asked lately, and the way of a question."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Final

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.errors import InputError
from threadkeep.longterm.recall import query as question
from threadkeep.longterm.recall import verify_hits
from threadkeep.longterm.recall.hits import Hit, Hits
from threadkeep.longterm.recall.query import Question
from threadkeep.longterm.recall.search import Search
from threadkeep.longterm.recall.sync import Following
from threadkeep.longterm.store.validate import Moment
from threadkeep.types.timestamps import when

TOGETHER: Final = 300_000
"""Documents of all users in one process; the indexes of users not asked for longest go."""

MOST: Final = 1_000
"""Hits that may be asked for."""

DEPTH: Final = 50
"""Hits that an embedder reorders; more, if more are wanted."""

_USERS: Final = 1_000
_ROUNDS: Final = 8  # as often a question is asked anew because what it found was gone
_SPARE: Final = 10  # beyond twice as many as wanted, since forks repeat what their origin says


class Recall:
    """The indexes of a store's users, built when first asked for; one goes with each engine.

    Thread-safe: questions to one user follow one another, those to several users do not wait.
    After a fork the child begins with nothing.
    """

    def __init__(self, engine: Engine, *, together: int = TOGETHER) -> None:
        self._engine = engine
        self._together = together
        self._begin()

    def ask(self, user: str, text: str, k: int, asked: Question) -> Hits:
        """The best answers, the best first."""
        by_meaning = self._engine.settings.embedder is not None
        following, lock = self._of(user)
        with lock:
            following.catch_up()
            found = _answers(self._engine, following, asked, max(k, DEPTH) if by_meaning else k)
        self._make_room()
        if by_meaning:
            from threadkeep.longterm.recall import rerank  # few bring an embedder

            found = rerank.reordered(self._engine, text, found)
        return Hits(found[:k], query=text)

    def forget_user(self, user: str) -> None:
        """Let go of what is remembered of a user; the next question reads it anew."""
        with self._lock:
            self._users.pop(user, None)

    def close(self) -> None:
        """Let go of everything."""
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._users: OrderedDict[str, tuple[Following, threading.Lock]] = OrderedDict()

    def _of(self, user: str) -> tuple[Following, threading.Lock]:
        if self._pid != os.getpid():
            self._begin()  # locks may have been held by threads that are not here
        with self._lock:
            if user not in self._users:
                self._users[user] = Following(self._engine, user), threading.Lock()
            self._users.move_to_end(user)
            return self._users[user]

    def _make_room(self) -> None:
        with self._lock:
            held = sum(len(following.index) for following, _ in self._users.values())
            while len(self._users) > 1 and (held > self._together or len(self._users) > _USERS):
                _, (gone, _) = self._users.popitem(last=False)
                held -= len(gone.index)


def recall(
    engine: Engine,
    user: str,
    query: str,
    k: int,
    *,
    session: str | None = None,
    role: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Hits:
    """As `User.recall`."""
    names.check(query, "query")
    if type(k) is not int or not 1 <= k <= MOST:
        raise InputError(f"k must be a whole number from 1 to {MOST:,}, got {k!r}")
    asked = question.read(
        query,
        session=None if session is None else names.check(session, "session"),
        role=None if role is None else names.check(role, "role"),
        since=_seconds(since, "since"),
        until=_seconds(until, "until"),
    )
    return engine.part(Recall).ask(user, query, k, asked)


def _seconds(given: Moment | None, where: str) -> float | None:
    return None if given is None else when(given, where).timestamp()


def _answers(engine: Engine, following: Following, asked: Question, k: int) -> list[Hit]:
    hits: list[Hit] = []
    for _ in range(_ROUNDS):
        hits, sound = _answer(engine, following, asked, k)
        if sound:
            break
    return hits


def _answer(
    engine: Engine, following: Following, asked: Question, k: int
) -> tuple[list[Hit], bool]:
    """The hits that stand, and whether all did that were looked at."""
    found = Search(following.index, asked).best(2 * k + _SPARE)
    hits: dict[object, Hit] = {}
    while found and len(hits) < k:
        some, found = found[: k - len(hits)], found[k - len(hits) :]
        checked = verify_hits.check(engine, following, some)
        for hit in checked.hits:
            hits.setdefault(_identity(hit), hit)
        if not checked.sound:
            return list(hits.values()), False
    return list(hits.values()), True


def _identity(hit: Hit) -> object:
    """What hits have in common that are one and the same: a fork repeats items with their ids."""
    if hit.fact is not None:
        return hit.fact.id, None
    return (hit.item.id, hit.item.text) if hit.item else None
