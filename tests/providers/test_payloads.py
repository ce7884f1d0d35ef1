"""`raw`: the writer's own payload, kept where the fields lose something, gone when they change."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from unittest import mock

import pytest

from threadkeep import connect
from threadkeep.errors import InputError
from threadkeep.messages import (
    parse,
    to_anthropic,
    to_openai,
    to_responses,
)
from threadkeep.types import Item

PLAIN = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "hello", "refusal": None, "annotations": [], "audio": None},
    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    {"role": "user", "content": "hi", "name": "ada"},
    {"role": "tool", "tool_call_id": "c", "content": "sunny"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"q":1}'}}
        ],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "r"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "r"},
]
RICH = [
    {"role": "assistant", "content": "see", "annotations": [{"type": "url_citation"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{ "q": 1 }'}}
        ],
    },
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "brand_new_item", "id": "bn_1", "payload": {"a": 1}},
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c", "cache_control": {"type": "e"}}],
    },
]


@pytest.mark.parametrize("message", PLAIN, ids=str)
def test_no_payload_where_the_fields_say_it_all(message):
    (item,) = parse(message)
    assert item.raw is None


@pytest.mark.parametrize("message", RICH, ids=str)
def test_a_payload_where_they_do_not(message):
    (item,) = parse(message)
    assert item.raw is not None
    data = dict(message) if "content" in message else message
    assert data.items() <= item.raw["data"].items()


def changed(item):
    """The item with each of what it says changed in turn."""
    yield dataclasses.replace(item, content="something else")
    yield dataclasses.replace(item, role="critic")
    yield dataclasses.replace(item, name="Bob")
    if item.tool_calls:
        (call,) = item.tool_calls
        yield dataclasses.replace(item, tool_calls=[{**call, "args": {"q": 2}}])
        yield dataclasses.replace(item, tool_calls=[])


@pytest.mark.parametrize("message", RICH, ids=str)
def test_an_edited_item_has_no_payload(message):
    (item,) = parse(message)
    assert parse(item) == [item]
    for edited in changed(item):
        assert parse(edited)[0].raw is None


def test_what_is_no_part_of_what_is_said_leaves_the_payload():
    (item,) = parse(RICH[0])
    (again,) = parse(dataclasses.replace(item, metadata={"seen": True}, model="m"))
    assert again.raw == item.raw


def test_a_payload_of_somebody_else_is_theirs_to_judge():
    raw = {"format": "langchain/1", "data": {"anything": 1}}
    assert parse(Item(content="x", raw=raw))[0].raw == raw
    (shown,) = to_openai([Item(content="x", raw=raw)])
    assert shown == {"role": "user", "content": "x"}


@pytest.mark.parametrize("data", [None, 5, "text", {}, {"type": "message"}, {"role": 5}])
def test_a_forged_payload_is_not_believed(data):
    for format_ in ("openai-chat/1", "openai-responses/1", "anthropic/1"):
        forged = Item(content="x", raw={"format": format_, "data": data})
        assert parse(forged)[0].raw is None
        assert to_openai([forged])[0]["content"] == "x"
        assert to_responses([forged])[0]["content"] == "x"
        assert to_anthropic([forged])[0]["content"] == "x"


@pytest.mark.parametrize("placeholder", ["", "__fake_id__", None])
def test_an_id_that_says_nothing_is_no_key(placeholder):
    message = {"role": "assistant", "content": "x", "id": placeholder}
    with connect("memory://") as memory:
        chat = memory.session("chat", user="ada")
        first, second = chat.add(message, {**message, "content": "y"})
        assert first.id != second.id
        assert not {first.id, second.id} & {"", "__fake_id__"}
        assert [item.content for item in chat.items()] == ["x", "y"]


def test_the_placeholder_of_an_id_is_never_sent():
    (item,) = parse({"type": "reasoning", "id": "__fake_id__", "summary": []})
    assert item.id == ""
    assert "__fake_id__" not in str(to_responses([item, Item(role="assistant", content="so")]))


def test_one_message_of_anthropics_with_results_and_words_is_several_items():
    blocks = [
        {"type": "tool_result", "tool_use_id": "a", "content": "1"},
        {"type": "tool_result", "tool_use_id": "b", "content": "2", "is_error": True},
        {"type": "text", "text": "and now?"},
    ]
    found = parse({"role": "user", "content": blocks, "id": "msg_1"})
    assert [(item.role, item.tool_call_id, item.status, item.text) for item in found] == [
        ("tool", "a", None, "1"),
        ("tool", "b", "error", "2"),
        ("user", None, None, "and now?"),
    ]
    assert [item.id for item in found] == ["", "", ""], "one id cannot be the key of three"


def test_a_list_is_not_a_message():
    with pytest.raises(InputError, match=r"message is a list; add its entries: add\(\*messages\)"):
        parse([{"role": "user", "content": "x"}])


@pytest.mark.parametrize("role", ["user", "assistant", "system", "developer", "tool", "critic"])
@pytest.mark.parametrize("content", ["", "said", "\ud800 é", None, [{"type": "text", "text": "x"}]])
@pytest.mark.parametrize("call", [None, "", "call_1", "x" * 40, "x" * 41])
def test_the_short_way_for_simple_messages_leads_where_the_long_one_does(role, content, call):
    message = {"role": role, "content": content}
    if call is not None:
        message["tool_call_id"] = call

    def read(given):
        try:
            return parse(given)
        except InputError as error:
            return str(error)

    assert read(message) == read(MappingProxyType(message)), "a Mapping that is no dict goes long"


@pytest.mark.parametrize("field", ["id", "role", "name", "status", "model", "usage", "metadata"])
@pytest.mark.parametrize("value", [None, "", "x", "__fake_id__", 7, {}, {"a": 1}])
def test_an_item_of_words_goes_a_short_way_that_leads_where_the_long_one_does(field, value):
    item = dataclasses.replace(Item(content="said", seq=3), **{field: value})

    def read():
        try:
            return parse(item)
        except InputError as error:
            return str(error)

    short = read()
    with mock.patch("threadkeep.messages.parse.copy_plain", return_value=None):
        assert read() == short
