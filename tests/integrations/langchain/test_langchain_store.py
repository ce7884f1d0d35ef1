"""`ThreadkeepStore`: the verbs, lives, odd names, many at once."""

from __future__ import annotations

import asyncio
import itertools
import math
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.tools import tool
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
)

import threadkeep
from langchain_threadkeep import ThreadkeepStore
from tests.integrations.langchain.chains import Clock, user
from threadkeep.errors import ConfigError, InputError


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db", clock=clock) as memory:
        yield ThreadkeepStore(memory)


def test_the_verbs(store):
    store.put(("users", "ada"), "food", {"likes": "figs", "n": 3})
    store.put(("users", "ada"), "city", {"likes": "Lisbon", "n": 5})
    store.put(("users", "bob"), "food", {"likes": "nuts", "n": 1})
    item = store.get(("users", "ada"), "food")
    assert (item.value, item.key, item.namespace) == (
        {"likes": "figs", "n": 3}, "food", ("users", "ada"),
    )  # fmt: skip
    assert item.created_at.tzinfo is not None
    assert [hit.key for hit in store.search(("users", "ada"))] == ["food", "city"]
    assert len(store.search(("users",), limit=2)) == 2
    assert [hit.key for hit in store.search(("users",), filter={"n": {"$gt": 3}})] == ["city"]
    assert [hit.value["n"] for hit in store.search(("users",), filter={"n": {"$lte": 3.0}})] == [
        3,
        1,
    ]
    assert store.search(("users",), filter={"likes": {"$gt": 3}}) == []
    assert store.list_namespaces(prefix=("users",)) == [("users", "ada"), ("users", "bob")]
    assert store.list_namespaces(suffix=("bob",), max_depth=1) == [("users",)]
    store.delete(("users", "bob"), "food")
    assert store.list_namespaces() == [("users", "ada")]


def test_an_update_keeps_when_it_began(store):
    store.put(("a",), "k", {"n": 1})
    first = store.get(("a",), "k")
    store.put(("a",), "k", {"n": 2})
    second = store.get(("a",), "k")
    assert second.created_at == first.created_at
    assert second.updated_at > first.updated_at


def test_addresses_of_users_are_labels(store):
    places = [("users", "ada@x.com"), ("users", "ada@x", "com"), ("users", "ada@x.com", "a/b")]
    for number, place in enumerate(places):
        store.put(place, "k", {"n": number})
    assert [store.get(place, "k").value["n"] for place in places] == [0, 1, 2]
    assert [hit.value["n"] for hit in store.search(("users", "ada@x.com"))] == [0, 2]
    assert store.list_namespaces() == sorted(places)


def test_very_long_namespaces_are_found_and_listed(store):
    long = ("users", "x" * 900, "notes")
    store.put(long, "k", {"n": 1})
    store.put(("users", "short"), "k", {"n": 2})
    assert store.get(long, "k").namespace == long
    assert [hit.namespace for hit in store.search(("users",))] == [long, ("users", "short")]
    assert [hit.namespace for hit in store.search(long[:2])] == [long]
    assert store.search(("user",)) == []
    assert store.list_namespaces() == [("users", "short"), long]
    assert store.list_namespaces(suffix=("notes",)) == [long]


@pytest.mark.parametrize("namespace", [(), ("a", ""), ("langgraph",), ("a", 5), ("a\0",)])
def test_what_is_no_namespace_is_refused(store, namespace):
    with pytest.raises(InvalidNamespaceError):
        store.put(namespace, "k", {})


@pytest.mark.parametrize("kind", ["prefix", "suffix"])
@pytest.mark.parametrize("namespace", [("a", ""), ("a", 5)])
def test_nor_is_it_listed_by_an_operation_and_nothing_else_of_its_batch_is_done(
    store, kind, namespace
):
    listing = ListNamespacesOp((MatchCondition(kind, namespace),))
    with pytest.raises(InvalidNamespaceError):
        store.batch([PutOp(("valid",), "k", {}), listing])
    assert store.list_namespaces() == []


def test_operations_may_write_where_the_verbs_may_not(store):
    store.batch([PutOp(("langgraph", "x"), "k", {"n": 1})])
    assert store.get(("langgraph", "x"), "k").value == {"n": 1}
    with pytest.raises(InvalidNamespaceError):
        store.batch([PutOp((), "k", {})])


def test_what_is_not_json_is_refused_by_name(store):
    with pytest.raises(InputError, match="'k'"):
        store.put(("a",), "k", {"x": object()})
    assert store.list_namespaces() == []


def test_what_is_nested_too_deeply_is_refused(store):
    nested: dict[str, object] = {}
    for _ in range(3_000):
        nested = {"x": nested}
    with pytest.raises(InputError, match="'k'"):
        store.put(("a",), "k", {"x": nested})
    assert store.list_namespaces() == []
    store.put(("a",), "k", {"x": {"x": 1}})
    assert store.search(("a",), filter={"x": nested}) == []


def test_what_json_has_no_type_for_is_stored_as_the_text_or_the_fields_of_it(store):
    value = {"on": date(2026, 1, 2), "id": UUID(int=7), "price": Decimal("1.10"), "x": math.nan}
    store.put(("a",), "k", value)
    assert store.get(("a",), "k").value == {
        "on": "2026-01-02",
        "id": "00000000-0000-0000-0000-000000000007",
        "price": "1.10",
        "x": "NaN",
    }


