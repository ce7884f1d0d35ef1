"""Every LangChain message comes back from the store exactly as it was."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Literal

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    ToolMessage,
)
from langchain_core.messages.tool import tool_call
from pydantic import BaseModel

import threadkeep
from langchain_threadkeep.codec import message_id, to_item, to_message
from langchain_threadkeep.to_messages import in_reply_order, to_messages
from tests.integrations.langchain.samples import CALL, MESSAGES, PNG, USAGE, exactly
from threadkeep import Item
from threadkeep.errors import InputError
from threadkeep.testing import assert_valid


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_it_comes_back_from_a_file_as_it_was(message, chat):
    before = message.model_copy(deep=True)
    chat.add(to_item(message))
    back = to_message(chat.items()[0])
    assert type(back) is type(message)
    assert exactly(back) == exactly(message)
    assert message == before, "storing changed the message"


def test_arguments_nested_deeper_than_a_record_takes_come_back_as_they_were(chat):
    arguments: dict[str, object] = {"x": 1}
    for _ in range(80):
        arguments = {"x": [arguments]}
    message = AIMessage("", tool_calls=[tool_call(name="f", args=arguments, id="c")])
    chat.add(to_item(message))
    assert to_message(chat.items()[0]) == message
    assert_valid(chat.window().to_openai(), "openai")


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


@pytest.mark.parametrize("provider", ["openai", "responses", "anthropic"])
def test_every_provider_reads_a_result_in_the_parts_of_anthropic(provider, chat):
    chat.add(*(to_item(MESSAGES[name]) for name in ("human", "call", "result of anthropic")))
    wire = getattr(chat.window(), f"to_{provider}")()
    assert_valid(wire, provider)
    assert "21" in str(wire[-1])


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
    engine = memory._engine
    stream, two = engine.stream("session", "t"), chat.items()[1]
    engine.commit(stream, put=[threadkeep.Record("item", two.id, "{", 0.0)], ttl=None)
    assert [message.text for message in to_messages(chat.items())] == ["one", "three"]


def test_what_is_no_message_is_refused():
    with pytest.raises(InputError, match="dict"):
        to_item({"role": "user", "content": "hi"})


def test_the_framework_s_id_is_known_of_an_item():
    assert message_id(to_item(HumanMessage("x", id="m"))) == "m"
    assert message_id(Item(id="ours", content="x")) is None


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


@pytest.mark.parametrize(("role", "cls"), [("user", HumanMessage), ("assistant", AIMessage)])
def test_words_alone_are_the_message_that_langchain_makes_of_them(role, cls):
    def inside(message):
        private = (message.__pydantic_extra__, message.__pydantic_private__)
        return list(message.__dict__.items()), message.__pydantic_fields_set__, private

    for text in ("", "hi", "é\ud800"):
        made, real = to_message(Item(role=role, content=text)), cls(text)
        assert made == real
        assert type(made) is cls
        assert inside(made) == inside(real) == inside(real.model_copy(deep=True))
        for held in made.__dict__.values():
            if isinstance(held, list):
                held.append("spoilt")
            elif isinstance(held, dict):
                held["spoilt"] = True
        made.__pydantic_fields_set__.add("id")
        assert inside(to_message(Item(role=role, content=text))) == inside(real)
