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
    recall_index = synced.index
    indexed_turns = [
        _indexed_turn(synced, candidate)
        for candidate in candidates
        if not recall_index.flags[candidate.number] & FACT
    ]
    fact_candidates = [
        candidate for candidate in candidates if recall_index.flags[candidate.number] & FACT
    ]
    hit_by_document, stale_turns = _verify_turns(engine, synced, indexed_turns)
    fact_hits, stale_fact_ids = _verify_facts(engine, synced, fact_candidates)
    if stale_turns:
        synced.sessions.refresh(stale_turns)
    if stale_fact_ids:
        synced.facts.remove(stale_fact_ids)
    hit_by_document |= fact_hits
    verified_hits = [
        replace(hit_by_document[candidate.number], why=why[candidate.number])
        for candidate in candidates
        if candidate.number in hit_by_document
    ]
    return VerifiedHits(verified_hits, not stale_turns and not stale_fact_ids)


def _indexed_turn(synced: SyncedIndex, document: ScoredDocument) -> _IndexedTurn:
    recall_index, turn_number = synced.index, document.number
    previous_turn, next_turn = recall_index.before[turn_number], recall_index.after[turn_number]
    return _IndexedTurn(
        document,
        recall_index.origin_names.values[recall_index.origins[turn_number]],
        recall_index.seqs[turn_number],
        recall_index.written_at[turn_number],
        recall_index.seqs[previous_turn] if previous_turn >= 0 else 0,
        recall_index.seqs[next_turn] if next_turn >= 0 else 0,
    )


def _verify_turns(
    engine: Engine, synced: SyncedIndex, turns: list[_IndexedTurn]
) -> tuple[dict[int, Hit], list[StaleDocument]]:
    """The hits by document, and the items that are not as they were."""
    hit_by_document, stale_turns = {}, []
    item_queries = [
        _item_query(synced, turn, seq)
        for turn in turns
        for seq in (turn.seq, turn.before, turn.after)
        if seq
    ]
    item_pages = iter(engine.read(*item_queries) if item_queries else ())
    for turn in turns:
        item_page = next(item_pages)
        previous_page = next(item_pages) if turn.before else None
        next_page = next(item_pages) if turn.after else None
        item = _item(item_page)
        if item is not None and _is_unchanged(synced, turn, item_page):
            hit_by_document[turn.document.number] = Hit(
                turn.document.score,
                item=item,
                session=turn.session,
                before=_item(previous_page),
                after=_item(next_page),
            )
        else:
            stale_turns.append(StaleDocument(turn.session, turn.document.number, item_page))
    return _with_large_parts(engine, hit_by_document), stale_turns


def _with_large_parts(engine: Engine, hit_by_document: dict[int, Hit]) -> dict[int, Hit]:
    """The hits with the large parts of their items, read at once if there are some."""
    session_item_pairs = [
        (hit.session or "", item)
        for hit in hit_by_document.values()
        for item in (hit.item, hit.before, hit.after)
        if item is not None
    ]
    if not any(references_of(item) for _, item in session_item_pairs):
        return hit_by_document
    item_by_identity = {
        id(item): complete_item
        for (_, item), complete_item in zip(
            session_item_pairs, load_all(engine, session_item_pairs), strict=True
        )
    }

    def of(item: Item | None) -> Item | None:
        return None if item is None else item_by_identity[id(item)]

    return {
        document_number: replace(hit, item=of(hit.item), before=of(hit.before), after=of(hit.after))
        for document_number, hit in hit_by_document.items()
    }


def _item_query(synced: SyncedIndex, turn: _IndexedTurn, seq: int) -> Query:
    session_stream_name = synced.sessions.stream(turn.session)
    return Query(session_stream_name, "item", limit=1, after=seq - 1 or None, before=seq + 1)


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
    recall_index = synced.index
    origin_names = recall_index.origin_names.values
    document_by_id = {
        origin_names[recall_index.origins[document.number]][1:]: document for document in facts
    }
    if not document_by_id:
        return {}, []
    fact_records = engine.longterm.read(
        Query(synced.facts.stream, "fact", ids=list(document_by_id))
    )[0].records
    fact_by_id = {fact.id: fact for record in fact_records if (fact := read_fact(record))}
    hit_by_document = {
        document_by_id[fact_id].number: Hit(
            document_by_id[fact_id].score,
            fact=fact,
            session=fact.sources[0].session if fact.sources else None,
        )
        for fact_id, fact in fact_by_id.items()
        if is_current(fact, engine.now())
    }
    return hit_by_document, [
        fact_id
        for fact_id, document in document_by_id.items()
        if document.number not in hit_by_document
    ]
