"""Search: which documents of an index say most to a question; one BM25F over all labels.

The words of all fields of a document are added up first, and then saturated once. Rare words are
looked up first and open candidates; once a budget is spent, commoner ones only weigh those there
are, so that a question of very many documents takes little longer than one of some thousands.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from threadkeep.longterm.recall import parameters
from threadkeep.longterm.recall.analyzer import ASKS, FLAGS, TOOL
from threadkeep.longterm.recall.index import NONE, Index
from threadkeep.longterm.recall.query import Question
from threadkeep.longterm.recall.scoring import Labels, Spread

BUDGET: Final = 4_000
"""Postings that may open candidates."""
KEEP: Final = 1_000
"""Candidates that are kept when the budget is spent."""
TERMS: Final = 40
"""Words of a long question that are looked for: the rarest of those that occur at all."""
SMALL: Final = 3_000
"""Documents up to which names and dates alone may open candidates."""

_K: Final = parameters.SATURATION
_ROOT: Final = 5
"""Letters that two stems must begin with alike to be kin."""


class Found(NamedTuple):
    """A document, and how well it answers."""

    number: int
    score: float


class Search:
    """One question, asked of one index."""

    def __init__(self, index: Index, question: Question, *, budget: int = BUDGET) -> None:
        self._index = index
        self._question = question
        # what is in few places may be behind all that a budget would open
        self._budget = len(index) * TERMS if question.filtered else budget
        self._allowed = self._allows() if question.filtered else None
        self._average = index.average or 1.0
        self._scores: dict[int, float] = {}
        self._nearby: set[int] = set()  # where words stand that reach the candidates that are kept

    def best(self, most: int) -> list[Found]:
        """The best so many, the best first; of equals the one that was said first."""
        left, late = self._budget, False
        for term in self._terms():
            size = len(term.postings) if term.postings else 0
            if not late and self._scores and size > left:
                late = True
                self._prune()
            self._weigh(term, late)
            left -= size
        return self._top(most, [self._prior(flags) for flags in range(FLAGS)])

    def _terms(self) -> list[_Term]:
        """What is looked for, rare words first; last what only weighs what words have found."""
        terms = [_Term(self._index, stem) for stem in self._question.stems]
        if not any(term.frequency or term.labels.any for term in terms):
            terms = [_Term(self._index, stem) for stem in self._kin()]
        if len(terms) > TERMS:
            terms = heapq.nsmallest(TERMS, terms, key=lambda term: term.frequency or math.inf)
        return sorted(terms, key=lambda term: (term.labels.any, term.frequency))

    def _kin(self) -> list[str]:
        """Stems of which one of the question's is the beginning, or the other way round.

        For a question none of whose own stems occurs: allergies and allergic have two.
        """
        asked = [stem for stem in self._question.stems if len(stem) >= _ROOT]
        return sorted(
            stem
            for stem in self._index.postings
            if len(stem) >= _ROOT
            and any(stem.startswith(one) or one.startswith(stem) for one in asked)
        )

    def _rank(self, found: Found) -> tuple[float, float, str, int]:
        index, n = self._index, found.number
        place = index.place_names.values[index.places[n]]
        return -found.score, index.whens[n], place, index.seqs[n]

    def _weigh(self, term: _Term, late: bool) -> None:
        """Add what a term is worth to all it touches; `late`, to the candidates there are."""
        index, spread, labels = self._index, Spread(self._index), term.labels
        if late:
            spread.add(term.among(self._nearby))
        else:
            spread.add(term.newest(self._budget))
        touched = set(self._scores) if late or labels.any else set()
        if not late:
            touched |= spread.touched()
        if labels.any and len(index) <= SMALL:
            touched |= labels.documents()
        elif labels.any and not touched:
            touched = labels.documents(KEEP)
        self._add(touched, spread, labels, self._rarity(term.frequency))

    def _add(self, touched: set[int], spread: Spread, labels: Labels, rarity: float) -> None:
        index, scores = self._index, self._scores
        stated, asked, around = index.stated, index.asked, index.around
        own, near, told = spread.own, spread.near, spread.told
        for n in touched:
            f = own.get(n, 0.0)
            if f:
                f /= max(1.0, (stated[n] + asked[n]) / parameters.PIVOT)
            units = near.get(n, 0)
            if labels.any:
                f += labels.worth(n)
                units += labels.near(n)
            if units:
                f += units / (parameters.UNIT * self._size(around[n]))
            f += parameters.FACT * told.get(n, 0)
            if f:
                scores[n] = scores.get(n, 0.0) + rarity * f * (_K + 1) / (f + _K)

    def _size(self, around: int) -> float:
        return 1 - parameters.AROUND + parameters.AROUND * around / self._average

    def _rarity(self, frequency: int) -> float:
        return math.log(1 + (self._index.live - frequency + 0.5) / (frequency + 0.5))

    def _prior(self, flags: int) -> float:
        prior = 1 + parameters.KIND * sum(1 for kind in self._question.kinds if flags & kind)
        if flags & ASKS:
            prior -= parameters.QUESTION
        return prior * parameters.TOOL if flags & TOOL else prior

    def _prune(self) -> None:
        """Keep the most promising candidates."""
        kept = self._top(KEEP, [1.0] * FLAGS)
        self._scores = {found.number: found.score for found in kept}
        self._nearby = self._around()

    def _top(self, most: int, priors: list[float]) -> list[Found]:
        """The candidates that score best, the best first."""
        flags, allowed = self._index.flags, self._allowed
        worth = {n: score * priors[flags[n]] for n, score in self._scores.items()}
        if allowed is not None:
            worth = {n: score for n, score in worth.items() if allowed(n)}
        least = 0.0
        if len(worth) > most:  # few are worth to be told apart from their equals
            least = sorted(worth.values(), reverse=True)[most - 1]
        found = [Found(n, score) for n, score in worth.items() if score >= least]
        return sorted(found, key=self._rank)[:most]

    def _around(self) -> set[int]:
        """The candidates, those whose words reach them, and the facts learned from them."""
        index = self._index
        found = set(self._scores)
        for n in tuple(found):
            found.update(index.reaching(n))
        learned = (fact for fact, of in index.sources.items() if not found.isdisjoint(of))
        return found.union(learned)

    def _allows(self) -> Callable[[int], bool]:
        index, asked = self._index, self._question
        place = index.place_names.numbers.get(asked.session, NONE)
        role = index.role_names.numbers.get(asked.role, NONE)
        since = -math.inf if asked.since is None else asked.since
        until = math.inf if asked.until is None else asked.until

        def allowed(n: int) -> bool:
            return (
                (asked.session is None or self._is_of(n, place))
                and (asked.role is None or index.roles[n] == role)
                and since <= index.whens[n] < until
            )

        return allowed

    def _is_of(self, n: int, place: int) -> bool:
        """Whether a document is of a session; a fact is of those that it was learned in."""
        index = self._index
        learned = index.sources.get(n, ())
        return index.places[n] == place or any(index.places[m] == place for m in learned)


class _Term:
    """A stem of the question, as the index knows it."""

    def __init__(self, index: Index, stem: str) -> None:
        self.postings = index.postings.get(stem)
        self.frequency = index.frequency(stem)
        self.labels = Labels(index, stem)

    def newest(self, most: int) -> Iterable[tuple[int, int]]:
        """Its last so many postings."""
        return self.postings.newest(most) if self.postings else ()

    def among(self, documents: Iterable[int]) -> Iterable[tuple[int, int]]:
        """Its postings among some documents."""
        return self.postings.among(documents) if self.postings else ()
