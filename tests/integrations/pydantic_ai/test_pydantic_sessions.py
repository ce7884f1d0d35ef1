"""A conversation is a session: what is done to the session, and by others, is in the next load."""

from __future__ import annotations

import json

import pytest
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import ConversationConflict, InMemoryConversationStore
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

import threadkeep
from langchain_threadkeep import ThreadkeepChatMessageHistory
from pydantic_ai_threadkeep import ThreadkeepConversationStore
from tests.backends.conftest import REQUIRED, STORES
from tests.integrations.pydantic_ai.conftest import Beside, run
from threadkeep import Item, Query
from threadkeep.core import copy_streams
from threadkeep.core.copy_streams import stream_names
from threadkeep.errors import CorruptRecord

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def said(*texts):
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return [
        message
        for asked, answered in pairs
        for message in (
            ModelRequest([UserPromptPart(asked)]),
            ModelResponse([TextPart(answered)]),
        )
    ]


async def say(store, id, *texts):
    conversation = await store.load(id) or Conversation(conversation_id=id)
    conversation.messages = [*conversation.messages, *said(*texts)]
    await store.save(conversation)
    return conversation


def texts(conversation):
    return [
        part.content
        for message in conversation.messages
        for part in message.parts
        if isinstance(part, UserPromptPart | TextPart)
    ]


