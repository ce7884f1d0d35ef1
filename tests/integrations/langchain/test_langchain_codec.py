"""Every LangChain message comes back from the store exactly as it was."""

from __future__ import annotations

import dataclasses
import json
import logging
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.tool import invalid_tool_call, tool_call
from pydantic import BaseModel

import threadkeep
from langchain_threadkeep.conversation import in_reply_order, to_messages
from langchain_threadkeep.leaves import pack, unpack
from langchain_threadkeep.messages import message_id, to_item, to_message
from threadkeep import Item
from threadkeep.errors import InputError

PNG = "iVBORw0KGgo" * 20
CALL = tool_call(name="weather", args={"city": "Lisbon"}, id="call_1")
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
MESSAGES = {
    "human": HumanMessage("hi"),
    "human with id and name": HumanMessage("hi", id="m1", name="ada"),
    "no words": AIMessage(""),
    "system": SystemMessage("be kind"),
    "developer": SystemMessage("x", additional_kwargs={"__openai_role__": "developer"}),
    "answer": AIMessage(
        "hello",
        id="lc_run--1",
        usage_metadata={**USAGE, "input_token_details": {"cache_read": 2}},
        response_metadata={"model_name": "gpt-5", "logprobs": None, "finish_reason": "stop"},
    ),
    "call": AIMessage("", tool_calls=[CALL]),
    "call without an id": AIMessage("", tool_calls=[tool_call(name="f", args={}, id=None)]),
    "invalid call": AIMessage(
        "", invalid_tool_calls=[invalid_tool_call(name="f", args="{", id="c", error="not JSON")]
    ),
    "legacy call": AIMessage(
        "", additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}}
    ),
    "result": ToolMessage("21", tool_call_id="call_1", name="weather"),
    "failed result": ToolMessage("no", tool_call_id="call_1", status="error"),
    "result with JSON artifact": ToolMessage("x", tool_call_id="c", artifact={"rows": [1, None]}),
    "result with documents": ToolMessage(
        "x", tool_call_id="c", artifact=[Document("text", id="d", metadata={"page": 3})]
    ),
    "result with odd artifact": ToolMessage(
        "x", tool_call_id="c", artifact={"s": {1, 2}, "b": b"\0\xff", "t": (1, [2]), 5: "five"}
    ),
    "dates": AIMessage("x", response_metadata={"at": datetime(2026, 1, 2, tzinfo=UTC)}),
    "log probabilities": AIMessage("x", response_metadata={"p": float("-inf"), "q": 1.0}),
    "chat": ChatMessage("x", role="narrator"),
    "chat as a user": ChatMessage("x", role="user"),
    "chat without a role": ChatMessage("x", role=""),
    "function": FunctionMessage("x", name="f"),
    "remove": RemoveMessage(id="m1"),
    "more fields": HumanMessage("x", mood="good", example=True),
    "text parts": HumanMessage([{"type": "text", "text": "a"}, "b"]),
    "image by url": HumanMessage([{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]),
    "image data": HumanMessage(
        [{"type": "image_url",
          "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}]
    ),
    "image of anthropic": HumanMessage(
        [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}]
    ),
    "blocks v1": HumanMessage(
        content_blocks=[
            {"type": "text", "text": "look", "annotations": []},
            {"type": "image", "base64": PNG, "mime_type": "image/png", "id": "i1"},
            {"type": "file", "url": "https://x/y.pdf"},
            {"type": "audio", "file_id": "f1"},
        ]
    ),
    "answer in blocks v1": AIMessage(
        content_blocks=[
            {"type": "reasoning", "reasoning": "hm " * 40, "extras": {"signature": "s"}},
            {"type": "text", "text": "done", "id": "msg_1", "annotations": [{"type": "citation"}]},
            CALL,
        ],
        response_metadata={"output_version": "v1"},
    ),
    "thinking of anthropic": AIMessage(
        [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Lisbon"}},
        ],
        tool_calls=[CALL],
        response_metadata={"model_provider": "anthropic"},
    ),
    "parts without a type": AIMessage([{"text": "hi"}, {"image": {"bytes": b"\1"}}]),
    "unknown part": AIMessage([{"type": "hologram", "beam": [1, {"x": None}]}]),
    "no parts": AIMessage([]),
    "lone surrogate": HumanMessage("\ud83d"),
    "nul": HumanMessage("a\0b"),
}  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_it_comes_back_from_a_file_as_it_was(message, chat):
    before = message.model_copy(deep=True)
    chat.add(to_item(message))
    back = to_message(chat.items()[0])
    assert type(back) is type(message)
    assert exactly(back) == exactly(message)
    assert message == before, "storing changed the message"


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_what_comes_back_shares_nothing(message, chat):
    item = chat.add(to_item(message))[0]
    first = to_message(item)
    untouched = exactly(to_message(item))
    first.additional_kwargs["x"] = 1
    first.response_metadata["x"] = 1
    for found in (first.content, getattr(first, "tool_calls", [])):
        for part in found if isinstance(found, list) else ():
            if isinstance(part, dict):
                part["x"] = 1
                part.get("args", {})["x"] = 1
    assert exactly(to_message(item)) == untouched


def exactly(message):
    """All fields with their types: 1 is not True, and a list is no tuple."""
    fields = {**message.__dict__, **(message.__pydantic_extra__ or {})}
    return json.dumps({name: typed(value) for name, value in fields.items()}, sort_keys=True)


def typed(value):
    if isinstance(value, Document):
        return ["Document", typed(dict(value))]
    if isinstance(value, dict):
        return ["dict", sorted([repr(key), typed(entry)] for key, entry in value.items())]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(typed, value)]
    return repr(value)


