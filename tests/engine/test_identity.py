"""What "the same item again" is: the same id, role and type; nothing else takes an item's place."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.conftest import REQUIRED, STORES
from tests.engine.doubles import Counting, Meddling
from tests.window.looking import many, valid
from threadkeep import Item, Memory
from threadkeep.errors import Conflict, InputError, NotFound
from threadkeep.messages import parse

pytestmark = pytest.mark.proves("C1")

ANSWER = {
    "type": "message", "role": "assistant", "id": "msg_1",
    "content": [{"type": "output_text", "text": "The answer is 42"}],
}  # fmt: skip
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "r"}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
QUESTION = {"role": "user", "content": "q", "id": "k"}


def reference(id):
    return {"type": "item_reference", "id": id}


# --- Any sequence, over every store ---

IDS = ["k", "msg_1", "x" * 600, "é", None]
SHAPES = {
    "question": lambda id, text: {"role": "user", "content": text, "id": id},
    "answer": lambda id, text: {"role": "assistant", "content": text, "id": id},
    "system": lambda id, text: {"role": "system", "content": text, "id": id},
    "said": lambda id, text: {**ANSWER, "id": id, "content": [
        {"type": "output_text", "text": text}]},
    "anthropic": lambda id, text: {"role": "assistant", "id": id, "content": [
        {"type": "text", "text": text},
        {"type": "tool_use", "id": text, "name": "f", "input": {}}]},
    "called": lambda id, text: {"role": "assistant", "content": None, "id": id, "tool_calls": [
        {"id": text, "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    "result": lambda id, text: {"role": "tool", "content": text, "tool_call_id": text, "id": id},
    "call": lambda id, text: {**CALL, "id": id, "call_id": text},
    "output": lambda id, text: {**RESULT, "id": id, "output": text},
    "thought": lambda id, text: {**THOUGHT, "id": id},
    "search": lambda id, text: {**SEARCH, "id": id},
    "item": lambda id, text: Item(type="notice", role="user", content=text, id=id or ""),
    "reference": lambda id, text: reference(id or "k"),
}  # fmt: skip
entries = st.tuples(st.sampled_from([*SHAPES, *["reference"] * 3]), st.sampled_from(IDS))
batches = st.lists(entries, min_size=1, max_size=4)
steps = st.lists(
    st.tuples(st.sampled_from(["add", "add", "add_items", "replace", "elsewhere"]), batches),
    min_size=2,
    max_size=8,
)
EMBEDDED = {"memory": many, "sqlite": many, "file": many}
SERVERS = dict.fromkeys(["redis", "postgres", "mysql", "mongodb"], settings(many, max_examples=25))
numbers = itertools.count()


class Oracle:
    """A dict of what was stored, and what a batch may do to it."""

    def __init__(self):
        self.items: dict[str, tuple[str, str]] = {}

    def refusal(self, batch):
        """Which error a batch is to meet, if any."""
        new = [item for item in batch if item.type != "item_reference"]
        ids = [item.id for item in new if item.id]
        if len(set(ids)) < len(ids):
            return InputError
        if any(self.items.get(i.id, (i.role, i.type)) != (i.role, i.type) for i in new):
            return Conflict
        named = {item.id for item in batch if item.type == "item_reference"}
        return None if named <= {*self.items, *ids} else NotFound

    def stored(self, batch, added):
        assert len(added) == len(batch)
        for item, result in zip(batch, added, strict=True):
            assert not item.id or result.id == item.id
            assert result.type != "item_reference"
            self.items.setdefault(result.id, (result.role, result.type))
        return True


@pytest.fixture(scope="module", params=[*EMBEDDED, *SERVERS])
def store(request, tmp_path_factory):
    """A backend, and how many stories it is told."""
    try:
        opened = STORES[request.param](tmp_path_factory.mktemp("items")).open()
    except pytest.skip.Exception:
        assert request.param not in REQUIRED, "promised by THREADKEEP_TEST_REQUIRE"
        raise
    yield opened, {**EMBEDDED, **SERVERS}[request.param]
    opened.close()


def test_any_story_keeps_every_item_what_it_is(store):
    backend, how = store

    @how
    @given(steps)
    def tell(story):
        name = f"conversation {next(numbers)}"
        memory, other = Memory(backend, owned=False), Memory(backend, owned=False)
        memory.conversations.create(id=name)
        _tell(story, name, memory, other)

    tell()


def _tell(story, name, memory, other):
    oracle, chat = Oracle(), memory.session(name)
    for number, (verb, written) in enumerate(story):
        batch = [SHAPES[shape](id, f"{number}.{n}") for n, (shape, id) in enumerate(written)]
        if verb == "replace" and oracle.items:
            _replace(oracle, chat, batch[0])
        else:
            add = {
                "add_items": lambda *given: memory.conversations.add_items(name, *given),
                "elsewhere": other.session(name).add,
            }.get(verb, chat.add)
            _add(oracle, chat, add, batch)
        items = chat.items()
        assert {item.id: (item.role, item.type) for item in items} == oracle.items
        window = chat.window()
        if window:
            valid(window)


def _add(oracle, chat, add, batch):
    parsed = [item for entry in batch for item in parse(entry)]
    refusal, before = oracle.refusal(parsed), chat.items()
    if refusal is None:
        added = add(*batch)
        oracle.stored(parsed, added)
        stored = {item.id: item for item in chat.items()}
        assert [stored[item.id] for item in added] == added
    else:
        with pytest.raises(refusal):
            add(*batch)
        assert chat.items() == before


def _replace(oracle, chat, entry):
    (item,) = parse(entry)
    id = next(iter(oracle.items))
    if item.type == "item_reference":
        with pytest.raises(InputError):
            chat.replace(id, entry)
    else:
        chat.replace(id, entry)
        oracle.items[id] = (item.role, item.type)


# --- What each is told ---


@pytest.mark.parametrize("entry", [ANSWER, THOUGHT, CALL, SEARCH], ids=lambda entry: entry["type"])
def test_a_reference_is_the_item_it_names(chat, entry):
    (stored,) = chat.add(entry)
    assert chat.add(reference(stored.id)) == [stored]
    again, new = chat.add(reference(stored.id), "and?")
    assert again == stored
    assert chat.items() == [stored, new]


def test_a_reference_may_name_what_comes_with_it(chat):
    answer, same = chat.add(ANSWER, reference("msg_1"))
    assert answer == same
    assert chat.items() == [answer]


def test_a_reference_to_what_is_not_there_says_so_and_writes_nothing(memory, chat):
    chat.add("before")
    with pytest.raises(NotFound, match=r"message 1.*'msg_1'.*session 'chat'") as caught:
        chat.add("secret", reference("msg_1"))
    assert "secret" not in str(caught.value)
    with pytest.raises(InputError, match=r"message 0\.id"):
        chat.add({"type": "item_reference"})
    with pytest.raises(InputError, match="'msg_1'"):
        chat.set_items(reference("msg_1"))
    with pytest.raises(InputError, match="'msg_1'"):
        memory.conversations.create(items=[reference("msg_1")])
    assert [item.text for item in chat.items()] == ["before"]


@pytest.mark.parametrize(
    "other",
    [CALL, THOUGHT, {"role": "assistant", "content": "secret"}],
    ids=["call", "thought", "role"],
)
def test_an_id_that_stands_for_another_item_is_a_conflict(chat, other):
    before = chat.add({**QUESTION, "content": "private"})
    with pytest.raises(Conflict) as caught:
        chat.add("new", {**other, "id": "k"})
    assert "'k'" in str(caught.value)
    assert "message of user" in str(caught.value)
    assert "replace" in str(caught.value)
    assert not {"private", "secret"} & set(str(caught.value).replace("'", " ").split())
    assert chat.items() == before
    assert chat.replace("k", {**other, "id": "k"}).seq == before[0].seq


def test_thousands_of_which_the_last_is_another_item_are_none(chat):
    chat.add({**QUESTION, "id": "m1400"})
    batch = [{"role": "user", "content": "x", "id": f"m{n}"} for n in range(1_500)]
    batch[1_400]["role"] = "assistant"
    with pytest.raises(Conflict, match="'m1400'"):
        chat.add(*batch)
    assert len(chat.items()) == 1


def test_a_new_conversation_holds_references_to_its_own_items_once(memory):
    memory.conversations.create(items=[ANSWER, reference("msg_1")], id="c")
    assert [item.id for item in memory.conversations.items("c")] == ["msg_1"]


def test_the_input_of_a_response_keeps_references_as_they_came(memory):
    memory.conversations.create(items=[ANSWER], id="c")
    memory.responses.add(
        {"id": "resp_1", "input": [reference("msg_1")], "output": []}, conversation="c"
    )
    assert memory.responses.get("resp_1").input == [reference("msg_1")]
    assert memory.conversations.item("c", "msg_1").text == "The answer is 42"


# --- Writers that meet ---


@pytest.mark.parametrize("first", ["new handle", "known"])
def test_an_id_that_is_taken_between_look_and_write_is_a_conflict(opened, first):
    memory, other = opened(Meddling), opened()
    chat = memory.session("chat")
    if first == "known":
        chat.add("x")
    memory._engine.backend.before_commit.append(lambda: other.session("chat").add(QUESTION))
    with pytest.raises(Conflict, match="'k'"):
        chat.add({"role": "assistant", "content": "a", "id": "k"})
    assert [item.role for item in chat.items()][-1:] == ["user"]


def test_what_another_process_took_back_is_no_conflict(opened):
    memory, other = opened(), opened()
    memory.session("chat").add(QUESTION)
    other.session("chat").remove("k")
    memory.session("chat").add({"role": "assistant", "content": "a", "id": "k"})
    assert [item.role for item in other.session("chat").items()] == ["assistant"]


def test_threads_that_give_one_id_to_different_items_agree_on_one(store):
    backend, _ = store
    name, roles = f"conversation {next(numbers)}", ["user", "assistant", "system"] * 4
    memories = [Memory(backend, owned=False) for _ in roles]
    refused = []

    def write(memory, role):
        try:
            memory.session(name).add({"role": role, "content": role, "id": "k"})
        except Conflict:
            refused.append(role)

    threads = [
        threading.Thread(target=write, args=pair) for pair in zip(memories, roles, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (item,) = memories[0].session(name).items()
    assert item.content == item.role
    assert sorted(refused) == sorted(role for role in roles if role != item.role)


# --- What it costs ---


def test_ids_of_our_own_are_not_looked_up(opened):
    memory = opened(Counting)
    chat, backend = memory.session("chat"), memory._engine.backend
    chat.add("begins")
    backend.reset()
    for number in range(100):
        chat.add(f"{number}", {"role": "assistant", "content": "x"})
    assert (backend.reads, len(backend.commits)) == (0, 100)


def test_ids_of_callers_are_known_or_looked_up_at_once(opened):
    memory = opened(Counting)
    chat, backend = memory.session("chat"), memory._engine.backend
    chat.add({"role": "user", "content": "0", "id": "m0"})
    # whose session it is, and that the namespace is plain text
    assert (backend.reads, len(backend.commits)) == (2, 2)
    for number in range(1, 60):
        chat.add({"role": "user", "content": "x", "id": f"m{number}"})
    assert (backend.reads, len(backend.commits)) == (2, 61)
    chat.add(*["long ago"] * 64)
    backend.reset()
    for number in range(100, 110):
        chat.add({"role": "user", "content": "x", "id": f"m{number}"})
    assert (backend.reads, len(backend.commits)) == (10, 10)
    backend.reset()
    opened(lambda _: backend).session("chat").add({"role": "user", "content": "x", "id": "new"})
    assert (backend.reads, len(backend.commits)) == (2, 1)