def test_a_session_that_others_wrote_is_a_conversation(store, memory):
    memory.session("c").add(
        {"role": "user", "content": "Which?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "Hm."},
        {"role": "tool", "tool_call_id": "call_1", "content": "21"},
        {"role": "assistant", "content": "Rome."},
    )
    loaded = run(store.load("c"))
    asked, called, found, answered = loaded.messages
    assert texts(loaded) == ["Which?", "Rome."]
    assert [type(part) for part in called.parts] == [ThinkingPart, ToolCallPart]
    assert called.parts[1].tool_name == found.parts[0].tool_name == "weather"
    assert isinstance(found.parts[0], ToolReturnPart)
    assert (asked.kind, answered.kind) == ("request", "response")
    run(say(store, "c", "more?", "no"))
    assert texts(run(store.load("c"))) == ["Which?", "Rome.", "more?", "no"]
    entries = run(store.load_entries("c"))
    assert run(store.read_entry(entries[0].id)).message == asked
    assert [entry.parent_id for entry in entries[1:]] == [entry.id for entry in entries[:-1]]


def test_what_others_add_is_in_the_next_load_and_makes_a_stale_save_a_conflict(store, memory):
    run(say(store, "c", "a", "b"))
    before = run(store.load("c"))
    ThreadkeepChatMessageHistory("c", memory).add_user_message("from LangChain")
    before.messages = [*before.messages, *said("stale", "lost")]
    with pytest.raises(ConversationConflict):
        run(store.save(before))
    run(say(store, "c", "again", "kept"))
    assert texts(run(store.load("c"))) == ["a", "b", "from LangChain", "again", "kept"]
    assert [item.text for item in memory.session("c").items()] == [
        "a", "b", "from LangChain", "again", "kept",
    ]  # fmt: skip


@pytest.mark.parametrize("gone", range(4))
def test_a_forgotten_message_is_gone_and_the_conversation_goes_on(store, memory, gone):
    run(say(store, "c", "a", "b", "c", "d"))
    memory.session("c").forget(memory.session("c").items()[gone].id)
    rest = [text for n, text in enumerate("abcd") if n != gone]
    assert texts(run(store.load("c"))) == rest
    run(say(ThreadkeepConversationStore(memory), "c", "e", "f"))
    assert texts(run(store.load("c"))) == [*rest, "e", "f"]


def test_hidden_edited_and_rewound_items_are_so_in_the_conversation(store, memory):
    run(say(store, "c", "a", "b", "c", "d", "e", "f"))
    chat = memory.session("c")
    items = chat.items()
    chat.hide(items[1].id)
    chat.replace(items[2].id, "edited")
    chat.rewind(before=items[5].id)
    assert texts(run(store.load("c"))) == ["a", "edited", "d", "e"]
    run(say(store, "c", "g", "h"))
    assert texts(run(store.load("c"))) == ["a", "edited", "d", "e", "g", "h"]
    chat.clear()
    assert texts(run(store.load("c"))) == []
    run(say(store, "c", "new", "start"))
    assert texts(run(store.load("c"))) == ["new", "start"]


def test_a_branch_that_was_left_is_in_no_window_and_no_search(store, memory):
    run(say(store, "c", "a", "b", "trams", "old"))
    loaded = run(store.load("c"))
    branched = run(store.branch("c", at=2, expected_revision=loaded.revision))
    branched.messages = [*branched.messages, *said("buses", "new")]
    run(store.save(branched))
    assert [item.text for item in memory.session("c").window()] == ["a", "b", "buses", "new"]
    record = run(store.read_record("c"))
    back = run(store.branch("c", from_entry=record.branches[0], expected_revision=record.revision))
    assert texts(back) == ["a", "b", "trams", "old"]
    assert [item.text for item in memory.session("c").window()] == ["a", "b", "trams", "old"]


def test_a_deleted_session_takes_what_forks_had_of_it(store, memory):
    run(say(store, "c", "a", "b"))
    run(store.fork("c", new_conversation_id="f"))
    run(say(store, "f", "c", "d"))
    memory.session("c").delete()
    assert texts(run(store.load("f"))) == ["c", "d"]
    run(say(store, "c", "another", "one"))
    assert texts(run(store.load("f"))) == ["c", "d"], "of the new one it has nothing"
    assert texts(run(store.load("c"))) == ["another", "one"]


def test_of_a_deleted_conversation_nothing_is_left_in_the_store(store, memory):
    run(say(store, "c", "secret", "b"))
    run(store.fork("c", new_conversation_id="f"))
    run(store.fork("f", new_conversation_id="g"))
    run(store.delete("c"))
    assert memory.session("c").items() == []
    assert memory.sessions(user="nobody") == []
    assert texts(run(store.load("g"))) == ["secret", "b"]
    run(store.delete("f"))
    assert texts(run(store.load("g"))) == ["secret", "b"]
    run(store.delete("g"))
    for name in "cfg":
        assert memory.session(name).info() is None
        assert memory.session(name).items(hidden=True) == []


def test_a_fork_comes_back_to_what_it_left_of_a_source_that_was_deleted(store):
    run(say(store, "c", "a", "b"))
    whole = run(store.load_entries("c"))
    run(store.fork("c", new_conversation_id="f"))
    revision = run(store.read_record("f")).revision
    run(store.branch("f", at=1, expected_revision=revision))
    run(store.delete("c"))
    record = run(store.read_record("f"))
    assert texts(run(store.load("f"))) == ["a"]
    back = run(store.branch("f", from_entry=whole[1].id, expected_revision=record.revision))
    assert texts(back) == ["a", "b"]


def test_a_large_conversation_is_saved_in_several_steps(store, memory):
    messages = said(*(f"{n} {'x' * 3000}" for n in range(1600)))
    conversation = Conversation(conversation_id="c", messages=messages)
    run(store.save(conversation))
    assert len(memory.session("c").items()) == 1600
    assert run(store.load("c", limit=3)).messages == messages[-3:]
    picture = Conversation(conversation_id="p", messages=said("y" * 200_000, "z" * 5_000_000))
    run(store.save(picture))
    assert run(store.load("p")).messages == picture.messages


def test_a_save_of_several_steps_that_meets_another_is_taken_back(store, memory, monkeypatch):
    backend = memory.backend
    commit, met = backend.commit, []

    def meeting(stream, *args, **kwargs):
        made = commit(stream, *args, **kwargs)
        if len(kwargs.get("put", ())) > 500 and not met:
            met.append(stream)
            memory.session("c").add(Item(content="in between"))
        return made

    monkeypatch.setattr(backend, "commit", meeting)
    conversation = Conversation(conversation_id="c", messages=said(*("x" for _ in range(1600))))
    with pytest.raises(ConversationConflict):
        run(store.save(conversation))
    assert met
    assert [item.text for item in memory.session("c").items()] == ["in between"]


DAMAGES = (
    {},
    {"record": 1},
    {"record": {"head_id": "x"}},
    {"tree": 1},
    {"tree": [[0]]},
    {"tree": [["x", None]]},
    {"tree": [[0, ["c"]]]},
    {"tree": [[0, [1, 2, 3]]]},
    {"tree": [[0, ["c", "t", "x", None, 1]]]},
    {"items": []},
    {"life": "x"},
)


def test_a_record_that_cannot_be_read_is_named_and_its_messages_are_not_lost(store, memory):
    run(say(store, "c", "a", "b"))
    stream = next(name for name in memory.backend.streams("")[0] if "/session/c" in name)
    stored = memory.backend.read(Query(stream, "conversation"), now=0.0)[0].records[0]
    for damage in DAMAGES:
        body = json.dumps({**json.loads(stored.body), **damage}) if damage else "{"
        record = threadkeep.Record("conversation", "conversation", body, 0.0)
        memory.backend.commit(stream, put=[record], now=1.0)
        with pytest.raises(CorruptRecord, match="'c'"):
            run(store.load("c"))
    assert [item.text for item in memory.session("c").items()] == ["a", "b"]


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"conversation": 1, "at": "x"}', '"c"'])
@pytest.mark.parametrize("kind", ["entry", "fork"])
def test_a_damaged_record_of_an_index_stops_nothing(store, memory, kind, body):
    run(say(store, "c", "a", "b"))
    run(store.fork("c", new_conversation_id="f"))
    backend = memory.backend
    for name in backend.streams("")[0]:
        for record in backend.read(Query(name, kind), now=0.0)[0].records:
            damaged = threadkeep.Record(kind, record.id, body, 0.0)
            backend.commit(name, put=[damaged], now=1.0)
    store = ThreadkeepConversationStore(memory)
    run(store.list_conversations())
    assert texts(run(store.load("f"))) == ["a", "b"]
    run(say(store, "f", "c", "d"))
    run(store.delete("c"))
    assert run(store.load("c")) is None


