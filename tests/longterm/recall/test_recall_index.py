"""The index itself: what grew says the same as what was built anew."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from threadkeep.longterm.recall import analyzer
from threadkeep.longterm.recall import query as question
from threadkeep.longterm.recall.index import RecallIndex
from threadkeep.longterm.recall.search import Search
from threadkeep.types import Item
from threadkeep.types.knowledge import Fact, Source
from threadkeep.types.timestamps import utc_datetime

WORDS = ("kite", "red", "boat", "bought", "Ada", "May", "garage", "seven")
NAMES = (None, "Ada", "Ben")

text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
turn = st.builds(
    lambda said, asks, name, day: (said + ("?" if asks else "."), name, day),
    text,
    st.booleans(),
    st.sampled_from(NAMES),
    st.integers(0, 3),
)
step = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 2), turn),
    st.tuples(st.just("drop"), st.integers(0, 40)),
    st.tuples(st.just("edit"), st.integers(0, 40), turn),
    st.tuples(st.just("fact"), text, st.integers(0, 40)),
    st.tuples(st.just("compact")),
)


def document(session, seq, said):
    words, name, day = said
    at = utc_datetime(1_715_000_000 + 86_400 * day)
    item = Item(id=f"{session}-{seq}", seq=seq, name=name, content=words, created_at=at)
    return analyzer.item_document(session, item, 0.0)


def fact(number, words, of):
    source = Source(*of) if of else None
    at = utc_datetime(1_715_000_000 + number)
    return analyzer.fact_document(
        Fact(f"f{number}", words, (source,) if source else (), observed_at=at), "default"
    )


class Grown:
    """An index that is changed step by step, and a list of what is in it."""

    def __init__(self):
        self.index = RecallIndex()
        self.there = {}
        self.facts = []
        self.seq = 0

    def take(self, action, *how):
        getattr(self, f"_{action}")(*how)

    def _add(self, session, said):
        self.seq += 1
        self.there[f"s{session}", self.seq] = said
        self.index.add(document(f"s{session}", self.seq, said))

    def _number(self, key):
        found = [n for n in self.index.of_origin(key[0]) if self.index.seqs[n] == key[1]]
        assert len(found) == 1
        return found[0]

    def _drop(self, which):
        if self.there:
            key = sorted(self.there)[which % len(self.there)]
            self.index.remove([self._number(key)])
            del self.there[key]

    def _edit(self, which, said):
        if self.there:
            key = sorted(self.there)[which % len(self.there)]
            self.index.remove([self._number(key)])
            self.index.add(document(key[0], key[1], said))
            self.there[key] = said

    def _fact(self, words, which):
        of = None
        if self.there:
            session, seq = sorted(self.there)[which % len(self.there)]
            of = session, f"{session}-{seq}"
        self.facts.append((len(self.facts), words, of))
        self.index.add_facts([fact(*self.facts[-1])])

    def _compact(self):
        self.index._compact()

    def rebuilt(self):
        index = RecallIndex()
        index.add_facts([fact(*one) for one in reversed(self.facts)])
        for key in sorted(self.there, reverse=True):
            index.add(document(key[0], key[1], self.there[key]))
        return index


def answers(index, asked):
    found = Search(index, question.parse_query(asked)).best(50)
    place = index.origin_names.values
    return [(place[index.origins[n]], index.seqs[n], score) for n, score in found]


@settings(max_examples=150)
@given(st.lists(step, max_size=40), text)
def test_an_index_that_grew_answers_as_one_that_was_built_anew(steps, asked):
    grown = Grown()
    for one in steps:
        grown.take(*one)
    for query in (asked, f"When did Ada buy a {asked}?"):
        assert answers(grown.index, query) == answers(grown.rebuilt(), query)


def test_a_large_index_answers_within_its_budget_as_one_that_looks_at_everything():
    index = RecallIndex()
    for n in range(6_000):
        said = f"item{n % 50} thing{n % 7} stuff{n % 3}" + (" rare" if n % 1_000 == 1 else "")
        index.add(document(f"s{n % 40}", n + 1, (said, None, 0)))
    asked = question.parse_query("rare item1 stuff1 thing1")
    whole = Search(index, asked, budget=10**9).best(5)
    quick = Search(index, asked, budget=300).best(5)
    assert [found.number for found in quick] == [found.number for found in whole]
    assert quick == whole


def test_a_word_that_everything_has_is_looked_up_in_the_newest():
    index = RecallIndex()
    for n in range(500):
        index.add(document("s", n + 1, ("kite", None, 0)))
    found = Search(index, question.parse_query("kite"), budget=100).best(10)
    assert len(found) == 10
    assert min(one.number for one in found) >= 390


def test_a_question_about_an_old_session_is_not_lost_behind_newer_ones():
    index = RecallIndex()
    for n in range(400):
        index.add(document(f"s{n // 10}", n + 1, ("kite", None, 0)))
    found = Search(index, question.parse_query("kite", session="s0"), budget=50).best(20)
    assert sorted(one.number for one in found) == list(range(10))
