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
    shares_by_document: Mapping[int, float] = field(default_factory=dict)

    def why(self, number: int, by_words: Sequence[Reason]) -> tuple[Reason, ...]:
        """Why a document was found, its meaning included."""
        meaning_share = self.shares_by_document.get(number, 0.0)
        if not meaning_share:
            return tuple(by_words)
        reasons = [
            Reason(reason.kind, reason.words, round(reason.share * (1 - meaning_share), 3))
            for reason in by_words
        ]
        reasons.append(Reason("vector", (), round(meaning_share, 3)))
        return tuple(sorted(reasons, key=lambda reason: -reason.share))


def rerank(
    engine: Engine, synced: SyncedIndex, query: str, candidates: list[ScoredDocument]
) -> Reranked:
    """The candidates by words and meaning; as they are if the embedder fails, which is logged."""
    embedder_vectors = engine.component(Vectors)
    if embedder_vectors.embedder is None or not candidates:
        return Reranked(candidates)
    best_documents, remaining_documents = candidates[:DEPTH], candidates[DEPTH:]
    try:
        vector_by_document = _rows(
            engine, synced, embedder_vectors, [document.number for document in best_documents]
        )
        if not vector_by_document:
            return Reranked(candidates)
        query_vector = embedder_vectors.of_query(query)
        cosine_by_document = {
            document_number: query_vector.cosine(vector)
            for document_number, vector in vector_by_document.items()
        }
    except EmbedderFault as fault:
        log_fault(fault)
        return Reranked(candidates)
    return _mixed(best_documents, remaining_documents, _rescaled(cosine_by_document))


def _mixed(
    best_documents: list[ScoredDocument],
    remaining_documents: list[ScoredDocument],
    likeness_by_document: Mapping[int, float],
) -> Reranked:
    top_score = best_documents[0].score or 1.0
    meaning_by_document = {
        document.number: WEIGHT * likeness_by_document.get(document.number, 0.0)
        for document in best_documents
    }
    reranked_documents = [
        ScoredDocument(document_number, score + top_score * meaning_by_document[document_number])
        for document_number, score in best_documents
    ]
    reranked_documents.sort(key=lambda document: -document.score)
    share_by_document = {
        document_number: top_score * meaning_by_document[document_number] / (score or 1.0)
        for document_number, score in reranked_documents
    }
    return Reranked([*reranked_documents, *remaining_documents], share_by_document)


def _rescaled(cosine_by_document: Mapping[int, float]) -> dict[int, float]:
    """From 0 for the one that is least like the question to 1 for the likest."""
    lowest_cosine, highest_cosine = (
        min(cosine_by_document.values()),
        max(cosine_by_document.values()),
    )
    cosine_range = highest_cosine - lowest_cosine
    return {
        document_number: (cosine - lowest_cosine) / cosine_range if cosine_range else 0.0
        for document_number, cosine in cosine_by_document.items()
    }


def _rows(
    engine: Engine, synced: SyncedIndex, vectors: Vectors, numbers: list[int]
) -> dict[int, Vector]:
    """The vectors of documents, kept or made now; empty if too many are still to be made."""
    recall_index = synced.index
    fact_numbers = [
        document_number for document_number in numbers if recall_index.flags[document_number] & FACT
    ]
    turn_numbers = [
        document_number
        for document_number in numbers
        if not recall_index.flags[document_number] & FACT
    ]
    embedder_name = None if vectors.embedder is None else vectors.embedder.name
    vector_by_turn = (
        {} if embedder_name is None else _stored_rows(synced, embedder_name, turn_numbers)
    )
    turns_to_embed = [
        document_number for document_number in turn_numbers if document_number not in vector_by_turn
    ]
    if embedder_name is not None and len(turns_to_embed) > MAX_ON_THE_WAY:
        return {}
    text_by_document = dict(passages(engine, synced, turns_to_embed))
    text_by_document |= {
        document_number: text
        for document_number in fact_numbers
        if (text := synced.facts.text(document_number))
    }
    return vector_by_turn | dict(
        zip(text_by_document, vectors.of_passages(list(text_by_document.values())), strict=True)
    )


def _stored_rows(
    synced: SyncedIndex, embedder_name: str, document_numbers: Iterable[int]
) -> dict[int, Vector]:
    vector_by_document: dict[int, Vector] = {}
    turn_numbers = list(document_numbers)
    for segment_head in synced.heads.segments:
        segment_documents = synced.documents_by_segment.get(segment_head.id)
        if segment_head.vectors != embedder_name or not isinstance(segment_documents, range):
            continue
        number_by_offset = {
            document_number - segment_documents.start: document_number
            for document_number in turn_numbers
            if document_number in segment_documents
        }
        vector_by_offset = vector_pieces.read(synced.reader.vectors, segment_head, number_by_offset)
        vector_by_document |= {
            number_by_offset[row_offset]: vector for row_offset, vector in vector_by_offset.items()
        }
    return vector_by_document
