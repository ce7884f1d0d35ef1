"""Search: which documents of an index say most to a question; one BM25F over all labels.

The words of all fields of a document are added up first, and then saturated once. Rare words are
looked up first and open candidates; once a budget is spent, commoner ones only weigh those there
are, so that a question of very many documents takes little longer than one of some thousands.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from threadkeep.longterm.recall import explain, kin, parameters
from threadkeep.longterm.recall.analyzer import ASKS, FACT, FLAGS, TOOL
from threadkeep.longterm.recall.explain import WeighedWord, neighbourhood_size
from threadkeep.longterm.recall.hits import Reason
from threadkeep.longterm.recall.index import NONE, RecallIndex
from threadkeep.longterm.recall.query import RecallQuery
from threadkeep.longterm.recall.scoring import LabelMatches, StemScores
from threadkeep.longterm.recall.tokenizer import Word

POSTINGS_BUDGET: Final = 4_000
"""Postings that may open candidates."""
MAX_CANDIDATES: Final = 1_000
"""Candidates that are kept when the budget is spent."""
MAX_TERMS: Final = 40
"""Words of a long question that are looked for: the rarest of those that occur at all."""
SMALL_INDEX: Final = 3_000
"""Documents up to which names and dates alone may open candidates."""

_K: Final = parameters.SATURATION

KIN: Final = 0.25
"""What the kin of a word weigh that does not occur itself."""


class ScoredDocument(NamedTuple):
    """A document, and how well it answers."""

    number: int
    score: float


class Search:
    """One question, asked of one index."""

    def __init__(
        self, index: RecallIndex, query: RecallQuery, *, budget: int = POSTINGS_BUDGET
    ) -> None:
        self._index = index
        self._query = query
        # what is in few places may be behind all that a budget would open
        self._budget = len(index) * MAX_TERMS if query.filtered else budget
        self._allowed = self._filter() if query.filtered else None
        self._average = index.average or 1.0
        self._found_terms: list[_Term] | None = None
        self._scores: dict[int, float] = {}
        self._neighbourhood: set[int] = (
            set()
        )  # where words stand that reach the candidates that are kept

    def best(self, limit: int) -> list[ScoredDocument]:
        """The best so many, the best first; of equals the one that was said first."""
        remaining, late = self._budget, False
        for term in self._terms():
            size = len(term.postings)
            if not late and self._scores and size > remaining:
                late = True
                self._prune()
            self._weigh(term, late)
            remaining -= size
        return self._top(limit, [self._prior(flags) for flags in range(FLAGS)])

    def why(self, numbers: Sequence[int]) -> dict[int, tuple[Reason, ...]]:
        """What found each of some documents."""
        documents = sorted(explain.reach(self._index, numbers))
        words = []
        for term in self._terms():
            scores = StemScores(self._index)
            scores.add(term.postings.among(documents))
            rarity = term.weight * self._rarity(term.frequency)
            words.append(WeighedWord(term.written, rarity, scores, term.labels))
        return {n: explain.reasons(self._index, n, words, self._average) for n in numbers}

    def _terms(self) -> list[_Term]:
        """What is looked for, rare words first; last what only weighs what words have found."""
        if self._found_terms is not None:
            return self._found_terms
        terms = [_Term(self._index, word, written) for word, written in self._query.words]
        terms = [term if term.frequency or term.labels.any else self._kin(term) for term in terms]
        if len(terms) > MAX_TERMS:
            terms = heapq.nsmallest(MAX_TERMS, terms, key=lambda term: term.frequency or math.inf)
        self._found_terms = sorted(terms, key=lambda term: (term.labels.any, term.frequency))
        return self._found_terms

    def _kin(self, term: _Term) -> _Term:
        """For a word that does not occur, those that do and have much in common with it."""
        stems = kin.kin_of(term.word, self._index.vocabularies())
        return _Term(self._index, tuple(stems), term.written, KIN) if stems else term

    def _rank(self, document: ScoredDocument) -> tuple[float, float, str, int]:
        index, n = self._index, document.number
        origin = index.origin_names.values[index.origins[n]]
        return -document.score, index.times[n], origin, index.seqs[n]

    def _weigh(self, term: _Term, late: bool) -> None:
        """Add what a term is worth to all it touches; `late`, to the candidates there are."""
        index, stem_scores, labels = self._index, StemScores(self._index), term.labels
        if late:
            stem_scores.add(term.postings.among(self._neighbourhood))
        else:
            stem_scores.add(term.postings.newest(self._budget))
        touched = set(self._scores) if late or labels.any else set()
        if not late:
            touched |= stem_scores.touched()
        if labels.any and len(index) <= SMALL_INDEX:
            touched |= labels.documents()
        elif labels.any and not touched:
            touched = labels.documents(MAX_CANDIDATES)
        self._add(touched, stem_scores, labels, term.weight * self._rarity(term.frequency))

    def _add(
        self, touched: set[int], stem_scores: StemScores, labels: LabelMatches, rarity: float
    ) -> None:
        index, scores, average = self._index, self._scores, self._average
        statement_lengths, question_lengths, context_lengths = (
            index.statement_lengths,
            index.question_lengths,
            index.context_lengths,
        )
        direct, context_units, fact_counts = (
            stem_scores.direct,
            stem_scores.context_units,
            stem_scores.fact_counts,
        )
        for n in touched:
            f = direct.get(n, 0.0)
            if f:
                f /= max(1.0, (statement_lengths[n] + question_lengths[n]) / parameters.PIVOT)
            units = context_units.get(n, 0)
            if labels.any:
                f += labels.boost(n)
                units += labels.context_units(n)
            if units:
                f += units / (parameters.UNIT * neighbourhood_size(context_lengths[n], average))
            f += parameters.FACT * fact_counts.get(n, 0)
            if f:
                scores[n] = scores.get(n, 0.0) + rarity * f * (_K + 1) / (f + _K)

    def _rarity(self, frequency: int) -> float:
        return math.log(1 + (self._index.live_count - frequency + 0.5) / (frequency + 0.5))

    def _prior(self, flags: int) -> float:
        prior = 1 + parameters.KIND * sum(1 for kind in self._query.kinds if flags & kind)
        if flags & ASKS:
            prior -= parameters.QUESTION
        return prior * parameters.TOOL if flags & TOOL else prior

    def _prune(self) -> None:
        """Keep the most promising candidates."""
        survivors = self._top(MAX_CANDIDATES, [1.0] * FLAGS)
        self._scores = {document.number: document.score for document in survivors}
        self._neighbourhood = explain.reach(self._index, self._scores)

    def _top(self, limit: int, priors: list[float]) -> list[ScoredDocument]:
        """The candidates that score best, the best first."""
        flags, allowed = self._index.flags, self._allowed
        weighted = {n: score * priors[flags[n]] for n, score in self._scores.items()}
        if allowed is not None:
            weighted = {n: score for n, score in weighted.items() if allowed(n)}
        threshold = 0.0
        if len(weighted) > limit:  # few are worth to be told apart from their equals
            threshold = sorted(weighted.values(), reverse=True)[limit - 1]
        ranked = [ScoredDocument(n, score) for n, score in weighted.items() if score >= threshold]
        return sorted(ranked, key=self._rank)[:limit]

    def _filter(self) -> Callable[[int], bool]:
        index, query = self._index, self._query
        origin = index.origin_names.numbers.get(query.session, NONE)
        role = index.role_names.numbers.get(query.role, NONE)
        since = -math.inf if query.since is None else query.since
        until = math.inf if query.until is None else query.until

        def allowed(n: int) -> bool:
            return (
                (query.session is None or self._is_of(n, origin))
                and (query.role is None or index.roles[n] == role)
                and (query.kind is None or bool(index.flags[n] & FACT) == (query.kind == "fact"))
                and since <= index.times[n] < until
            )

        return allowed

    def _is_of(self, n: int, origin: int) -> bool:
        """Whether a document is of a session; a fact is of those that it was learned in."""
        index = self._index
        sources = index.sources.get(n, ())
        return index.origins[n] == origin or any(index.origins[m] == origin for m in sources)


class _Term:
    """A word of the question, as the index knows it."""

    def __init__(self, index: RecallIndex, word: Word, written: str, weight: float = 1.0) -> None:
        self.word = word
        self.written = written
        self.weight = weight
        self.postings = index.lookup(word)
        self.frequency = index.frequency(self.postings)
        self.labels = LabelMatches(index, word)