@pytest.mark.parametrize(
    ("chunk", "whole"),
    [
        (
            AIMessageChunk(
                "hi",
                id="r",
                tool_call_chunks=[
                    {"name": "f", "args": '{"a": 1}', "id": "c", "index": 0,
                     "type": "tool_call_chunk"}
                ],
                chunk_position="last",
            ),
            AIMessage("hi", id="r", tool_calls=[tool_call(name="f", args={"a": 1}, id="c")]),
        ),
        (HumanMessageChunk("hi"), HumanMessage("hi")),
        (ChatMessageChunk("hi", role="x"), ChatMessage("hi", role="x")),
    ],
)  # fmt: skip
def test_a_chunk_is_stored_as_the_message_it_is_a_part_of(chunk, whole, chat):
    back = to_message(chat.add(to_item(chunk))[0])
    assert type(back) is type(whole)
    assert back == whole


def test_plain_messages_carry_no_payload():
    assert to_item(HumanMessage("hi")).raw is None
    assert to_item(AIMessage("", tool_calls=[CALL], usage_metadata=USAGE)).raw is None
    assert to_item(ToolMessage("x", tool_call_id="c", name="f", status="error")).raw is None


@pytest.mark.parametrize("name", ["image data", "image of anthropic", "blocks v1"])
def test_bytes_of_an_image_are_stored_once(name):
    assert json.dumps(dataclasses.asdict(to_item(MESSAGES[name])), default=str).count(PNG) == 1


def test_other_frameworks_read_what_was_said(chat):
    chat.add(*(to_item(MESSAGES[name]) for name in ("thinking of anthropic", "result")))
    asked, answered = chat.items()
    assert [block["type"] for block in asked.content] == ["reasoning", "text"]
    assert asked.tool_calls == [{"id": "call_1", "name": "weather", "args": {"city": "Lisbon"}}]
    assert (answered.type, answered.role, answered.tool_call_id) == (
        "tool_result",
        "tool",
        "call_1",
    )
    assert [m["role"] for m in chat.window().to_openai()] == ["assistant", "tool"]
    image = to_item(MESSAGES["image data"]).content[0]
    assert (image["type"], image["base64"], image["mime_type"]) == ("image", PNG, "image/png")
    said = to_item(MESSAGES["answer"])
    assert (said.model, said.usage["total_tokens"]) == ("gpt-5", 7)


def test_an_invalid_call_is_a_call_that_wants_an_answer(chat):
    chat.add(to_item(MESSAGES["invalid call"]))
    chat.add("and now?")
    _, answer, _ = to_messages(chat.window())
    assert (answer.tool_call_id, answer.status) == ("c", "error")


def test_an_edited_item_comes_back_as_edited(chat):
    for name in ("answer", "blocks v1", "thinking of anthropic", "image data"):
        (item,) = chat.add(to_item(MESSAGES[name]))
        chat.replace(item.id, dataclasses.replace(item, content="redacted"))
        back = to_message(chat.items(last=1)[0])
        assert back.content == "redacted"
        assert PNG not in str(back)
    (item,) = chat.add(to_item(MESSAGES["call without an id"]))
    other = [{"id": "z", "name": "g", "args": {"a": 1}}]
    edited = to_message(dataclasses.replace(item, tool_calls=other))
    assert [(call["name"], call["id"]) for call in edited.tool_calls] == [("g", "z")]


