"""What `User.recall` does: the indexes of the users asked lately, and the way of a question."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from threadkeep.core import names
from threadkeep.core.engine import Engine
from threadkeep.core.write_counts import FIRST
from threadkeep.errors import InputError
from threadkeep.longterm.recall import query as recall_query
from threadkeep.longterm.recall import verify_hits
from threadkeep.longterm.recall.hits import Hit, Hits
from threadkeep.longterm.recall.query import RecallQuery
from threadkeep.longterm.recall.search import Search
from threadkeep.longterm.recall.segments.pieces import BadPiece
from threadkeep.longterm.recall.sync import SyncedIndex
from threadkeep.longterm.store.validate import Moment
from threadkeep.printable import shown
from threadkeep.types.timestamps import parse_time

MAX_BYTES: Final = 256_000_000
"""Bytes of all indexes in one process, about; those of users not asked for longest go."""

MAX_HITS: Final = 1_000
"""Hits that may be asked for."""

_MAX_USERS: Final = 1_000
_MAX_ROUNDS: Final = 8  # as often a question is asked anew because what it found was gone
_SPARE_CANDIDATES: Final = (
    10  # beyond twice as many as wanted, since forks repeat what their origin says
)


class Recall:
    """The indexes of a store's users, built when first asked for; one goes with each engine.

    Thread-safe: questions to one user follow one another, those to several users do not wait.
    After a fork the child begins with nothing.
    """

    def __init__(self, engine: Engine, *, max_bytes: int = MAX_BYTES) -> None:
        self._engine = engine
        self._max_bytes = max_bytes
        self._reset()

    def search(self, user: str, text: str, k: int, query: RecallQuery) -> Hits:
        """The best answers, the best first."""
        synced_index, index_lock = self._index_of(user)
        with index_lock:
            hits = _search_repairing(self._engine, synced_index, Question(text, query, k))
            is_due, is_complete = synced_index.is_due(), synced_index.complete
        if is_due and self._engine.write_counts is not None:
            self._engine.write_counts.add(user, FIRST)
        self._evict_indexes()
        return Hits(hits, query=text, complete=is_complete)

    def forget_user(self, user: str) -> None:
        """Let go of what is remembered of a user; the next question reads it anew."""
        with self._lock:
            self._indexes_by_user.pop(user, None)

    def close(self) -> None:
        """Let go of everything."""
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._indexes_by_user: OrderedDict[str, tuple[SyncedIndex, threading.Lock]] = OrderedDict()

    def _index_of(self, user: str) -> tuple[SyncedIndex, threading.Lock]:
        if self._pid != os.getpid():
            self._reset()  # locks may have been held by threads that are not here
        with self._lock:
            if user not in self._indexes_by_user:
                self._indexes_by_user[user] = SyncedIndex(self._engine, user), threading.Lock()
            self._indexes_by_user.move_to_end(user)
            return self._indexes_by_user[user]

    def _evict_indexes(self) -> None:
        with self._lock:
            index_bytes = sum(
                synced_index.nbytes for synced_index, _ in self._indexes_by_user.values()
            )
            while len(self._indexes_by_user) > 1 and (
                index_bytes > self._max_bytes or len(self._indexes_by_user) > _MAX_USERS
            ):
                _, (evicted_index, _) = self._indexes_by_user.popitem(last=False)
                index_bytes -= evicted_index.nbytes


def recall(
    engine: Engine,
    user: str,
    query: str,
    k: int,
    *,
    kind: recall_query.Kind | None = None,
    session: str | None = None,
    role: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Hits:
    """As `User.recall`."""
    names.check(query, "query")
    if type(k) is not int or not 1 <= k <= MAX_HITS:
        raise InputError(f"k must be a whole number from 1 to {MAX_HITS:,}, got {shown(k)}")
    if kind not in (None, "fact", "item"):
        raise InputError(f'kind must be "fact" or "item", got {shown(kind)}')
    if kind == "fact" and role is not None:
        raise InputError('role= is of items, so kind="fact" would find nothing: pass one of them')
    parsed_query = recall_query.parse_query(
        query,
        kind=kind,
        session=None if session is None else names.check(session, "session"),
        role=None if role is None else names.check(role, "role"),
        since=_seconds(since, "since"),
        until=_seconds(until, "until"),
    )
    return engine.component(Recall).search(user, query, k, parsed_query)


def _seconds(value: Moment | None, name: str) -> float | None:
    return None if value is None else parse_time(value, name).timestamp()


class Question(NamedTuple):
    """What is asked: its text, taken apart, and how many hits are wanted."""

    text: str
    query: RecallQuery
    k: int


def _search_repairing(engine: Engine, synced: SyncedIndex, question: Question) -> list[Hit]:
    """Search; where a part of the kept index is gone or damaged, it is dropped and read anew."""
    for _ in range(_MAX_ROUNDS):
        try:
            synced.sync()
            synced.prepare(stem for word, _ in question.query.words for stem in word)
            return _search_verified(engine, synced, question)
        except BadPiece as error:
            synced.drop_damaged(str(error))
    synced.ignore_segments()
    synced.sync()
    return _search_verified(engine, synced, question)


def _search_verified(engine: Engine, synced: SyncedIndex, question: Question) -> list[Hit]:
    hits: list[Hit] = []
    for _ in range(_MAX_ROUNDS):
        hits, all_valid = _search_once(engine, synced, question)
        if all_valid:
            break
    return hits


def _search_once(engine: Engine, synced: SyncedIndex, question: Question) -> tuple[list[Hit], bool]:
    """The hits that stand, and whether all did that were looked at."""
    search, hit_limit = Search(synced.index, question.query), question.k
    candidate_count = 2 * hit_limit + _SPARE_CANDIDATES
    if engine.settings.embedder is None:
        reranked_documents = None
        candidates = search.best(candidate_count)
    else:
        from threadkeep.longterm.recall import rerank  # few bring an embedder

        best_documents = search.best(max(candidate_count, rerank.DEPTH))
        reranked_documents = rerank.rerank(engine, synced, question.text, best_documents)
        candidates = reranked_documents.documents[:candidate_count]
    hit_by_identity: dict[object, Hit] = {}
    while candidates and len(hit_by_identity) < hit_limit:
        candidate_chunk, candidates = (
            candidates[: hit_limit - len(hit_by_identity)],
            candidates[hit_limit - len(hit_by_identity) :],
        )
        reasons_by_document = search.why([document.number for document in candidate_chunk])
        if reranked_documents is not None:
            reasons_by_document = {
                document_number: reranked_documents.why(document_number, reasons)
                for document_number, reasons in reasons_by_document.items()
            }
        verified_hits = verify_hits.verify(engine, synced, candidate_chunk, reasons_by_document)
        for hit in verified_hits.hits:
            hit_by_identity.setdefault(_identity(hit), hit)
        if not verified_hits.all_valid:
            return list(hit_by_identity.values()), False
    return list(hit_by_identity.values()), True


def _identity(hit: Hit) -> object:
    """What hits have in common that are one and the same: a fork repeats items with their ids."""
    if hit.fact is not None:
        return hit.fact.id, None
    return (hit.item.id, hit.item.text) if hit.item else None
