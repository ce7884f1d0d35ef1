"""Hits are read again before they are given out, so that nobody sees what was deleted or edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.hits import Hit
from threadkeep.longterm.recall.search import Found
from threadkeep.longterm.recall.session_sync import Stale
from threadkeep.longterm.recall.sync import Following
from threadkeep.longterm.store.codec import read_fact
from threadkeep.types import Item, Page, Query


class _Turn(NamedTuple):
    """An item of the index: where it is, and where its neighbours are (0 = there is none)."""

    found: Found
    session: str
    seq: int
    written: float
    before: int
    behind: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What is left of what was found.

    Attributes:
        hits: those that still stand, in order.
        sound: whether all did; else the index knows now, and is to be asked again.
    """

    hits: list[Hit]
    sound: bool


def check(engine: Engine, following: Following, found: list[Found]) -> Checked:
    """Read again what was found, each with its neighbours, in one round trip for each store."""
    index = following.index
    turns = [_turn(following, one) for one in found if not index.flags[one.number] & FACT]
    facts = [one for one in found if index.flags[one.number] & FACT]
    hits, stale = _turns(engine, following, turns)
    learned, forgotten = _facts(engine, following, facts)
    if stale:
        following.sessions.renew(stale)
    if forgotten:
        following.unlearn(forgotten)
    hits |= learned
    kept = [hits[one.number] for one in found if one.number in hits]
    return Checked(kept, not stale and not forgotten)


def _turn(following: Following, found: Found) -> _Turn:
    index, n = following.index, found.number
    before, behind = index.before[n], index.behind[n]
    return _Turn(
        found,
        index.place_names.values[index.places[n]],
        index.seqs[n],
        index.written[n],
        index.seqs[before] if before >= 0 else 0,
        index.seqs[behind] if behind >= 0 else 0,
    )


def _turns(
    engine: Engine, following: Following, turns: list[_Turn]
) -> tuple[dict[int, Hit], list[Stale]]:
    """The hits by document, and the items that are not as they were."""
    hits, stale = {}, []
    queries = [
        _only(following, turn, seq)
        for turn in turns
        for seq in (turn.seq, turn.before, turn.behind)
        if seq
    ]
    pages = iter(engine.read(*queries) if queries else ())
    for turn in turns:
        own = next(pages)
        before = next(pages) if turn.before else None
        after = next(pages) if turn.behind else None
        if _stands(following, turn, own):
            hits[turn.found.number] = Hit(
                turn.found.score,
                item=item_codec.read_item(own.records[0]),
                session=turn.session,
                before=_item(before),
                after=_item(after),
            )
        else:
            stale.append(Stale(turn.session, turn.found.number, own))
    return hits, stale


def _only(following: Following, turn: _Turn, seq: int) -> Query:
    stream = following.sessions.stream(turn.session)
    return Query(stream, "item", limit=1, after=seq - 1 or None, before=seq + 1)


def _stands(following: Following, turn: _Turn, own: Page) -> bool:
    if not own.records or not following.sessions.is_same(turn.session, own):
        return False
    return own.records[0].at == turn.written


def _item(page: Page | None) -> Item | None:
    return item_codec.read_item(page.records[0]) if page is not None and page.records else None


def _facts(
    engine: Engine, following: Following, facts: list[Found]
) -> tuple[dict[int, Hit], list[str]]:
    """The hits by document, and the ids of facts that do not hold any more."""
    index = following.index
    names = index.place_names.values
    ids = {names[index.places[one.number]][1:]: one for one in facts}
    if not ids:
        return {}, []
    records = engine.longterm.read(Query(following.home, "fact", ids=list(ids)))[0].records
    there = {fact.id: fact for record in records if (fact := read_fact(record))}
    hits = {
        ids[id].number: Hit(
            ids[id].score, fact=fact, session=fact.sources[0].session if fact.sources else None
        )
        for id, fact in there.items()
        if fact.status == "active"
    }
    return hits, [id for id, one in ids.items() if one.number not in hits]