def test_a_word_of_the_harness_is_a_notice_and_stays_out_of_windows(chat):
    notice = HumanMessage("a summary", additional_kwargs={"lc_source": "summarization"})
    chat.add(to_item(notice), to_item(HumanMessage("hi")))
    assert [item.type for item in chat.items()] == ["notice", "message"]
    assert [item.text for item in chat.window()] == ["hi"]
    assert to_message(chat.items()[0]) == notice


class Shout(HumanMessage):
    volume: int = 3


class Alien(BaseMessage):
    type: Literal["alien"] = "alien"
    planet: str = "Mars"


def test_a_class_of_the_application_comes_back_as_what_it_is_to_langchain(chat):
    chat.add(to_item(Shout("HEY", id="s")), to_item(Alien(content="zz")), "still readable")
    shout, alien, plain = to_messages(chat.items())
    assert (type(shout), shout.text, shout.volume) == (HumanMessage, "HEY", 3)
    assert (type(alien), alien.role, alien.planet) == (ChatMessage, "alien", "Mars")
    assert plain.text == "still readable"


class Model(BaseModel):
    x: int


@dataclasses.dataclass
class Point:
    x: int


class Opaque:
    def __repr__(self):
        raise RuntimeError("no")


def test_objects_nobody_can_write_never_lose_a_message(chat, caplog):
    with caplog.at_level(logging.WARNING, "threadkeep.langchain"):
        for artifact in (Model(x=1), Point(x=1), Opaque(), object, [[Opaque()]]):
            chat.add(to_item(ToolMessage("kept", tool_call_id="c", artifact=artifact)))
    back = to_messages(chat.items())
    assert [message.content for message in back] == ["kept"] * 5
    assert [message.artifact for message in back[:2]] == [{"x": 1}, {"x": 1}]
    assert "Opaque" in back[2].artifact
    assert "Opaque" in caplog.text
    cycle: list = []
    cycle.append(cycle)
    assert to_item(ToolMessage("kept", tool_call_id="c", artifact=cycle)).text == "kept"


def test_a_record_that_cannot_be_read_hides_no_other(memory, chat):
    chat.add("one", "two", "three")
    engine = memory.engine
    stream, two = engine.stream("session", "t"), chat.items()[1]
    engine.commit(stream, put=[threadkeep.Record("item", two.id, "{", 0.0)], ttl=None)
    assert [message.text for message in to_messages(chat.items())] == ["one", "three"]


def test_what_is_no_message_is_refused():
    with pytest.raises(InputError, match="dict"):
        to_item({"role": "user", "content": "hi"})


def test_the_framework_s_id_is_known_of_an_item():
    assert message_id(to_item(HumanMessage("x", id="m"))) == "m"
    assert message_id(Item(id="ours", content="x")) is None


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary() | st.dates() | st.datetimes() | st.uuids() | st.timedeltas()
    | st.decimals(allow_nan=False)
)  # fmt: skip
KEYS = st.text() | st.integers() | st.just("$threadkeep")
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers() | st.text(), max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_any_value_is_json_and_comes_back(value):
    assert unpack(json.loads(json.dumps(pack(value)))) == value


def test_values_keep_their_types():
    value = {"a": (1, True), "d": date(2026, 1, 1), "u": UUID(int=1), "n": Decimal("1.0")}
    value["t"] = timedelta(days=1, microseconds=2)
    assert typed(unpack(json.loads(json.dumps(pack(value))))) == typed(value)


def test_pieces_of_another_framework_are_put_together(chat):
    chat.add("weather in Lisbon and Rome?")
    for number, city in enumerate(("Lisbon", "Rome")):
        args = json.dumps({"city": city})
        chat.add({"type": "function_call", "call_id": f"c{number}", "name": "w", "arguments": args})
    for number in range(2):
        chat.add({"type": "function_call_output", "call_id": f"c{number}", "output": "21"})
    chat.add({"role": "assistant", "content": "warm"})
    messages = to_messages(chat.window(), ids=True)
    assert [message.type for message in messages] == ["human", "ai", "tool", "tool", "ai"]
    assert [call["args"]["city"] for call in messages[1].tool_calls] == ["Lisbon", "Rome"]
    assert len({message.id for message in messages}) == 5


def test_results_stand_behind_their_call_whoever_wrote_in_between():
    ask = AIMessage("", tool_calls=[CALL])
    result, other = ToolMessage("21", tool_call_id="call_1"), HumanMessage("me too")
    assert in_reply_order([ask, other, result]) == [ask, result, other]
    again = [ask, result, other, ask, other, result]
    assert in_reply_order(again) == [ask, result, other, ask, result, other]
