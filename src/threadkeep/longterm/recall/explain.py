"""Why a document was found: what each word of the question gave it, and by which way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from threadkeep.longterm.recall import parameters
from threadkeep.longterm.recall.hits import Reason, ReasonKind
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.scoring import LabelMatches, StemScores

_LEAST_SHARE: Final = 0.01
"""Shares of the score below which a reason is none."""


class WeighedWord(NamedTuple):
    """One word of a question, what it gives to some documents, and what a hit of it is worth."""

    written: str
    rarity: float
    scores: StemScores
    labels: LabelMatches


Field = Literal["words", "neighbours", "speaker", "date", "facts"]


def field_counts(
    index: RecallIndex, n: int, word: WeighedWord, average: float
) -> dict[Field, float]:
    """How often a word counts for a document, by the field it stands in; before saturation."""
    stem_scores, label_matches = word.scores, word.labels
    own_length = index.statement_lengths[n] + index.question_lengths[n]
    context_units = stem_scores.units_by_document.get(n, 0)
    count_by_field: dict[Field, float] = {
        "words": stem_scores.words_by_document.get(n, 0.0)
        / max(1.0, own_length / parameters.PIVOT),
        "facts": parameters.FACT * stem_scores.fact_words_by_document.get(n, 0),
    }
    if label_matches.any:
        count_by_field["speaker"] = parameters.SPEAKER * label_matches.is_speaker(n)
        count_by_field["date"] = parameters.DATE * label_matches.is_date(n)
        context_units += label_matches.context_units(n)
    count_by_field["neighbours"] = context_units / (
        parameters.UNIT * neighbourhood_size(index.context_lengths[n], average)
    )
    return count_by_field


def neighbourhood_size(context_length: int, average: float) -> float:
    """How much a neighbourhood of a length takes from what it gives."""
    return 1 - parameters.CONTEXT_LENGTH + parameters.CONTEXT_LENGTH * context_length / average


def saturated(count: float) -> float:
    """What a count is worth: from about two on, more says little."""
    return count * (parameters.SATURATION + 1) / (count + parameters.SATURATION)


def reasons(
    index: RecallIndex, n: int, words: Sequence[WeighedWord], average: float
) -> tuple[Reason, ...]:
    """Why a document was found, what gave most first; the shares add up to about 1."""
    score_by_kind: dict[ReasonKind, float] = {}
    words_by_reason_kind: dict[ReasonKind, list[str]] = {}
    for word in words:
        count_by_field = field_counts(index, n, word, average)
        total_count = sum(count_by_field.values())
        for field, field_count in count_by_field.items():
            if field_count:
                score_by_kind[field] = (
                    score_by_kind.get(field, 0.0)
                    + word.rarity * saturated(total_count) * field_count / total_count
                )
                words_by_reason_kind.setdefault(field, []).append(word.written)
    return shares(score_by_kind, words_by_reason_kind)


def shares(
    scores: dict[ReasonKind, float], words: dict[ReasonKind, list[str]]
) -> tuple[Reason, ...]:
    """What each kind gave as a share of all, the largest first; hardly anything is left out."""
    total_score = sum(scores.values())
    significant_reasons = (
        Reason(reason_kind, tuple(words.get(reason_kind, ())), round(kind_score / total_score, 3))
        for reason_kind, kind_score in scores.items()
        if kind_score >= _LEAST_SHARE * total_score
    )
    return tuple(sorted(significant_reasons, key=lambda reason: -reason.share))


def reach(index: RecallIndex, numbers: Iterable[int]) -> set[int]:
    """Some documents, those whose words reach them, and the facts learned from them."""
    document_numbers = set(numbers)
    for document_number in tuple(document_numbers):
        document_numbers.update(index.neighbours(document_number))
    reached_facts = (
        fact
        for fact, source_documents in index.sources_by_fact.items()
        if not document_numbers.isdisjoint(source_documents)
    )
    return document_numbers.union(reached_facts)
