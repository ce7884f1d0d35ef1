"""Hits are read again before they are given out, so that nobody sees what was deleted or edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.core.parts import references_of
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.hits import Hit, Reason
from threadkeep.longterm.recall.search import ScoredDocument
from threadkeep.longterm.recall.session_sync import StaleDocument
from threadkeep.longterm.recall.sync import SyncedIndex
from threadkeep.longterm.store.codec import read_fact
from threadkeep.longterm.store.validity import is_current
from threadkeep.sessions.blob_load import load_all
from threadkeep.types import Item, Page, Query


class _IndexedTurn(NamedTuple):
    """An item of the index: where it is, and where its neighbours are (0 = there is none)."""

    document: ScoredDocument
    session: str
    seq: int
    written_at: float
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class VerifiedHits:
    """What is left of what was found.

    Attributes:
        hits: those that still stand, in order.
        all_valid: whether all did; else the index knows now, and is to be asked again.
    """

    hits: list[Hit]
    all_valid: bool


def verify(
    engine: Engine,
    synced: SyncedIndex,
    candidates: list[ScoredDocument],
    why: Mapping[int, tuple[Reason, ...]],
) -> VerifiedHits:
    """Read again what was found, each with its neighbours, in one round trip for each store."""
    index = synced.index
    turns = [
        _indexed_turn(synced, candidate)
        for candidate in candidates
        if not index.flags[candidate.number] & FACT
    ]
    facts = [candidate for candidate in candidates if index.flags[candidate.number] & FACT]
    hits, stale = _verify_turns(engine, synced, turns)
    fact_hits, stale_facts = _verify_facts(engine, synced, facts)
    if stale:
        synced.sessions.refresh(stale)
    if stale_facts:
        synced.facts.remove(stale_facts)
    hits |= fact_hits
    verified = [
        replace(hits[candidate.number], why=why[candidate.number])
        for candidate in candidates
        if candidate.number in hits
    ]
    return VerifiedHits(verified, not stale and not stale_facts)


def _indexed_turn(synced: SyncedIndex, document: ScoredDocument) -> _IndexedTurn:
    index, n = synced.index, document.number
    before, after = index.before[n], index.after[n]
    return _IndexedTurn(
        document,
        index.origin_names.values[index.origins[n]],
        index.seqs[n],
        index.written_at[n],
        index.seqs[before] if before >= 0 else 0,
        index.seqs[after] if after >= 0 else 0,
    )


def _verify_turns(
    engine: Engine, synced: SyncedIndex, turns: list[_IndexedTurn]
) -> tuple[dict[int, Hit], list[StaleDocument]]:
    """The hits by document, and the items that are not as they were."""
    hits, stale = {}, []
    queries = [
        _item_query(synced, turn, seq)
        for turn in turns
        for seq in (turn.seq, turn.before, turn.after)
        if seq
    ]
    pages = iter(engine.read(*queries) if queries else ())
    for turn in turns:
        page = next(pages)
        before = next(pages) if turn.before else None
        after = next(pages) if turn.after else None
        item = _item(page)
        if item is not None and _is_unchanged(synced, turn, page):
            hits[turn.document.number] = Hit(
                turn.document.score,
                item=item,
                session=turn.session,
                before=_item(before),
                after=_item(after),
            )
        else:
            stale.append(StaleDocument(turn.session, turn.document.number, page))
    return _with_large_parts(engine, hits), stale


def _with_large_parts(engine: Engine, hits: dict[int, Hit]) -> dict[int, Hit]:
    """The hits with the large parts of their items, read at once if there are some."""
    pairs = [
        (hit.session or "", item)
        for hit in hits.values()
        for item in (hit.item, hit.before, hit.after)
        if item is not None
    ]
    if not any(references_of(item) for _, item in pairs):
        return hits
    loaded = {id(item): new for (_, item), new in zip(pairs, load_all(engine, pairs), strict=True)}

    def of(item: Item | None) -> Item | None:
        return None if item is None else loaded[id(item)]

    return {
        number: replace(hit, item=of(hit.item), before=of(hit.before), after=of(hit.after))
        for number, hit in hits.items()
    }


def _item_query(synced: SyncedIndex, turn: _IndexedTurn, seq: int) -> Query:
    stream = synced.sessions.stream(turn.session)
    return Query(stream, "item", limit=1, after=seq - 1 or None, before=seq + 1)


def _is_unchanged(synced: SyncedIndex, turn: _IndexedTurn, page: Page) -> bool:
    if not synced.sessions.is_current(turn.session, page):
        return False
    return page.records[0].at == turn.written_at


def _item(page: Page | None) -> Item | None:
    if page is None or not page.records:
        return None
    item = item_codec.read_item(page.records[0])
    return None if item.hidden else item


def _verify_facts(
    engine: Engine, synced: SyncedIndex, facts: list[ScoredDocument]
) -> tuple[dict[int, Hit], list[str]]:
    """The hits by document, and the ids of facts that do not hold any more."""
    index = synced.index
    names = index.origin_names.values
    ids = {names[index.origins[document.number]][1:]: document for document in facts}
    if not ids:
        return {}, []
    records = engine.longterm.read(Query(synced.facts.stream, "fact", ids=list(ids)))[0].records
    current = {fact.id: fact for record in records if (fact := read_fact(record))}
    hits = {
        ids[id].number: Hit(
            ids[id].score, fact=fact, session=fact.sources[0].session if fact.sources else None
        )
        for id, fact in current.items()
        if is_current(fact, engine.now())
    }
    return hits, [id for id, document in ids.items() if document.number not in hits]
