"""`ThreadkeepStore` beside LangGraph's own `InMemoryStore`, whatever is done to both."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
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

EXAMPLES = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "120"))
FEW = settings(max_examples=EXAMPLES)
MANY = settings(max_examples=5_000)
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


def outcome(operation, store):
    """What a call returns, or the type of its error."""
    try:
        return seen(operation(store))
    except Exception as error:
        return type(error)


def check_batches(batches):
    oracle = InMemoryStore()
    with threadkeep.connect("memory://", clock=Clock()) as memory:
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


@FEW
@given(BATCHES)
def test_it_does_what_the_store_in_memory_does(batches):
    check_batches(batches)


@pytest.mark.soak
@MANY
@given(BATCHES)
def test_it_does_what_the_store_in_memory_does_in_many_batches(batches):
    check_batches(batches)


NAMES = st.sampled_from(["get", "put", "put", "delete", "search", "list_namespaces"])
ODD_LABELS = LABELS | st.sampled_from(["", "langgraph", "a/b"])
ODD_NAMESPACES = st.lists(ODD_LABELS, max_size=2).map(tuple)
NUMBERS = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in"])
NUMBER_FILTERS = st.dictionaries(st.just("n"), st.dictionaries(NUMBERS, st.integers(-1, 1)))
NUMBER_VALUES = st.none() | st.dictionaries(st.just("n"), st.integers(-2, 2), min_size=1)
CALLS = st.tuples(NAMES, ODD_NAMESPACES, KEYS, NUMBER_VALUES, NUMBER_FILTERS)


def operation(name, namespace, key, value, filter):
    """A call of a store's own methods, which check what they are given."""
    match name:
        case "put":
            return lambda store: store.put(namespace, key, value)
        case "search":
            return lambda store: store.search(namespace[:1], filter=filter, limit=1_000)
        case "list_namespaces":
            return lambda store: store.list_namespaces(prefix=namespace[:1], max_depth=1)
    return lambda store: getattr(store, name)(namespace, key)


def check_calls(calls):
    oracle = InMemoryStore()
    with threadkeep.connect("memory://", clock=Clock()) as memory:
        store = ThreadkeepStore(memory)
        for call in calls:
            theirs, ours = outcome(operation(*call), oracle), outcome(operation(*call), store)
            if isinstance(theirs, list) and call[0] != "list_namespaces":
                theirs, ours = sorted(theirs, key=repr), sorted(ours, key=repr)
            assert ours == theirs
            for empty in [ns for ns, items in oracle._data.items() if not items]:
                del oracle._data[empty]  # which theirs lists, and ours does not


@FEW
@given(st.lists(CALLS, max_size=12))
def test_its_own_methods_answer_and_refuse_as_those_of_the_store_in_memory(calls):
    check_calls(calls)


def test_a_filter_by_order_passes_over_values_that_are_no_numbers():
    """`no numbers`: in memory, one such value in the namespace ends the whole search."""
    oracle = InMemoryStore()
    with threadkeep.connect("memory://") as memory:
        store = ThreadkeepStore(memory)
        for key, value in (("k", {"n": 2}), ("l", {"n": "x"}), ("m", {"other": 1})):
            for each in (oracle, store):
                each.put(("a",), key, value)
        with pytest.raises((TypeError, ValueError)):
            oracle.search(("a",), filter={"n": {"$gt": 1}})
        assert seen(store.search(("a",), filter={"n": {"$gt": 1}})) == [(("a",), "k", {"n": 2})]


@pytest.mark.soak
@MANY
@given(st.lists(CALLS, max_size=40))
def test_its_own_methods_answer_as_those_of_the_store_in_memory_in_many_calls(calls):
    check_calls(calls)
