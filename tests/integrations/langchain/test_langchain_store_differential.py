"""`ThreadkeepStore` beside LangGraph's own `InMemoryStore`, whatever is done to both."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.store.base import (
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore

import threadkeep
from langchain_threadkeep import ThreadkeepStore
from tests.integrations.langchain.chains import Clock

LABELS = st.sampled_from(["a", "b", "users", "ü/%", "a b", "="])
NAMESPACES = st.lists(LABELS, min_size=1, max_size=3).map(tuple)
KEYS = st.sampled_from(["k", "", "=x", "long " * 200, "\ud83d", "n\0l"])
VALUES = st.dictionaries(
    st.sampled_from(["n", "s", "d"]),
    st.integers(-2, 2)
    | st.sampled_from(["x", "y", None, True, 1.5])
    | st.dictionaries(st.sampled_from(["n", "s"]), st.integers(-2, 2), max_size=2)
    | st.lists(st.integers(0, 1), max_size=2),
    max_size=3,
)
OPERATORS = st.dictionaries(
    st.sampled_from(["$eq", "$ne"]), st.integers(-1, 1), min_size=1, max_size=2
)
FILTERS = st.none() | st.dictionaries(
    st.sampled_from(["n", "s", "d"]),
    st.integers(-2, 2)
    | st.sampled_from(["x", None])
    | OPERATORS
    | st.dictionaries(st.sampled_from(["n", "s"]), st.integers(-2, 2) | OPERATORS, max_size=1)
    | st.lists(st.integers(0, 1), max_size=2),
    max_size=2,
)
PUTS = st.builds(PutOp, NAMESPACES, KEYS, VALUES | st.none(), index=st.none(), ttl=st.none())
GETS = st.builds(GetOp, NAMESPACES, KEYS, st.booleans())
PREFIXES = st.lists(LABELS, max_size=2).map(tuple)
SEARCHES = st.builds(
    SearchOp, PREFIXES, FILTERS, st.integers(0, 50), st.integers(0, 3), st.none(), st.booleans()
)
PATHS = st.lists(LABELS | st.just("*"), min_size=1, max_size=2).map(tuple)
CONDITIONS = st.lists(
    st.builds(MatchCondition, match_type=st.sampled_from(["prefix", "suffix"]), path=PATHS),
    max_size=2,
).map(tuple)
LISTS = st.builds(
    ListNamespacesOp,
    CONDITIONS | st.none(),
    st.integers(1, 3) | st.none(),
    st.integers(0, 10),
    st.integers(0, 2),
)
BATCHES = st.lists(st.lists(PUTS | GETS | SEARCHES | LISTS, max_size=6), max_size=8)


def seen(result):
    """A result without its dates."""
    if isinstance(result, list):
        return [seen(one) for one in result]
    if result is None or isinstance(result, tuple):
        return result
    return result.namespace, result.key, result.value


def agree(op, ours, theirs, oracle):
    """Namespaces that are empty are none to us, and no order is promised between several."""
    if isinstance(op, ListNamespacesOp):
        held = {ns: items for ns, items in oracle._data.items() if items}
        known = InMemoryStore()
        known._data.update(held)
        assert seen(ours) == seen(known.batch([op])[0])
    elif isinstance(op, SearchOp):
        whole = seen(oracle.batch([op._replace(limit=10_000, offset=0)])[0])
        ordered = seen(ours)
        assert len(ordered) == len(seen(theirs))
        for namespace in {ns for ns, _, _ in ordered}:
            mine = [one for one in ordered if one[0] == namespace]
            places = [whole.index(one) for one in mine]
            assert places == sorted(places)
        if len({ns for ns, _, _ in whole}) <= 1:
            assert ordered == seen(theirs)
    else:
        assert seen(ours) == seen(theirs)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(BATCHES)
def test_it_does_what_the_store_in_memory_does(batches):
    oracle = InMemoryStore()
    with threadkeep.connect("sqlite://", clock=Clock()) as memory:
        store = ThreadkeepStore(memory)
        for batch in batches:
            before = InMemoryStore()
            before._data.update({ns: dict(items) for ns, items in oracle._data.items()})
            theirs, ours = oracle.batch(batch), store.batch(batch)
            for op, mine, yours in zip(batch, ours, theirs, strict=True):
                agree(op, mine, yours, before)
        everything = seen(store.search((), limit=1_000))
        assert sorted(map(repr, everything)) == sorted(
            map(repr, seen(oracle.search((), limit=1_000)))
        )