@pytest.mark.slow
def test_a_turn_costs_the_same_in_ten_thousand_messages(tmp_path, monkeypatch):
    costs = {}
    for size in (100, 10_000):
        with threadkeep.connect(f"sqlite:///{tmp_path}/{size}.db") as memory:
            store = ThreadkeepConversationStore(memory, window={"max_messages": 20})
            messages = said(*(str(n) for n in range(size)))
            run(store.save(Conversation(conversation_id="c", messages=messages)))
            store = ThreadkeepConversationStore(memory, window={"max_messages": 20})
            run(say(store, "c", "warm", "up"))
            costs[size] = counted(
                memory, lambda store=store: say(store, "c", "q", "a"), monkeypatch
            )
    assert costs[100] == costs[10_000]
    reads, records, commits = costs[100]
    assert (reads, records, commits) <= (8, 100, 4)


def counted(memory, turn, monkeypatch):
    """Reads, records that they gave, and commits."""
    backend, counts = memory.backend, [0, 0, 0]
    read, commit = backend.read, backend.commit

    def counting_read(*queries, now):
        pages = read(*queries, now=now)
        counts[0] += 1
        counts[1] += sum(len(page.records) for page in pages)
        return pages

    def counting_commit(*args, **kwargs):
        counts[2] += 1
        return commit(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(backend, "read", counting_read)
        patch.setattr(backend, "commit", counting_commit)
        run(turn())
    return counts


@pytest.fixture(params=["file", "postgres", "mysql", "redis", "redis-cluster", "mongodb"])
def server_memory(request, tmp_path):
    try:
        backend = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception:
        assert request.param not in REQUIRED, "promised by THREADKEEP_TEST_REQUIRE"
        raise
    with threadkeep.Memory(backend, owned=True) as memory:
        yield memory


def test_every_store_does_what_the_frameworks_own_does(server_memory):
    both = Beside(ThreadkeepConversationStore(server_memory), InMemoryConversationStore())

    async def story():
        await say(both, "c", "a", "b", "c", "d")
        await say(both, "c", "e", "f")
        loaded = await both.load("c", limit=3)
        branched = await both.branch("c", at=4, expected_revision=loaded.revision)
        branched.messages = [*branched.messages, *said("g", "h")]
        await both.save(branched)
        await both.fork("c", at=3, new_conversation_id="f")
        await say(both, "f", "i", "j")
        record = await both.read_record("c")
        for entry in record.branches:
            await both.branch("c", from_entry=entry, expected_revision=record.revision)
        await both.list_conversations(limit=1)
        with pytest.raises(ConversationConflict):
            await both.save(loaded)
        await both.delete("c")
        assert texts(await both.load("f")) == ["a", "b", "c", "i", "j"]
        both.ours = ThreadkeepConversationStore(server_memory)
        await both.load_entries("f", limit=2)
        await both.delete("f")
        assert list(await both.list_conversations()) == []

    run(story())
    assert server_memory.session("c").items(hidden=True) == []


def test_branches_and_forks_are_the_same_in_a_copy_of_the_store(tmp_path):
    urls = [f"sqlite:///{tmp_path}/old.db", f"file:{tmp_path}/new"]
    with threadkeep.connect(urls[0]) as old, threadkeep.connect(urls[1]) as new:
        store = ThreadkeepConversationStore(old)
        run(say(store, "c", "a", "b", "c", "d"))
        old.session("c").update(title="records of other kinds take seqs too")
        run(say(store, "c", "e", "f"))
        for at, pair in ((4, "gh"), (2, "ij")):
            revision = run(store.read_record("c")).revision
            branched = run(store.branch("c", at=at, expected_revision=revision))
            branched.messages = [*branched.messages, *said(*pair)]
            run(store.save(branched))
        run(store.fork("c", at=3, new_conversation_id="f"))
        run(say(store, "f", "k", "l"))
        copies = list(copy_streams.copy(old.backend, new.backend, stream_names(old.backend)))
        assert {made.outcome for made in copies} == {"copied"}
        stores = store, ThreadkeepConversationStore(new)
        for id in ("c", "f"):
            assert run(stores[0].load_entries(id)) == run(stores[1].load_entries(id))
        records = [run(one.read_record("c")) for one in stores]
        assert records[0] == records[1]
        assert len(records[0].branches) == 2
        for tip in records[0].branches:
            assert run(stores[0].read_history(tip)) == run(stores[1].read_history(tip))
        run(say(stores[1], "c", "m", "n"))
        assert texts(run(stores[1].load("c"))) == ["a", "b", "i", "j", "m", "n"]
        run(stores[1].delete("c"))
        assert texts(run(stores[1].load("f"))) == ["a", "b", "i", "k", "l"]
