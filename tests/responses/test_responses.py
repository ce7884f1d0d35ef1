"""Responses: every field comes back, through every door, by every list; and nothing else."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response as SdkResponse

from tests.engine.doubles import START, Counting
from tests.responses.conftest import answer, streams
from threadkeep import connect
from threadkeep.api.responses import Responses
from threadkeep.errors import ConfigError, InputError, NotOwner
from threadkeep.types.responses import Usage

CALL = {
    "type": "function_call",
    "call_id": "c1",
    "name": "look",
    "arguments": '{"where": "Rome"}',
    "id": "fc_1",
}
FULL = answer(
    "resp_1",
    input=[{"role": "user", "content": "Where?"}],
    output=[
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        CALL,
        {"type": "message", "content": [{"type": "output_text", "text": "In Rome."}]},
    ],
    created_at=1_600_000_000,
    metadata={"topic": "travel"},
    user="ada",
    safety_identifier="hash-of-ada",
    temperature=0.5,
    error=None,
)


def ids(found):
    return [response.id for response in found]


def walk(listing, **how):
    found, cursor = [], None
    while True:
        page = listing(cursor=cursor, **how)
        assert len(page) <= how["limit"]
        found += ids(page)
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.proves("B53")
def test_every_field_comes_back(memory):
    added = memory.responses.add(FULL, conversation="chat")
    found = memory.responses.get("resp_1")
    assert found == added
    assert (found.model, found.status, found.conversation) == ("gpt-5", "completed", "chat")
    assert (found.input, found.output) == (FULL["input"], FULL["output"])
    assert found.tool_calls == [{"id": "c1", "name": "look", "args": {"where": "Rome"}}]
    assert found.usage == FULL["usage"]
    assert found.tokens == Usage(1, 10, 5, 15)
    assert found.metadata == {"topic": "travel"}
    assert (found.user, found.safety_identifier) == ("ada", "hash-of-ada")
    assert found.created_at == datetime.fromtimestamp(1_600_000_000, UTC)
    assert found.extra == {"temperature": 0.5}
    assert found.text == "In Rome."
    assert found.seq > 0


@pytest.mark.proves("B53")
def test_an_sdks_response_and_a_chat_completion_are_understood(memory):
    fixed = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "created_at": 5}
    sdk = SdkResponse.model_validate(FULL | fixed | {"output": [CALL], "user": None, "usage": None})
    stored = memory.responses.add(sdk, input="Where?")
    assert (stored.id, stored.input) == ("resp_1", "Where?")
    assert stored.tool_calls[0]["name"] == "look"
    message = {"role": "assistant", "content": "Hi"}
    completion = ChatCompletion.model_validate(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 7,
            "model": "gpt-5",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        }
    )
    stored = memory.responses.add(completion)
    assert (stored.status, stored.text, stored.tokens) == ("completed", "Hi", Usage(1, 3, 2, 5))
    assert stored.created_at == datetime.fromtimestamp(7, UTC)
    assert memory.responses.get("chatcmpl-1") == stored


def test_a_stored_response_can_be_added_elsewhere(memory, opened):
    stored = memory.responses.add(FULL, conversation="chat")
    with connect("memory://") as other:
        copy = other.responses.add(stored)
        assert (copy.extra, copy.output, copy.user) == (stored.extra, stored.output, "ada")


def test_without_an_id_one_is_minted(memory):
    one, two = (memory.responses.add({"output": []}) for _ in range(2))
    assert one.id.startswith("resp_")
    assert one.id != two.id
    assert one.created_at == datetime.fromtimestamp(START, UTC)
    assert memory.responses.get(one.id) == one


def test_what_is_not_there_is_none(memory):
    assert memory.responses.get("resp_1") is None
    memory.responses.delete("resp_1")
    assert streams(memory) == []


def test_added_again_it_is_updated_and_keeps_its_place(memory):
    memory.responses.add(answer("a", status="in_progress", output=[]), conversation="chat")
    memory.responses.add(answer("b"), conversation="chat")
    memory.responses.add(answer("a"))
    assert memory.responses.get("a").status == "completed"
    assert ids(memory.responses.list(conversation="chat")) == ["b", "a"]
    with pytest.raises(InputError, match="in conversation 'chat' already"):
        memory.responses.add(answer("a"), conversation="other")
    assert [info.id for info in memory.sessions()] == ["chat"]


def test_it_goes_into_the_conversation_of_the_one_before(memory):
    memory.responses.add(answer("a"), conversation="chat")
    assert memory.responses.add(answer("b", previous_response_id="a")).conversation == "chat"
    assert memory.responses.add(answer("c", conversation={"id": "x"})).conversation == "x"
    assert memory.responses.add(answer("d")).conversation == "d"


@pytest.mark.parametrize("how", ["argument", "field"])
def test_store_false_stores_nothing(opened, how):
    memory = opened(Counting)
    if how == "argument":
        found = memory.responses.add(answer("a", conversation="chat"), store=False)
    else:
        found = memory.responses.add(answer("a", conversation="chat", store=False))
    assert (found.text, found.seq) == ("the answer a", 0)
    assert memory._engine.backend.commits == []
    assert streams(memory) == []
    assert memory.responses.get("a") is None
    assert memory.responses.add(answer("a", store=False), store=True).seq > 0


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (5, "response must be"),
        ({"id": 5}, "response.id"),
        ({"id": ""}, "response.id"),
        ({"model": ["gpt"]}, "response.model"),
        ({"output": "hi"}, "response.output"),
        ({"output": [5]}, r"response.output\[0\]"),
        ({"input": {"role": "user"}}, "response.input"),
        ({"usage": 5}, "response.usage"),
        ({"usage": {"x": object()}}, "response.usage.x"),
        ({"output": [{"x": {1, 2}}]}, r"response.output\[0\].x"),
        ({"created_at": "soon"}, "response.created_at"),
        ({"choices": [{}]}, "response.choices"),
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, "17 keys"),
        ({"metadata": {"k" * 65: "v"}}, "64 characters"),
        ({"metadata": {"k": "v" * 513}}, "513 characters"),
        ({"metadata": {"k": [5]}}, "response.metadata.k"),
    ],
)
@pytest.mark.parametrize("store", [True, False])
def test_what_cannot_be_stored_is_named_and_nothing_is_written(memory, bad, where, store):
    with pytest.raises(InputError, match=where):
        memory.responses.add(bad, store=store)
    assert streams(memory) == []


def test_store_is_true_or_false(memory):
    with pytest.raises(InputError, match=r"response\.store"):
        memory.responses.add({"store": "no"})


class TestLists:
    @pytest.fixture(autouse=True)
    def filled(self, memory, clock):
        for n in range(30):
            user = "ada" if n % 3 else "bob"
            said = answer(f"r{n}", safety_identifier=f"s{n % 2}", model=f"m{n % 2}", user=user)
            memory.responses.add(said, conversation=f"{user}-{n % 5}")
            clock.tick(61)

    @pytest.mark.parametrize("limit", [1, 2, 7, 1_000])
    def test_of_a_user_page_by_page(self, memory, limit):
        found = walk(memory.responses.list, limit=limit, user="ada")
        assert sorted(found) == sorted(f"r{n}" for n in range(30) if n % 3)
        assert found[:2] == ["r29", "r19"]  # both in ada-4, the session written last
        assert found == walk(memory.user("ada").responses.list, limit=limit)

    @pytest.mark.parametrize("limit", [1, 2, 7, 1_000])
    def test_of_everybody_page_by_page(self, memory, limit):
        found = walk(memory.responses.list, limit=limit)
        assert sorted(found) == sorted(f"r{n}" for n in range(30))

    def test_of_a_conversation_newest_first(self, memory):
        found = walk(memory.responses.list, limit=2, conversation="ada-0")
        assert found == ["r25", "r20", "r10", "r5"]

    def test_of_a_safety_identifier(self, memory):
        found = walk(memory.responses.list, limit=4, safety_identifier="s1")
        assert sorted(found) == sorted(f"r{n}" for n in range(1, 30, 2))
        both = walk(memory.responses.list, limit=4, safety_identifier="s1", user="bob")
        assert sorted(both) == sorted(f"r{n}" for n in range(3, 30, 6))

    def test_usage_by_model_and_day(self, memory):
        assert memory.responses.usage() == {
            "m0": Usage(15, 150, 75, 225),
            "m1": Usage(15, 150, 75, 225),
        }
        (day,) = memory.responses.usage(by="day", user="bob").items()
        assert day == ("2023-11-14", Usage(10, 100, 50, 150))

    @pytest.mark.parametrize(
        ("condition", "gone"),
        [
            ({"user": "ada"}, lambda n: n % 3),
            ({"conversation": "ada-0"}, lambda n: n % 3 and n % 5 == 0),
            ({"safety_identifier": "s1"}, lambda n: n % 2),
            ({"safety_identifier": "s1", "user": "ada"}, lambda n: n % 2 and n % 3),
        ],
    )
    def test_clear_takes_what_meets_all_conditions(self, memory, condition, gone):
        kept = {f"r{n}" for n in range(30) if not gone(n)}
        assert memory.responses.clear(**condition) == 30 - len(kept)
        assert set(walk(memory.responses.list, limit=100)) == kept
        assert all(
            (memory.responses.get(f"r{n}") is not None) == (f"r{n}" in kept) for n in range(30)
        )
        pointers = [name for name in streams(memory) if "/response/" in name]
        assert pointers == sorted(f"default/response/{id}" for id in kept)

    def test_clear_wants_a_condition(self, memory):
        with pytest.raises(InputError, match="say which"):
            memory.responses.clear()
        assert len(memory.responses.list(limit=100)) == 30

    @pytest.mark.parametrize("bad", ["x", 5, [1, 2], [None, "s", "x"], ["a", "b", 3]])
    def test_a_cursor_of_the_callers_own_making_is_refused(self, memory, bad):
        with pytest.raises(InputError, match="cursor"):
            memory.responses.list(user="ada", cursor=bad)

    @pytest.mark.parametrize("bad", [0, 1_001, "20", True, None])
    def test_an_impossible_size_is_refused(self, memory, bad):
        with pytest.raises(InputError, match="limit"):
            memory.responses.list(user="ada", limit=bad)


DOORS = {
    "add again": lambda r: r.add(answer("a"), user="bob"),
    "add to the conversation": lambda r: r.add(answer("n", user="bob"), conversation="chat"),
    "go on from it": lambda r: r.add(answer("n", previous_response_id="a"), user="bob"),
    "get": lambda r: r.get("a", user="bob"),
    "chain": lambda r: r.chain("a", user="bob"),
    "delete": lambda r: r.delete("a", user="bob"),
    "clear": lambda r: r.clear(conversation="chat", user="bob"),
    "usage": lambda r: r.usage(conversation="chat", user="bob"),
    "list": lambda r: r.list(conversation="chat", user="bob"),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_another_users_door_opens_nothing_and_changes_nothing(memory, door):
    before = memory.responses.add(answer("a", user="ada"), conversation="chat")
    known = streams(memory)
    for responses in (memory.responses, memory.user("bob").responses):
        with pytest.raises(NotOwner) as caught:
            door(responses)
        assert "ada" not in str(caught.value)
    assert memory.responses.get("a", user="ada") == before
    assert ids(memory.responses.list(conversation="chat")) == ["a"]
    assert streams(memory) == known


def test_there_is_a_door_for_every_verb_and_a_twin():
    verbs = {n for n in vars(Responses) if n[0] != "_" and f"a{n}" in vars(Responses)}
    assert verbs == {"add", "get", "chain", "delete", "clear", "usage", "list"}
    doors = {name.partition(" ")[0] for name in DOORS} - {"go"}
    assert verbs == doors
    for name in verbs:
        verb, twin = getattr(Responses, name), getattr(Responses, f"a{name}")
        assert inspect.iscoroutinefunction(twin)
        assert inspect.signature(verb) == inspect.signature(twin)


def test_a_users_door_names_no_other_user(memory):
    memory.responses.add(answer("a", user="ada"))
    with pytest.raises(NotOwner):
        memory.user("bob").responses.list(user="ada")
    with pytest.raises(InputError, match=r"response\.user"):
        memory.user("bob").responses.add(answer("b", user="ada"))
    assert memory.user("bob").responses.list() == []
    assert memory.user("ada").responses.get("a").id == "a"


def test_require_user_closes_the_operators_door(opened):
    memory = opened(require_user=True)
    memory.responses.add(answer("a", user="ada"))
    for verb in (
        lambda: memory.responses.add(answer("b")),
        lambda: memory.responses.get("a"),
        lambda: memory.responses.list(conversation="a"),
        lambda: memory.responses.clear(safety_identifier="x"),
    ):
        with pytest.raises(ConfigError, match="user="):
            verb()
    assert memory.responses.get("a", user="ada").user == "ada"


def test_namespaces_do_not_see_each_other(opened):
    one, two = opened(namespace="one"), opened(namespace="two")
    one.responses.add(answer("a", user="ada"))
    assert two.responses.get("a") is None
    two.responses.add(answer("a", user="bob", model="other"))
    assert (one.responses.get("a").user, two.responses.get("a").model) == ("ada", "other")


def test_twins_do_what_verbs_do(memory):
    async def story():
        added = await memory.responses.aadd(answer("a", user="ada"))
        await memory.responses.aadd(answer("b", previous_response_id="a", user="ada"))
        assert await memory.responses.aget("a") == added
        assert ids(await memory.responses.achain("b")) == ["a", "b"]
        assert ids(await memory.responses.alist(user="ada")) == ["b", "a"]
        assert await memory.responses.ausage() == {"gpt-5": Usage(2, 20, 10, 30)}
        await memory.responses.adelete("a")
        assert await memory.responses.aclear(user="ada") == 1
        assert await memory.responses.aget("b") is None

    asyncio.run(story())
