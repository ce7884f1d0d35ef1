"""`Session.add`: what comes back, what an id is, and that bad input writes nothing."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.engine.doubles import START, Judge
from threadkeep import Item
from threadkeep.errors import InputError


def texts(chat):
    return [item.content for item in chat.items()]


def test_what_is_added_comes_back_as_it_was_told(chat):
    added = chat.add({"role": "user", "content": "hi"}, "and", Item(role="assistant", content="o"))
    assert [(item.role, item.content) for item in added] == [
        ("user", "hi"),
        ("user", "and"),
        ("assistant", "o"),
    ]
    assert [item.seq for item in added] == sorted({item.seq for item in added})
    assert len({item.id for item in added}) == 3
    assert chat.items() == added


def test_every_field_of_an_item_is_kept(chat):
    full = Item(
        id="one",
        type="tool_result",
        role="tool",
        name="weather",
        content=[{"type": "text", "text": "sun"}, {"type": "json", "value": {"a": [1, None, 2.5]}}],
        tool_call_id="call_1",
        status="completed",
        model="gpt-5",
        usage={"input_tokens": 3},
        metadata={"a": {"b": [True, None]}},
        created_at=datetime(2024, 2, 29, 12, 0, 0, 123456, UTC),
        raw={"format": "own/1", "data": {"x": 1}},
    )
    (added,) = chat.add(full)
    assert chat.items() == [added] == [dataclasses.replace(full, seq=added.seq)]
    calls = [{"id": "call_1", "name": "weather", "args": {"city": "Rome"}}]
    (called,) = chat.add(Item(role="assistant", content="", tool_calls=calls))
    assert chat.items(last=1) == [called]
    assert called.tool_calls == calls


def test_adding_nothing_begins_nothing(chat):
    assert chat.add() == []
    assert chat.info() is None


def test_an_empty_text_is_a_message_too(chat):
    chat.add("")
    assert texts(chat) == [""]


@pytest.mark.proves("C1")
def test_an_id_added_again_keeps_its_place_and_takes_the_new_content(chat, clock):
    first = chat.add({"role": "user", "content": "one", "id": "m1"}, "two")
    clock.tick(5)
    again = chat.add({"role": "user", "content": "one!", "id": "m1"}, "three")
    assert again[0].seq == first[0].seq
    assert texts(chat) == ["one!", "two", "three"]


@pytest.mark.proves("C1")
def test_a_whole_batch_may_be_added_again(chat):
    batch = [{"role": "user", "content": str(n), "id": f"m{n}"} for n in range(1_500)]
    first = chat.add(*batch)
    assert [item.seq for item in chat.add(*batch)] == [item.seq for item in first]
    assert texts(chat) == [str(n) for n in range(1_500)]


@pytest.mark.proves("C1")
def test_ids_are_idempotent_across_handles_and_memories(opened):
    for _ in range(2):
        opened().session("chat", user="ada").add({"role": "user", "content": "x", "id": "m1"})
    assert texts(opened().session("chat")) == ["x"]


@pytest.mark.parametrize("placeholder", ["", "__fake_id__", None])
def test_a_placeholder_is_no_id(chat, placeholder):
    message = {"role": "assistant", "content": "x", "id": placeholder}
    added = chat.add(message, message) + chat.add(message)
    assert len({item.id for item in added}) == 3
    assert placeholder not in {item.id for item in added}
    assert len(chat.items()) == 3


def test_one_id_twice_in_a_call_is_refused_whole(chat):
    with pytest.raises(InputError, match="'m1'"):
        chat.add("before", *[{"role": "user", "content": "x", "id": "m1"}] * 2)
    assert chat.info() is None


def test_minted_ids_are_never_equal(chat):
    assert len({item.id for item in chat.add(*["x"] * 3_000)}) == 3_000


def test_thousands_in_one_call_keep_their_order(chat):
    added = chat.add(*(str(n) for n in range(2_500)))
    assert chat.items() == added
    assert texts(chat) == [str(n) for n in range(2_500)]


def test_more_than_4_mb_in_one_call(chat):
    parts = [f"{n}" * 900_000 for n in range(1, 10)]
    added = chat.add(*parts)
    assert [item.seq for item in added] == sorted({item.seq for item in added})
    assert texts(chat) == parts


@pytest.mark.slow
def test_a_message_of_more_than_64_mb_is_refused(chat):
    for big in ("x" * 64_000_001, "é" * 32_000_001):
        with pytest.raises(InputError, match=r"message 1 .*64"):
            chat.add("small", big)
    assert chat.info() is None


def test_a_message_of_just_under_4_mb_is_kept(chat):
    chat.add("x" * 3_999_900)
    assert len(chat.items()[0].content) == 3_999_900


@pytest.mark.parametrize("count", [1, 999, 1_000, 1_001, 2_000])
def test_no_commit_is_beyond_the_limits_of_a_backend(opened, count):
    memory = opened(Judge)
    chat = memory.session("chat", user="ada")
    assert len(chat.add(*["x"] * count)) == count
    assert len(chat.add(*["y"] * count)) == count


def test_no_commit_is_larger_than_4_mb(opened):
    chat = opened(Judge).session("chat", user="ada", metadata={"about": "x" * 1_000})
    chat.add(*["x" * 1_999_900] * 3)
    chat.add(*["x" * 1_999_900] * 3)
    assert len(chat.items()) == 6


BAD = [
    (5, "message 1"),
    (None, "message 1"),
    (b"bytes", "message 1"),
    (["a list"], "message 1"),
    ({}, "message 1.role"),
    ({"role": "user"}, "message 1.content"),
    ({"content": "x"}, "message 1.role"),
    ({"role": "", "content": "x"}, "message 1.role"),
    ({"role": 5, "content": "x"}, "message 1.role"),
    ({"role": "user", "content": 5}, "message 1.content"),
    ({"role": "user", "content": b"x"}, "message 1.content"),
    ({"role": "user", "content": [5]}, "message 1.content"),
    ({"role": "user", "content": "x", "id": 5}, "message 1.id"),
    ({"role": "user", "content": "x", "metadata": "m"}, "message 1.metadata"),
    ({"role": "user", "content": "x", "metadata": {"a": {1, 2}}}, "message 1.metadata.a"),
    ({"role": "user", "content": "x", "metadata": {"a": {5: 1}}}, "message 1.metadata.a"),
    ({"role": "user", "content": "x", "metadata": {"a": object()}}, "message 1.metadata.a"),
    ({"role": "user", "content": "x", "metadata": {"a": [b"x"]}}, "message 1.metadata.a"),
    ({"role": "user", "content": "x", "created_at": "soon"}, "message 1.created_at"),
    ({"role": "user", "content": "x", "created_at": True}, "message 1.created_at"),
    ({"role": "user", "content": "x", "created_at": 1e20}, "message 1.created_at"),
    ({"role": "user", "content": "x", "created_at": float("nan")}, "message 1.created_at"),
    ({"role": "user", "content": "x", "usage": 3}, "message 1.usage"),
    ({"role": "assistant", "content": "", "tool_calls": {"id": "a"}}, "message 1.tool_calls"),
    ({"role": "assistant", "content": "", "tool_calls": ["a"]}, "message 1.tool_calls"),
    (Item(role="user", content=5), "message 1.content"),  # type: ignore[arg-type]
    (Item(role="user", metadata=5), "message 1.metadata"),  # type: ignore[arg-type]
    (Item(role="user", created_at="soon"), "message 1.created_at"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("bad", "where"), BAD)
def test_bad_input_names_the_field_and_writes_nothing(chat, bad, where):
    with pytest.raises(InputError) as caught:
        chat.add("before", bad, "after")
    assert where in str(caught.value)
    assert chat.info() is None


@pytest.mark.parametrize(
    "number", [float("nan"), float("inf"), 10**5_000], ids=["nan", "inf", "5,001 digits"]
)
def test_numbers_that_json_has_not_are_refused(chat, number):
    with pytest.raises(InputError, match="message 1"):
        chat.add("before", {"role": "user", "content": "x", "metadata": {"n": number}})
    assert chat.info() is None


def test_what_holds_itself_is_refused(chat):
    loop: dict = {}
    loop["loop"] = loop
    with pytest.raises(InputError, match="message 0"):
        chat.add({"role": "user", "content": "x", "metadata": loop})
    assert chat.info() is None


def test_bad_input_at_the_end_of_thousands_writes_none_of_them(chat):
    chat.add("there")
    with pytest.raises(InputError, match="message 2500"):
        chat.add(*["x"] * 2_500, {"role": "user", "content": {1}})
    assert texts(chat) == ["there"]


def test_bad_metadata_of_the_session_writes_nothing(memory):
    chat = memory.session("chat", user="ada", metadata={"a": object()})
    with pytest.raises(InputError, match=r"session\.metadata\.a"):
        chat.add("x")
    assert memory.session("chat").info() is None
    assert memory.sessions(user="ada") == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (1_000_000_000, datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)),
        (1_000_000_000.25, datetime(2001, 9, 9, 1, 46, 40, 250_000, UTC)),
        ("2024-02-29T12:00:00+02:00", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (
            datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=-5))),
            datetime(2024, 2, 29, 17, tzinfo=UTC),
        ),
    ],
)
def test_a_date_may_be_told_in_several_ways(chat, given, said):
    (added,) = chat.add({"role": "user", "content": "x", "created_at": given})
    assert added.created_at == said
    assert added.created_at.utcoffset() == timedelta(0)
    assert chat.items() == [added]


def test_without_a_date_it_is_the_clocks(chat, clock):
    clock.tick(0.123456789)
    (added,) = chat.add("x")
    assert added.created_at == datetime.fromtimestamp(START + 0.123457, UTC)
    assert chat.items() == [added]


def test_seq_orders_and_never_the_clock(chat, clock):
    for n in range(5):
        chat.add(f"{n}")
        clock.tick(-100)
    assert texts(chat) == list("01234")


def test_the_callers_objects_stay_the_callers(chat):
    metadata = {"tags": ["a"]}
    (added,) = chat.add({"role": "user", "content": "x", "metadata": metadata})
    metadata["tags"].append("b")
    chat.items()[0].metadata["tags"].append("c")
    assert chat.items()[0].metadata == {"tags": ["a"]}
    assert added.seq
