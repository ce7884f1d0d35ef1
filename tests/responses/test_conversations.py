"""Conversations: sessions under the names, verbs and limits of the OpenAI API."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime

import pytest

from tests.engine.doubles import START
from tests.responses.conftest import answer, streams
from threadkeep.api.conversations import Conversations
from threadkeep.errors import ConfigError, Conflict, InputError, NotFound, NotOwner

EVERY_TYPE: list[dict] = [
    {"role": "user", "content": "Where?"},
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "42"},
    {"type": "mcp_call", "id": "mcp_1", "name": "ask", "arguments": "{}", "server_label": "s"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    {"role": "assistant", "content": "There."},
]


def ids(found):
    return [one.id for one in found]


def walk(listing, *args, **how):
    found, cursor = [], None
    name = "after" if args else "cursor"
    while True:
        page = listing(*args, **{name: cursor}, **how)
        assert len(page) <= how["limit"]
        found += ids(page)
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.proves("B51")
def test_created_empty_it_is_there_and_is_a_session(memory):
    made = memory.conversations.create(user="ada", title="Rome", metadata={"model": "gpt-5"})
    assert made.id.startswith("conv_")
    assert made.created_at == datetime.fromtimestamp(START, UTC)
    assert memory.conversations.get(made.id) == made
    chat = memory.session(made.id, user="ada")
    assert chat.info() == made
    assert chat.items() == memory.conversations.items(made.id) == []
    assert (
        ids(memory.sessions(user="ada")) == ids(memory.conversations.list(user="ada")) == [made.id]
    )


@pytest.mark.proves("B51")
def test_a_session_is_a_conversation(memory):
    chat = memory.session("chat", user="ada", metadata={"m": 1})
    chat.add("Hi", "Ho")
    assert memory.conversations.get("chat") == chat.info()
    assert memory.conversations.items("chat") == chat.items()
    assert memory.conversations.create("other", items=["x"]).user is None
    assert [item.text for item in memory.session("other").items()] == ["x"]


def test_what_exists_is_not_created_again(memory):
    memory.session("chat", user="ada").add("Hi")
    with pytest.raises(Conflict):
        memory.conversations.create("chat", user="ada")
    with pytest.raises(NotOwner):
        memory.conversations.create("chat", user="bob")
    assert len(memory.session("chat").items()) == 1


@pytest.mark.proves("B51")
def test_metadata_is_merged_within_its_limits(memory):
    id = memory.conversations.create("c", metadata={f"k{n}": "v" for n in range(16)}).id
    with pytest.raises(InputError, match="17 keys"):
        memory.conversations.update(id, metadata={"more": "v"})
    new = memory.conversations.update(id, metadata={"more": "v", "k0": None, "k1": "w"}, title="T")
    assert memory.conversations.get(id).metadata == new.metadata
    assert (new.title, len(new.metadata), new.metadata["k1"]) == ("T", 16, "w")
    assert "k0" not in new.metadata


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        ({f"k{n}": "v" for n in range(17)}, "17 keys"),
        ({"k" * 65: "v"}, "64 characters"),
        ({"": "v"}, "64 characters"),
        ({"k": "v" * 513}, "513 characters"),
        ({"k": [5]}, "metadata.k"),
        ({"k": float("inf")}, "metadata.k"),
        ("x", "metadata must be a dict"),
    ],
)
def test_metadata_beyond_the_limits_is_refused(memory, bad, where):
    with pytest.raises(InputError, match=where):
        memory.conversations.create("new", metadata=bad)
    assert streams(memory) == []
    before = memory.conversations.create("c", metadata={"k" * 64: "v" * 512})
    with pytest.raises(InputError, match=where):
        memory.conversations.update("c", metadata=bad)
    assert memory.conversations.get("c") == before


def test_numbers_and_booleans_are_kept_as_they_are(memory):
    metadata = {"count": 42, "share": 0.5, "beta": True, "tag": "x"}
    memory.conversations.create("c", metadata=metadata)
    memory.conversations.update("c", metadata={"count": 43})
    stored = memory.conversations.get("c").metadata
    assert stored == {**metadata, "count": 43}
    assert [type(value) for value in stored.values()] == [int, float, bool, str]
    assert [info.id for info in memory.conversations.list(metadata={"count": 43})] == ["c"]


@pytest.mark.proves("B51", "B55")
def test_deleted_it_takes_all_that_belongs_to_it(memory):
    memory.conversations.create("c", user="ada", items=["Hi"])
    memory.session("c").files.add({"url": "u"})
    memory.responses.add(answer("r"), conversation="c")
    memory.feedback.add("r", rating="positive")
    memory.conversations.delete("c")
    memory.conversations.delete("c")
    assert memory.conversations.get("c") is None
    assert memory.responses.get("r") is None
    assert memory.conversations.list(user="ada") == []
    assert not [name for name in streams(memory) if "/sessions/" not in name]


@pytest.mark.proves("B52")
def test_items_of_every_type_in_the_order_they_were_stored(memory, clock):
    memory.conversations.create("c", items=EVERY_TYPE[:3])
    clock.tick(-500)  # a clock that goes wrong changes no order
    memory.conversations.add_items("c", *EVERY_TYPE[3:])
    found = memory.conversations.items("c")
    assert [item.type for item in found] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "mcp_call",
        "web_search_call",
        "message",
    ]
    assert [item.seq for item in found] == sorted({item.seq for item in found})
    kept = [item.raw["data"] for item in found if item.raw]
    assert all(said in kept for said in EVERY_TYPE if said.get("type") in {"mcp_call", "reasoning"})
    assert memory.conversations.item("c", found[1].id) == found[1]


@pytest.mark.proves("B52")
@pytest.mark.parametrize("limit", [1, 7, 10, 100])
def test_items_page_by_page_in_either_order(memory, limit):
    texts = [str(n) for n in range(250)]
    chat = memory.session("c")
    stored = ids(chat.add(*texts))
    assert walk(memory.conversations.items, "c", limit=limit) == stored
    assert walk(memory.conversations.items, "c", limit=limit, order="desc") == stored[::-1]
    assert len(memory.conversations.items("c")) == 100
    assert len(chat.items()) == 250


@pytest.mark.proves("B52")
def test_a_cursor_that_is_none_is_an_error(memory):
    memory.conversations.create("c", items=["x"])
    for order in ("asc", "desc"):
        with pytest.raises(NotFound, match="'nope'"):
            memory.conversations.items("c", after="nope", order=order)
    for bad in (5, b"x", True):
        with pytest.raises(InputError, match="after"):
            memory.conversations.items("c", after=bad)
    with pytest.raises(InputError, match="order"):
        memory.conversations.items("c", order="down")
    for size in (0, 1_001, "5", None):
        with pytest.raises(InputError, match="limit"):
            memory.conversations.items("c", limit=size)


def test_one_call_brings_twenty_items_at_most(memory):
    memory.conversations.create("c", items=[str(n) for n in range(20)])
    assert len(memory.conversations.add_items("c", *map(str, range(20)))) == 20
    for bring in (
        lambda some: memory.conversations.add_items("c", *some),
        lambda some: memory.conversations.create("d", items=some),
    ):
        with pytest.raises(InputError, match="21 items"):
            bring([str(n) for n in range(21)])
    assert len(memory.session("c").items()) == 40
    assert memory.conversations.get("d") is None


def test_items_of_one_id_are_refused_together(memory):
    same = [{"role": "user", "content": "x", "id": "m"}] * 2
    with pytest.raises(InputError, match="the id"):
        memory.conversations.create("c", items=same)
    assert memory.conversations.get("c") is None


def test_one_item_is_removed(memory):
    memory.conversations.create("c", items=["x", "y"])
    first = memory.conversations.items("c")[0]
    memory.conversations.remove_item("c", first.id)
    memory.conversations.remove_item("c", first.id)
    assert [item.text for item in memory.conversations.items("c")] == ["y"]
    with pytest.raises(NotFound, match="no item"):
        memory.conversations.item("c", first.id)


MISSING = {
    "update": lambda c: c.update("nope", title="x"),
    "items": lambda c: c.items("nope"),
    "item": lambda c: c.item("nope", "x"),
    "add_items": lambda c: c.add_items("nope", "x"),
    "remove_item": lambda c: c.remove_item("nope", "x"),
}


@pytest.mark.parametrize("verb", MISSING.values(), ids=MISSING)
def test_what_does_not_exist_is_not_begun(memory, verb):
    with pytest.raises(NotFound, match="no conversation 'nope'"):
        verb(memory.conversations)
    assert memory.conversations.get("nope") is None
    assert streams(memory) == []


class TestLists:
    @pytest.fixture(autouse=True)
    def filled(self, memory, clock):
        for n in range(30):
            user = "bob" if n % 3 == 0 else "ada"
            memory.conversations.create(
                f"c{n}", user=user, metadata={"model": f"m{n % 2}", "tag": f"t{n % 5}"}
            )
            clock.tick(61)

    @pytest.mark.proves("B51")
    @pytest.mark.parametrize("limit", [1, 2, 7, 1_000])
    def test_of_a_user_newest_first(self, memory, limit):
        wanted = [f"c{n}" for n in range(29, -1, -1) if n % 3]
        assert walk(memory.conversations.list, limit=limit, user="ada") == wanted
        assert walk(memory.user("ada").conversations.list, limit=limit) == wanted

    @pytest.mark.parametrize("limit", [1, 7, 1_000])
    def test_of_everybody(self, memory, limit):
        found = walk(memory.conversations.list, limit=limit)
        assert sorted(found) == sorted(f"c{n}" for n in range(30))

    @pytest.mark.parametrize("limit", [1, 3, 1_000])
    def test_by_metadata_and_time(self, memory, limit):
        def listed(**how):
            return walk(memory.conversations.list, limit=limit, user="ada", **how)

        assert listed(metadata={"model": "m1"}) == [f"c{n}" for n in range(29, 0, -2) if n % 3]
        assert listed(metadata={"model": "m1", "tag": "t0"}) == ["c25", "c5"]
        assert listed(metadata={"nope": "x"}) == []
        since, until = START + 61 * 10, datetime.fromtimestamp(START + 61 * 13, UTC)
        assert listed(since=since, until=until) == ["c11", "c10"]

    def test_one_written_meanwhile_hides_no_other(self, memory):
        page = memory.conversations.list(user="ada", limit=3)
        memory.session(page[-1].id, user="ada").add("now the newest")
        rest = memory.conversations.list(user="ada", limit=100, cursor=page.cursor)
        assert ids(page) + ids(rest) == [f"c{n}" for n in range(29, -1, -1) if n % 3]

    @pytest.mark.parametrize("bad", ["x", 5, [1], ["a", 3], [[1, 2], "c1"]])
    def test_a_cursor_of_the_callers_own_making_is_refused(self, memory, bad):
        with pytest.raises(InputError, match="cursor"):
            memory.conversations.list(user="ada", cursor=bad)


DOORS = {
    "create": lambda c: c.create("c", user="bob"),
    "get": lambda c: c.get("c", user="bob"),
    "update": lambda c: c.update("c", title="mine", user="bob"),
    "delete": lambda c: c.delete("c", user="bob"),
    "items": lambda c: c.items("c", user="bob"),
    "item": lambda c: c.item("c", "m1", user="bob"),
    "add_items": lambda c: c.add_items("c", "x", user="bob"),
    "remove_item": lambda c: c.remove_item("c", "m1", user="bob"),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_another_users_door_opens_nothing_and_changes_nothing(memory, door):
    said = {"role": "user", "content": "x", "id": "m1"}
    made = memory.conversations.create("c", user="ada", items=[said])
    for conversations in (memory.conversations, memory.user("bob").conversations):
        with pytest.raises(NotOwner):
            door(conversations)
    assert memory.user("ada").conversations.get("c") == made
    assert ids(memory.conversations.items("c")) == ["m1"]
    assert memory.user("bob").conversations.list() == []


def test_there_is_a_door_for_every_verb_and_a_twin():
    verbs = {n for n in vars(Conversations) if n[0] != "_" and f"a{n}" in vars(Conversations)}
    assert verbs == DOORS.keys() | {"list"}
    for name in verbs:
        verb, twin = getattr(Conversations, name), getattr(Conversations, f"a{name}")
        assert inspect.iscoroutinefunction(twin)
        assert inspect.signature(verb) == inspect.signature(twin)


def test_require_user_closes_the_operators_door(opened):
    memory = opened(require_user=True)
    with pytest.raises(ConfigError, match="user="):
        memory.conversations.create()
    with pytest.raises(ConfigError, match="user="):
        memory.conversations.list()
    assert memory.conversations.create("c", user="ada").user == "ada"


def test_twins_do_what_verbs_do(memory):
    async def story():
        made = await memory.conversations.acreate("c", user="ada", items=["x"])
        assert await memory.conversations.aget("c") == made
        assert len(await memory.conversations.aadd_items("c", "y")) == 1
        first, second = await memory.conversations.aitems("c")
        assert await memory.conversations.aitem("c", first.id) == first
        await memory.conversations.aremove_item("c", first.id)
        assert await memory.conversations.aitems("c") == [second]
        assert (await memory.conversations.aupdate("c", title="T")).title == "T"
        assert ids(await memory.conversations.alist(user="ada")) == ["c"]
        await memory.conversations.adelete("c")
        assert await memory.conversations.aget("c") is None

    asyncio.run(story())
