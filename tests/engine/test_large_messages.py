"""Large parts of messages stand beside the session, and come back as they were."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings

from tests.engine import large_messages
from tests.engine.doubles import Clock, Counting, Judge
from tests.engine.large_messages import photo, picture, pieces, references
from threadkeep import connect
from threadkeep.backends.encrypted import new_key
from threadkeep.errors import InputError, NotOwner
from threadkeep.sessions import blob_upload
from threadkeep.types import KEEP, Drop, Item, Query, Record

pytestmark = pytest.mark.proves("D4")

few = settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                           HealthCheck.data_too_large],
)  # fmt: skip


def inline(item):
    """The item as JSON, as it is with everything in it."""
    return json.loads(json.dumps(dataclasses.asdict(item), default=str))


@few
@given(message=large_messages.messages)
@pytest.mark.parametrize("key", [None, "key"], ids=["plain", "encrypted"])
def test_any_message_comes_back_as_it_was(key, message):
    options = {} if key is None else {"key": new_key()}
    with connect("memory://", **options) as memory:
        chat = memory.session("chat", user="ada")
        added = chat.add(message)
        assert all(type(item.metadata) is dict for item in [*chat.items(), *chat.window()])
        assert [inline(item) for item in chat.items()] == [inline(item) for item in added]
        assert [inline(item) for item in chat.window()] == [inline(item) for item in added]
        record = memory._engine.read(Query(chat._stream.stream_name, "item"))[0].records[0]
        large = [v for v in texts_of(json.loads(record.body)) if len(v) > 64_000]
        assert not large


def texts_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from texts_of(entry)


def test_a_message_of_thirty_megabytes_keeps_the_limits_of_a_commit(opened):
    memory = opened(Judge)
    chat = memory.session("chat", user="ada")
    [added] = chat.add(photo(22_000_000))
    assert chat.items() == [added]
    assert (
        memory.session("chat").window().to_anthropic()[0]["content"][1]["source"]["data"]
        == (added.content[1]["base64"])
    )


def test_what_is_more_than_64_mb_is_refused_and_nothing_written(memory):
    chat = memory.session("chat", user="ada")
    with pytest.raises(InputError, match=r"message 0 is 7\d,\d+,\d+ bytes, at most 64,000,000"):
        chat.add({"role": "user", "content": "x" * 70_000_000})
    assert chat.info() is None
    assert pieces(memory) == 0


def test_a_session_has_a_quota_that_counts_what_its_items_show(memory, monkeypatch):
    monkeypatch.setattr(blob_upload, "MAX_SESSION", 400_000)
    chat = memory.session("chat", user="ada")
    first = chat.add(photo(seed=1), photo(seed=2))[0]
    chat.add(photo(seed=1))  # the same picture again
    with pytest.raises(InputError, match="parts over 64 kB, at most 400,000"):
        chat.add(photo(seed=3))
    assert len(chat.items()) == 3
    chat.replace(first.id, {"role": "user", "content": "no picture"})
    chat.rewind(last=1)
    chat.add(photo(seed=3))


def test_a_picture_is_stored_once_and_goes_with_its_last_item(memory):
    chat = memory.session("chat", user="ada")
    first, second = chat.add(photo(seed=5), photo(seed=5))
    assert (pieces(memory), references(memory)) == (1, 2)
    chat.remove(first.id)
    assert (pieces(memory), references(memory)) == (1, 1)
    assert chat.items() == [second]
    chat.forget(second.id)
    assert (pieces(memory), references(memory)) == (0, 0)


REMOVALS = {
    "remove": lambda memory, chat, item: chat.remove(item.id),
    "forget": lambda memory, chat, item: chat.forget(item.id),
    "rewind": lambda memory, chat, item: chat.rewind(last=1),
    "clear": lambda memory, chat, item: chat.clear(),
    "replace": lambda memory, chat, item: chat.replace(item.id, "short"),
    "set_items": lambda memory, chat, item: chat.set_items("short"),
    "delete": lambda memory, chat, item: chat.delete(),
    "forget the user": lambda memory, chat, item: memory.user("ada").forget(),
    "delete as operator": lambda memory, chat, item: memory.session("chat").delete(),
}


@pytest.mark.parametrize("verb", REMOVALS)
def test_nothing_of_it_is_left_at_once(memory, verb):
    chat = memory.session("chat", user="ada")
    item = chat.add(photo())[0]
    assert pieces(memory) == 1
    REMOVALS[verb](memory, chat, item)
    assert (pieces(memory), references(memory)) == (0, 0)


def test_items_that_stay_keep_their_parts(memory):
    chat = memory.session("chat", user="ada")
    items = chat.add(photo(), "hi", photo(), "there")
    chat.clear(keep_last=2)
    assert chat.items() == items[2:]
    assert pieces(memory) == 1
    same = chat.set_items(items[2], "new")
    assert chat.items() == same
    chat.replace(items[2].id, dataclasses.replace(items[2], name="Ada"))
    assert chat.items()[0].content == items[2].content
    assert (pieces(memory), references(memory)) == (1, 1)


def test_hidden_items_keep_their_parts(memory):
    chat = memory.session("chat", user="ada")
    item = chat.add(photo())[0]
    chat.hide(item.id)
    assert chat.items() == []
    assert chat.items(hidden=True)[0].content == item.content
    chat.unhide(item.id)
    assert chat.items() == [item]


def test_a_fork_has_parts_of_its_own(memory):
    chat = memory.session("chat", user="ada")
    item = chat.add(photo())[0]
    copy = chat.fork("copy")
    chat.delete()
    assert copy.items()[0].content == item.content


def test_the_parts_never_expire_before_the_session(opened, clock):
    memory = opened(ttl=100)
    chat = memory.session("chat", user="ada")
    item = chat.add(photo())[0]
    for _ in range(5):
        clock.tick(60)
        chat.add("more")
    assert chat.items()[0] == item


def test_a_session_that_expired_leaves_nothing_after_a_sweep(opened, clock):
    memory = opened(ttl=100)
    memory.session("chat", user="ada").add(photo())
    clock.tick(3_000)
    memory.sweep()
    assert pieces(memory) == 1  # within the grace
    clock.tick(4_000)
    assert memory.sweep() > 0
    assert (pieces(memory), references(memory)) == (0, 0)


def test_what_retention_deletes_leaves_nothing_after_a_sweep(opened, clock):
    memory = opened(retain={"max_turns": 1})
    chat = memory.session("chat", user="ada")
    chat.add(photo(), {"role": "assistant", "content": "I see"})
    chat.add(photo())
    clock.tick(4_000)
    memory.sweep()
    assert pieces(memory) == 1
    assert chat.items()[0].content[1]["type"] == "image"


def test_a_window_that_does_not_show_a_picture_does_not_read_it(opened):
    memory = opened(Counting)
    chat = memory.session("chat", user="ada")
    chat.add(photo(3_000_000), *[{"role": "assistant", "content": "hello"}] * 60, "hi")
    counting = memory.backend
    for fresh in (memory, opened(Counting)):
        reader = fresh.session("chat", user="ada")
        fresh.backend.reset()
        assert len(reader.window(max_messages=10)) == 10
        without = fresh.backend.records
        assert without <= 70
        fresh.backend.reset()
        window = reader.window(max_messages=62)
        assert len(window) == 62
        assert window[0].content[1]["base64"]
        pages = 5  # pieces of 1 MB
        assert fresh.backend.reads <= 4
        assert fresh.backend.records <= 140 + pages
    assert counting is memory.backend


def test_a_long_text_counts_in_a_window_before_it_is_read(memory):
    chat = memory.session("chat", user="ada")
    chat.add("word " * 100_000, "one", {"role": "assistant", "content": "two"}, "three")
    assert [item.text for item in chat.window(max_tokens=1_000)] == ["one", "two", "three"]
    assert [item.text for item in chat.window(max_characters=300_000)] == ["one", "two", "three"]
    assert chat.window(max_characters=600_000)[0].text == "word " * 100_000


def test_a_policy_of_ones_own_sees_the_whole_text(memory):
    chat = memory.session("chat", user="ada")
    chat.add("word " * 20_000 + "needle", "other")
    window = chat.window(policy=lambda items: [i for i in items if "needle" in i.text])
    assert window[0].text.endswith("needle")


def test_a_reference_gives_the_whole_item(memory):
    chat = memory.session("chat", user="ada")
    item = chat.add({"role": "user", "content": "word " * 20_000, "id": "msg_1"})[0]
    again = chat.add({"type": "item_reference", "id": "msg_1"}, "more")
    assert again[0].text == item.text


def test_the_same_message_again_is_stored_once(memory):
    chat = memory.session("chat", user="ada")
    message = {**photo(seed=7), "id": "m1"}
    first = chat.add(message)
    assert chat.add(message)[0].content == first[0].content
    assert (len(chat.items()), pieces(memory)) == (1, 1)


def test_a_missing_piece_makes_one_item_unreadable(memory):
    chat = memory.session("chat", user="ada")
    chat.add(photo(seed=8), "hi")
    name = memory._engine.stream("blob", "chat")
    memory._engine.commit(name, drop=[Drop("piece")], ttl=KEEP)
    assert [item.type for item in chat.items()] == ["opaque", "message"]
    assert chat.items()[0].metadata["unreadable"] == "a large part of it is missing"


def test_the_store_of_another_user_takes_no_parts(memory):
    memory.session("chat", user="ada").add("mine")
    with pytest.raises(NotOwner):
        memory.session("chat", user="bob").add(photo())
    assert pieces(memory) == 0


def test_an_item_of_before_with_a_large_part_within_is_read(memory):
    """Earlier versions kept up to 4 MB in the record."""
    chat = memory.session("chat", user="ada")
    item = chat.add("hi")[0]
    body = json.dumps({"role": "user", "content": [{"type": "image", "base64": picture()}]})
    record = Record("item", item.id, body, Clock().now)
    memory._engine.commit(chat._stream.stream_name, put=[record], ttl=KEEP)
    assert len(chat.items()[0].content[0]["base64"]) > 100_000


def test_an_item_is_immutable_in_what_was_read(memory):
    chat = memory.session("chat", user="ada")
    chat.add(photo(seed=9))
    chat.items()[0].content.clear()
    chat.window()[0].content.clear()
    assert isinstance(chat.items()[0], Item)
    assert len(chat.window()[0].content) == 2
