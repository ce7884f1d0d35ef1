"""Meaning, for those who bring an embedder: it reorders what words have found, and finds nothing.

As an equal of words a small embedder makes recall worse; as a voice among the best it helps. How
near vectors lie to each other depends on the model, so their likeness is rescaled within the best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.analyzer import FACT
from threadkeep.longterm.recall.hits import Reason
from threadkeep.longterm.recall.item_texts import passages
from threadkeep.longterm.recall.search import ScoredDocument
from threadkeep.longterm.recall.segments import vector_pieces
from threadkeep.longterm.recall.sync import SyncedIndex
from threadkeep.longterm.recall.vectors import EmbedderFault, Vector, Vectors, log_fault

DEPTH: Final = 100
"""Candidates that are reordered, the best by words."""
WEIGHT: Final = 0.3
"""Of the candidate that is likest to the question, beside 1 for the one that words find best."""
MAX_ON_THE_WAY: Final = 64
"""Texts that a question has embedded if vectors are kept; if more are missing, words decide."""


@dataclass(frozen=True, slots=True)
class Reranked:
    """Candidates in their new order, and the part of the score that their meaning is."""

    documents: list[ScoredDocument]
    shares: Mapping[int, float] = field(default_factory=dict)

    def why(self, number: int, by_words: Sequence[Reason]) -> tuple[Reason, ...]:
        """Why a document was found, its meaning included."""
        share = self.shares.get(number, 0.0)
        if not share:
            return tuple(by_words)
        reasons = [
            Reason(reason.kind, reason.words, round(reason.share * (1 - share), 3))
            for reason in by_words
        ]
        reasons.append(Reason("vector", (), round(share, 3)))
        return tuple(sorted(reasons, key=lambda reason: -reason.share))


def rerank(
    engine: Engine, synced: SyncedIndex, query: str, candidates: list[ScoredDocument]
) -> Reranked:
    """The candidates by words and meaning; as they are if the embedder fails, which is logged."""
    vectors = engine.component(Vectors)
    if vectors.embedder is None or not candidates:
        return Reranked(candidates)
    best, rest = candidates[:DEPTH], candidates[DEPTH:]
    try:
        rows = _rows(engine, synced, vectors, [document.number for document in best])
        if not rows:
            return Reranked(candidates)
        query_vector = vectors.of_query(query)
        cosines = {number: query_vector.cosine(row) for number, row in rows.items()}
    except EmbedderFault as fault:
        log_fault(fault)
        return Reranked(candidates)
    return _mixed(best, rest, _rescaled(cosines))


def _mixed(
    best: list[ScoredDocument], rest: list[ScoredDocument], likeness: Mapping[int, float]
) -> Reranked:
    top = best[0].score or 1.0
    added = {document.number: WEIGHT * likeness.get(document.number, 0.0) for document in best}
    mixed = [ScoredDocument(number, score + top * added[number]) for number, score in best]
    mixed.sort(key=lambda document: -document.score)
    shares = {number: top * added[number] / (score or 1.0) for number, score in mixed}
    return Reranked([*mixed, *rest], shares)


def _rescaled(cosines: Mapping[int, float]) -> dict[int, float]:
    """From 0 for the one that is least like the question to 1 for the likest."""
    least, most = min(cosines.values()), max(cosines.values())
    span = most - least
    return {number: (cosine - least) / span if span else 0.0 for number, cosine in cosines.items()}


def _rows(
    engine: Engine, synced: SyncedIndex, vectors: Vectors, numbers: list[int]
) -> dict[int, Vector]:
    """The vectors of documents, kept or made now; empty if too many are still to be made."""
    index = synced.index
    facts = [n for n in numbers if index.flags[n] & FACT]
    turns = [n for n in numbers if not index.flags[n] & FACT]
    name = None if vectors.embedder is None else vectors.embedder.name
    rows = {} if name is None else _stored_rows(synced, name, turns)
    missing = [n for n in turns if n not in rows]
    if name is not None and len(missing) > MAX_ON_THE_WAY:
        return {}
    texts = dict(passages(engine, synced, missing))
    texts |= {n: text for n in facts if (text := synced.facts.text(n))}
    return rows | dict(zip(texts, vectors.of_passages(list(texts.values())), strict=True))


def _stored_rows(synced: SyncedIndex, name: str, numbers: Iterable[int]) -> dict[int, Vector]:
    rows: dict[int, Vector] = {}
    candidates = list(numbers)
    for head in synced.heads.segments:
        stored = synced.stored.get(head.id)
        if head.vectors != name or not isinstance(stored, range):
            continue
        places = {n - stored.start: n for n in candidates if n in stored}
        vectors = vector_pieces.read(synced.reader.vectors, head, places)
        rows |= {places[place]: row for place, row in vectors.items()}
    return rows
