"""Windows of a session whose newest items are known: what is asked of the store, what is shown."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import gc
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.doubles import Clock, Counting
from threadkeep import Item, Window, connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.core.cache import recent_items, session_info
from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.core.cache.generational import MAX_AGE
from threadkeep.errors import NotFound, NotOwner
from threadkeep.policies import keep_system, max_messages
from threadkeep.types import Record

RICH = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "name": "look", "args": {"places": [{"name": "Bonn"}]}}],
        "usage": {"input_tokens": 3, "details": {"cached": 1}},
        "metadata": {"tags": ["a"]},
    },
    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    Item(role="assistant", content="It is sunny.", raw={"format": "x/1", "data": {"k": [1]}}),
]


@contextlib.contextmanager
def set_back(backend):
    """What is written inside is lost, as by a failover to a replica that lags behind."""
    before = copy.deepcopy(backend.__dict__.get("_streams"))
    assert before, "how this backend keeps its streams has changed"
    yield
    backend._streams = before


def warm(chat, *messages):
    """The session, with its newest items known."""
    chat.add(*(messages or ["one", "two", "three"]))
    chat.window()
    return chat


def texts(items):
    return [item.text for item in items]


def test_a_turn_of_who_writes_alone_asks_at_which_version_the_session_is_and_reads_nothing(opened):
    memory = opened(Counting)
    store, chat = memory._engine.backend, warm(memory.session("chat"))
    store.reset()
    chat.add({"role": "assistant", "content": "four"}, "five")
    assert texts(chat.window(max_messages=2)) == ["four", "five"]
    assert texts(chat.items(last=2)) == ["four", "five"]
    assert (store.reads, store.records) == (2, 0)


def test_a_new_handle_knows_what_another_of_its_memory_knew(opened):
    memory = opened(Counting)
    warm(memory.session("chat"))
    memory._engine.backend.reset()
    assert texts(memory.session("chat").window()) == ["one", "two", "three"]
    assert (memory._engine.backend.reads, memory._engine.backend.records) == (1, 0)
    memory.session("chat").add("four")
    assert (memory._engine.backend.reads, len(memory._engine.backend.commits)) == (1, 1)


def test_what_one_user_made_known_is_not_known_to_another(opened):
    memory = opened(Counting)
    warm(memory.session("chat", user="ada"))
    for verb in (lambda chat: chat.add("x"), lambda chat: chat.window()):
        memory._engine.backend.reset()
        with pytest.raises(NotOwner):
            verb(memory.session("chat", user="bob"))
        assert (memory._engine.backend.reads, memory._engine.backend.commits) == (1, [])


def test_a_new_handle_finds_out_that_a_session_is_another_users_now(opened):
    memory, elsewhere = opened(), opened()
    warm(memory.session("chat", user="ada"))
    elsewhere.session("chat").delete()
    elsewhere.session("chat", user="bob").add("bob's")
    for verb in (
        lambda chat: chat.window(),
        lambda chat: chat.add("x"),
        lambda chat: chat.delete(),
    ):
        with pytest.raises(NotOwner):
            verb(memory.session("chat", user="ada"))
    assert texts(elsewhere.session("chat").items()) == ["bob's"]


def test_what_is_known_of_a_session_goes_with_it(opened, clock):
    memory = opened(Counting, ttl=60)
    memory.session("chat", user="ada", metadata={"a": 1}).add("one")
    clock.tick(60)
    memory.session("chat", user="ada").add("two")
    assert memory.session("chat").info().metadata == {}
    memory.session("chat").delete()
    memory.session("chat", user="bob").add("three")
    assert texts(memory.session("chat", user="bob").items()) == ["three"]


def test_what_is_known_of_a_session_is_nobodys_to_change(opened):
    memory = opened()
    chat = memory.session("chat", user="ada", metadata={"deep": {"a": [1]}})
    chat.add("one")
    before = chat.info()

    def change(metadata):
        metadata["deep"]["a"].append(2)
        raise KeyError("thought better of it")

    shown = chat.info().metadata
    shown["new"] = shown["deep"]["a"] = 5
    with pytest.raises(KeyError):
        chat.update(metadata=change)
    assert memory.session("chat", user="ada").info() == chat.info() == before
    chat.update(title="Told").metadata["deep"]["a"].append(3)
    assert chat.info().metadata == before.metadata


@pytest.mark.parametrize("metadata", [{}, {"state": ["x" * 99] * 99}, {"note": "x" * 999}])
def test_the_sessions_used_last_are_known_and_no_more(opened, monkeypatch, metadata):
    monkeypatch.setattr(session_info, "_CAPACITY", 80 if metadata else 8)
    monkeypatch.setattr(session_info, "_LARGE_WEIGHT", 10)
    memory = opened(Counting)
    for n in range(20):
        memory.session(f"{n}", metadata=metadata).add("x")
    memory._engine.backend.reset()
    for n in (19, 18):
        memory.session(f"{n}").add("y")
    assert memory._engine.backend.reads == 0
    memory.session("0").add("y")
    assert memory._engine.backend.reads == 1


def test_a_window_that_reads_far_back_is_known_as_a_whole(opened):
    memory = opened(Counting)
    chat = warm(memory.session("chat"), *(f"{n} {'word ' * 20}" for n in range(300)))
    window = {"max_tokens": 6_000, "step": 0.5}
    before = chat.window(policy=window)
    memory._engine.backend.reset()
    assert chat.window(policy=window) == before
    assert (memory._engine.backend.reads, memory._engine.backend.records) == (1, 0)


def test_a_new_session_is_known_from_its_first_message_on(opened):
    memory = opened(Counting)
    chat = memory.session("chat")
    chat.add("one", "two")
    memory._engine.backend.reset()
    assert texts(chat.window()) == ["one", "two"]
    chat.add("three")
    assert texts(chat.window(max_messages=20)) == ["one", "two", "three"]
    assert memory._engine.backend.records == 0


def test_where_somebody_else_wrote_a_window_takes_one_more_round_trip_and_no_third(opened):
    memory = opened(Counting)
    chat = warm(memory.session("chat"))
    opened().session("chat").add("four")
    memory._engine.backend.reset()
    assert texts(chat.window()) == ["one", "two", "three", "four"]
    assert memory._engine.backend.reads == 2


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda chat, ids: chat.add("four"), ["one", "two", "three", "four"]),
        (lambda chat, ids: chat.replace(ids[0], "1"), ["1", "two", "three"]),
        (lambda chat, ids: chat.add(Item(id=ids[1], content="2")), ["one", "2", "three"]),
        (lambda chat, ids: chat.remove(ids[1]), ["one", "three"]),
        (lambda chat, ids: chat.rewind(last=1), ["one", "two"]),
        (lambda chat, ids: chat.clear(keep_last=1), ["three"]),
        (lambda chat, ids: chat.clear(), []),
        (lambda chat, ids: chat.set_items("new"), ["new"]),
        (lambda chat, ids: chat.update(title="A title"), ["one", "two", "three"]),
        (lambda chat, ids: chat.delete(), []),
        (lambda chat, ids: (chat.delete(), chat.add("again")), ["again"]),
    ],
)
@pytest.mark.parametrize("here", [True, False], ids=["here", "elsewhere"])
def test_every_change_is_seen_whoever_made_it(opened, change, left, here):
    chat = warm(opened().session("chat"))
    changed = chat if here else opened().session("chat")
    change(changed, [item.id for item in chat.items()])
    assert texts(chat.window()) == left
    chat.add("next")
    assert texts(chat.window()) == [*left, "next"]
    assert chat.window() == opened().session("chat").window()


def test_nobody_is_shown_what_belongs_to_somebody_else(opened):
    memory = opened()
    warm(memory.session("chat", user="ada"))
    with pytest.raises(NotOwner):
        memory.session("chat", user="eve").window()
    with pytest.raises(NotOwner):
        memory.session("chat", user="eve").items(last=1)


def test_who_claims_a_session_shuts_the_others_out(opened):
    memory = opened()
    warm(memory.session("chat"))
    opened().session("chat", user="ada").add("mine")
    with pytest.raises(NotOwner):
        memory.session("chat", user="eve").window()


def spoil(value):
    """Change whatever can be changed in it."""
    if isinstance(value, Item):
        spoil([getattr(value, name) for name in value.__slots__])
    elif isinstance(value, list):
        for entry in value:
            spoil(entry)
        value.append({"role": "user", "content": "spoilt"})
    elif isinstance(value, dict):
        for entry in value.values():
            spoil(entry)
        value["spoilt"] = True


def test_nothing_that_is_handed_out_is_shown_to_anybody_else(opened):
    chat, given = opened().session("chat"), copy.deepcopy(RICH)
    spoil([given, chat.add(*given)])
    policy = [keep_system(), max_messages(5)]
    for _ in range(4):
        shown, newest = chat.window(policy=policy), chat.items(last=3)
        stranger = opened().session("chat")
        assert shown == stranger.window(policy=policy)
        assert newest == stranger.items(last=3)
        assert "spoilt" not in repr([shown, newest])
        for handed in (shown.to_openai(), shown.to_responses(), shown.to_anthropic()):
            spoil(handed)
        spoil([list(shown), newest, shown, chat.add(copy.deepcopy(RICH[2]), RICH[3])])


def test_what_was_changed_in_a_window_is_what_is_sent_of_it(opened):
    chat = warm(opened().session("chat"), *RICH)
    window = chat.window()
    before = window.to_openai()
    window[2].tool_calls[0]["args"]["places"].clear()
    window[3] = dataclasses.replace(window[3], content="rainy")
    window.append(Item(content="And tomorrow?"))
    after = window.to_openai()
    assert json.loads(after[2]["tool_calls"][0]["function"]["arguments"]) == {"places": []}
    assert (after[3]["content"], after[-1]["content"]) == ("rainy", "And tomorrow?")
    assert chat.window().to_openai() == before == copy.deepcopy(chat.window()).to_openai()


@pytest.mark.parametrize("text", ["half \ud83d", "\udc00", "whole \U0001f600", "plain", "\\ud83d"])
def test_what_no_request_can_carry_is_replaced_whether_it_is_known_or_read(opened, text):
    chat = warm(opened().session("chat"), text, {"role": "assistant", "content": text})
    for shown in (chat.window(), opened().session("chat").window(), chat.window()):
        sent = shown.to_openai()
        json.dumps(sent, ensure_ascii=False).encode()
        assert sent == Window(list(shown)).to_openai()


def test_a_policy_of_the_applications_own_may_change_what_it_gets(opened):
    def rude(items):
        for item in items:
            item.metadata["seen"] = True
        return items

    chat = warm(opened().session("chat"))
    for _ in range(2):
        assert all(item.metadata == {"seen": True} for item in chat.window(policy=rude))
        assert not any(item.metadata for item in chat.window())


def test_a_deep_value_comes_back_as_it_was(opened):
    deep: list[object] = []
    for _ in range(60):
        deep = [deep]
    chat = opened().session("chat")
    stored = chat.add({"role": "user", "content": "x", "metadata": {"deep": deep}})
    for _ in range(3):
        assert chat.window()[0].metadata == stored[0].metadata == {"deep": deep}


def test_a_store_that_was_set_back_is_read_anew_after_a_while(clock):
    backend = MemoryBackend()
    memory = connect(backend, clock=clock)
    chat = warm(memory.session("chat"))
    with set_back(backend):
        chat.add("lost")
    connect(backend, clock=clock).session("chat").add("four")
    clock.tick(MAX_AGE)
    assert texts(chat.window()) == ["one", "two", "three", "four"]


def test_so_is_what_is_known_of_a_session_though_it_was_written_to_meanwhile(clock):
    backend = MemoryBackend()
    chat = warm(connect(backend, clock=clock).session("chat", metadata={"state": "old"}))
    with set_back(backend):
        chat.add("lost")
    connect(backend, clock=clock).session("chat").update(metadata={"state": "new"})
    for _ in range(2):
        clock.tick(MAX_AGE / 2)
        chat.add("more")
    assert chat.info().metadata == {"state": "new"}


@pytest.mark.slow
def test_what_is_deleted_is_not_kept_in_memory(opened):
    memory = opened()
    chat = warm(memory.session("chat"), "a secret word: xyzzy")
    assert memory._engine.recent_items.get(chat._stream.stream_name, memory._engine.now())
    chat.delete()
    gc.collect()
    kept = [o for o in gc.get_objects() if type(o) is recent_items.RecentItems]
    assert not any("xyzzy" in repr(entry.copy()) for tail in kept for entry in tail.entries)


def test_what_has_expired_is_not_shown(opened, clock):
    chat = warm(opened(ttl=100).session("chat"))
    clock.tick(50)
    assert len(chat.window()) == 3
    clock.tick(50)
    assert chat.window() == []


def test_tails_take_no_more_than_their_room():
    kept = recent_items.RecentItemsCache()
    entry = CachedItem(Record("item", "a", "x" * 100_000, 0.0))
    alone = recent_items.RecentItems(1, (entry,), True, 1, since=0.0, weight=entry.weight)
    for number in range(1_000):
        kept.put(f"s{number}", alone)
    found = [n for n in range(1_000) if kept.get(f"s{n}", 1.0)]
    assert found[-1] == 999
    assert sum(entry.weight for _ in found) <= 2 * 8_000_000
    kept.put("huge", alone._replace(weight=4_000_000))
    assert kept.get("huge", 1.0) is None


messages = st.sampled_from(
    [
        "said",
        {"role": "assistant", "content": "answered"},
        Item(id="known", content="once"),
        Item(id="known", content="twice"),
        *RICH[2:4],
    ]
)
sizes = st.integers(1, 6)
steps = st.one_of(
    st.tuples(st.just("add"), st.lists(messages, min_size=1, max_size=3, unique_by=repr)),
    st.tuples(st.just("window"), sizes),
    st.tuples(st.just("items"), sizes),
    st.tuples(st.just("rewind"), st.integers(0, 3)),
    st.tuples(st.just("clear"), st.integers(0, 3)),
    st.tuples(st.just("remove"), st.just("known")),
    st.tuples(st.just("replace"), st.just("known")),
    st.tuples(st.just("set_items"), st.lists(messages, max_size=2, unique_by=repr)),
    st.tuples(st.just("delete"), st.none()),
    st.tuples(st.just("wait"), st.just(MAX_AGE / 4)),
)


def take(chat, verb, how):
    match verb:
        case "add" | "set_items":
            ids = [m.id for m in how if isinstance(m, Item)]
            if len(set(ids)) == len(ids):
                getattr(chat, verb)(*how)
        case "window":
            return chat.window(max_messages=how)
        case "items" | "rewind":
            return getattr(chat, verb)(last=how)
        case "clear":
            chat.clear(keep_last=how)
        case "remove":
            chat.remove(how)
        case "replace":
            with contextlib.suppress(NotFound):
                chat.replace(how, "replaced")
        case "delete":
            chat.delete()
    return None


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from([0, 0, 0, 1]), steps), max_size=14), sizes)
def test_who_knows_a_session_is_shown_what_a_stranger_is(script, size):
    backend, clock = MemoryBackend(), Clock()
    chats = [connect(backend, clock=clock).session("chat") for _ in range(2)]
    for who, (verb, how) in script:
        if verb == "wait":
            clock.tick(how)
            continue
        shown = take(chats[who], verb, how)
        stranger = connect(backend, clock=clock).session("chat")
        if verb in ("window", "items"):
            assert shown == take(stranger, verb, how)
    stranger = connect(backend, clock=clock).session("chat")
    for chat in chats:
        assert chat.window(max_messages=size) == stranger.window(max_messages=size)
        assert chat.items(last=size) == stranger.items(last=size)