def test_a_life_in_minutes_begins_anew_with_each_read(store, clock):
    store.put(("a",), "k", {}, ttl=10)
    store.put(("a",), "for ever", {})
    for _ in range(3):
        clock.now += 9 * 60
        assert store.get(("a",), "k") is not None
    clock.now += 9 * 60
    assert [hit.key for hit in store.search(("a",))] == ["k", "for ever"]
    clock.now += 9 * 60
    assert store.get(("a",), "k", refresh_ttl=False) is not None
    clock.now += 2 * 60
    assert store.get(("a",), "k") is None
    assert [hit.key for hit in store.search(("a",))] == ["for ever"]


def test_lives_by_default(store, clock):
    brief = ThreadkeepStore(store.memory, ttl={"default_ttl": 1, "refresh_on_read": False})
    brief.put(("a",), "k", {})
    brief.put(("a",), "for ever", {}, ttl=None)
    clock.now += 40
    assert brief.get(("a",), "k") is not None
    clock.now += 40
    assert [hit.key for hit in brief.search(("a",))] == ["for ever"]
    assert brief.list_namespaces() == [("a",)]
    assert brief.sweep_ttl() == 0  # out of sight, and its space is kept for the grace of a sweep
    clock.now += 3_600
    assert brief.sweep_ttl() == 1


@pytest.mark.parametrize(
    ("ttl", "message"),
    [
        (60, r"ttl must be a dict such as \{'default_ttl': 60\}, in minutes, got 60"),
        ("1h", "ttl must be a dict"),
        ({"ttl": 60}, "ttl has no key 'ttl'; known: default_ttl"),
        ({"refresh": False}, "did you mean 'refresh_on_read'"),
        ({"default_ttl": "60"}, "default_ttl must be a number of minutes, got '60'"),
    ],
)
def test_a_ttl_that_is_not_understood_is_refused(ttl, message):
    with pytest.raises(ConfigError, match=message):
        ThreadkeepStore("memory://", ttl=ttl)


def test_a_read_never_brings_back_what_another_deleted(store, clock, monkeypatch):
    store.put(("a",), "k", {"n": 1}, ttl=10)
    clock.now += 60
    read = store.memory._engine.backend.read

    def read_and_lose(*queries, **more):
        pages = read(*queries, **more)
        monkeypatch.undo()
        store.delete(("a",), "k")
        return pages

    monkeypatch.setattr(store.memory._engine.backend, "read", read_and_lose)
    assert store.get(("a",), "k").value == {"n": 1}, "it was there when it was read"
    assert store.get(("a",), "k") is None


def test_async_and_batches(store):
    async def run():
        await store.aput(("a",), "k", {"n": 1})
        await asyncio.gather(*[store.aput(("a",), f"k{n}", {"n": n}) for n in range(20)])
        found = await store.abatch([GetOp(("a",), "k"), PutOp(("a",), "k", {"n": 2})])
        await store.adelete(("a",), "k0")
        names = await store.alist_namespaces()
        return (
            found[0].value,
            (await store.aget(("a",), "k")).value,
            names,
            await store.asearch(("a",), limit=100),
        )

    before, after, names, hits = asyncio.run(run())
    assert (before, after, names, len(hits)) == ({"n": 1}, {"n": 2}, [("a",)], 20)


def test_more_than_one_commit_holds(store):
    store.batch([PutOp(("a",), f"k{n}", {"n": n}) for n in range(1_200)])
    assert [hit.value["n"] for hit in store.search(("a",), limit=2_000)] == list(range(1_200))


def test_values_are_ones_own(store):
    value = {"list": [1]}
    store.put(("a",), "k", value)
    value["list"].append(2)
    store.get(("a",), "k").value["list"].append(3)
    assert store.get(("a",), "k").value == {"list": [1]}


def test_tenants_do_not_meet(tmp_path):
    stores = []
    for name in ("north", "south"):
        memory = threadkeep.connect(f"sqlite:///{tmp_path}/chat.db", namespace=name)
        stores.append(ThreadkeepStore(memory))
    stores[0].put(("a",), "k", {})
    assert stores[1].search(()) == []
    assert stores[1].list_namespaces() == []
    for store in stores:
        store.memory.close()


def test_an_agent_s_tools_find_it(store, served):
    @tool
    def remember(text: str, runtime: ToolRuntime) -> str:
        """Remember something."""
        place = ("users", runtime.config["configurable"]["user_id"])
        runtime.store.put(place, "note", {"text": text})
        return "ok"

    chat_model, _ = served([{"tool_calls": [{"name": "remember", "args": {"text": "figs"}}]}, "ok"])
    agent = create_agent(chat_model, [remember], store=store)
    config = {"configurable": {"thread_id": "t", "user_id": "ada@x.com"}}
    agent.invoke(user("I like figs"), config)
    assert store.get(("users", "ada@x.com"), "note").value == {"text": "figs"}


def test_sessions_are_not_among_its_streams(store):
    store.memory.session("users", user="ada").add("hi")
    assert store.search(()) == []
    store.put(("a",), "k", {})
    assert [info.id for info in store.memory.sessions()] == ["users"]


def test_the_order_of_pages_is_one(store):
    for number in range(12):
        store.put(("a", str(number % 3)), f"k{number}", {})
    pages = [store.search(("a",), limit=5, offset=offset) for offset in (0, 5, 10)]
    found = [hit.key for hit in itertools.chain(*pages)]
    assert sorted(found) == sorted(f"k{n}" for n in range(12))
