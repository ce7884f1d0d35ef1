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
from threadkeep.longterm.recall.document_columns import NONE
from threadkeep.longterm.recall.explain import WeighedWord, neighbourhood_size
from threadkeep.longterm.recall.hits import Reason
from threadkeep.longterm.recall.index import RecallIndex
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
        self._scores_by_document: dict[int, float] = {}
        self._neighbourhood: set[int] = (
            set()
        )  # where words stand that reach the candidates that are kept

    def best(self, limit: int) -> list[ScoredDocument]:
        """The best so many, the best first; of equals the one that was said first."""
        remaining_budget, is_budget_spent = self._budget, False
        for term in self._terms():
            posting_count = len(term.postings)
            if (
                not is_budget_spent
                and self._scores_by_document
                and posting_count > remaining_budget
            ):
                is_budget_spent = True
                self._prune()
            self._weigh(term, is_budget_spent)
            remaining_budget -= posting_count
        return self._top(limit, [self._prior(flag_set) for flag_set in range(FLAGS)])

    def why(self, numbers: Sequence[int]) -> dict[int, tuple[Reason, ...]]:
        """What found each of some documents."""
        reached_documents = sorted(explain.reach(self._index, numbers))
        weighed_words = []
        for term in self._terms():
            stem_scores = StemScores(self._index)
            stem_scores.add(term.postings.among(reached_documents))
            rarity = term.weight * self._rarity(term.frequency)
            weighed_words.append(WeighedWord(term.written, rarity, stem_scores, term.labels))
        return {
            document_number: explain.reasons(
                self._index, document_number, weighed_words, self._average
            )
            for document_number in numbers
        }

    def _terms(self) -> list[_Term]:
        """What is looked for, rare words first; last what only weighs what words have found."""
        if self._found_terms is not None:
            return self._found_terms
        terms = [_Term(self._index, word, spelling) for word, spelling in self._query.words]
        terms = [term if term.frequency or term.labels.any else self._kin(term) for term in terms]
        if len(terms) > MAX_TERMS:
            terms = heapq.nsmallest(MAX_TERMS, terms, key=lambda term: term.frequency or math.inf)
        self._found_terms = sorted(terms, key=lambda term: (term.labels.any, term.frequency))
        return self._found_terms

    def _kin(self, term: _Term) -> _Term:
        """For a word that does not occur, those that do and have much in common with it."""
        kin_stems = kin.kin_of(term.word, self._index.vocabularies())
        return _Term(self._index, tuple(kin_stems), term.written, KIN) if kin_stems else term

    def _rank(self, document: ScoredDocument) -> tuple[float, float, str, int]:
        recall_index, document_number = self._index, document.number
        origin_id = recall_index.origin_names.values[recall_index.origins[document_number]]
        return (
            -document.score,
            recall_index.times[document_number],
            origin_id,
            recall_index.seqs[document_number],
        )

    def _weigh(self, term: _Term, is_budget_spent: bool) -> None:
        """Add what a term is worth to all it touches; `late`, to the candidates there are."""
        recall_index, stem_scores, labels = self._index, StemScores(self._index), term.labels
        if is_budget_spent:
            stem_scores.add(term.postings.among(self._neighbourhood))
        else:
            stem_scores.add(term.postings.newest(self._budget))
        touched_documents = (
            set(self._scores_by_document) if is_budget_spent or labels.any else set()
        )
        if not is_budget_spent:
            touched_documents |= stem_scores.touched()
        if labels.any and len(recall_index) <= SMALL_INDEX:
            touched_documents |= labels.documents()
        elif labels.any and not touched_documents:
            touched_documents = labels.documents(MAX_CANDIDATES)
        self._add(
            touched_documents, stem_scores, labels, term.weight * self._rarity(term.frequency)
        )

    def _add(
        self,
        touched_numbers: set[int],
        stem_scores: StemScores,
        labels: LabelMatches,
        rarity: float,
    ) -> None:
        recall_index, scores_by_document = self._index, self._scores_by_document
        statement_lengths, question_lengths = (
            recall_index.statement_lengths,
            recall_index.question_lengths,
        )
        words_by_document, units_by_document = (
            stem_scores.words_by_document,
            stem_scores.units_by_document,
        )
        fact_words_by_document = stem_scores.fact_words_by_document
        context_lengths, average_length = recall_index.context_lengths, self._average
        for number in touched_numbers:
            term_frequency = words_by_document.get(number, 0.0)
            if term_frequency:
                own_length = statement_lengths[number] + question_lengths[number]
                term_frequency /= max(1.0, own_length / parameters.PIVOT)
            neighbour_units = units_by_document.get(number, 0)
            if labels.any:
                term_frequency += labels.boost(number)
                neighbour_units += labels.context_units(number)
            if neighbour_units:
                context_size = neighbourhood_size(context_lengths[number], average_length)
                term_frequency += neighbour_units / (parameters.UNIT * context_size)
            term_frequency += parameters.FACT * fact_words_by_document.get(number, 0)
            if term_frequency:
                term_score = rarity * term_frequency * (_K + 1) / (term_frequency + _K)
                scores_by_document[number] = scores_by_document.get(number, 0.0) + term_score

    def _rarity(self, frequency: int) -> float:
        return math.log(1 + (self._index.live_count - frequency + 0.5) / (frequency + 0.5))

    def _prior(self, flags: int) -> float:
        prior = 1 + parameters.KIND * sum(1 for kind_flag in self._query.kinds if flags & kind_flag)
        if flags & ASKS:
            prior -= parameters.QUESTION
        return prior * parameters.TOOL if flags & TOOL else prior

    def _prune(self) -> None:
        """Keep the most promising candidates."""
        survivors = self._top(MAX_CANDIDATES, [1.0] * FLAGS)
        self._scores_by_document = {document.number: document.score for document in survivors}
        self._neighbourhood = explain.reach(self._index, self._scores_by_document)

    def _top(self, max_count: int, priors: list[float]) -> list[ScoredDocument]:
        """The candidates that score best, the best first."""
        document_flags, is_allowed = self._index.flags, self._allowed
        score_by_document = {
            document_number: score * priors[document_flags[document_number]]
            for document_number, score in self._scores_by_document.items()
        }
        if is_allowed is not None:
            score_by_document = {
                document_number: score
                for document_number, score in score_by_document.items()
                if is_allowed(document_number)
            }
        score_threshold = 0.0
        if len(score_by_document) > max_count:  # few are worth to be told apart from their equals
            score_threshold = sorted(score_by_document.values(), reverse=True)[max_count - 1]
        best_documents = [
            ScoredDocument(document_number, score)
            for document_number, score in score_by_document.items()
            if score >= score_threshold
        ]
        return sorted(best_documents, key=self._rank)[:max_count]

    def _filter(self) -> Callable[[int], bool]:
        recall_index, query = self._index, self._query
        origin_number = recall_index.origin_names.numbers_by_value.get(query.session, NONE)
        role_number = recall_index.role_names.numbers_by_value.get(query.role, NONE)
        start_time = -math.inf if query.since is None else query.since
        end_time = math.inf if query.until is None else query.until

        def allowed(n: int) -> bool:
            return (
                (query.session is None or self._is_of(n, origin_number))
                and (query.role is None or recall_index.roles[n] == role_number)
                and (
                    query.kind is None
                    or bool(recall_index.flags[n] & FACT) == (query.kind == "fact")
                )
                and start_time <= recall_index.times[n] < end_time
            )

        return allowed

    def _is_of(self, n: int, origin: int) -> bool:
        """Whether a document is of a session; a fact is of those that it was learned in."""
        recall_index = self._index
        source_documents = recall_index.sources_by_fact.get(n, ())
        return recall_index.origins[n] == origin or any(
            recall_index.origins[source_document] == origin for source_document in source_documents
        )


class _Term:
    """A word of the question, as the index knows it."""

    def __init__(
        self, recall_index: RecallIndex, word: Word, written: str, weight: float = 1.0
    ) -> None:
        self.word = word
        self.written = written
        self.weight = weight
        self.postings = recall_index.lookup(word)
        self.frequency = recall_index.frequency(self.postings)
        self.labels = LabelMatches(recall_index, word)
