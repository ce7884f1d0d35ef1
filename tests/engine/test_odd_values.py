"""What a model or a tool sent is stored, whatever it is: no run ends for it."""

from __future__ import annotations

import enum
import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.window.looking import many
from threadkeep import connect
from threadkeep.errors import InputError
from threadkeep.messages import parse_arguments
from threadkeep.testing.validity import assert_valid


class Color(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    seen: date


WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OBVIOUS: list[tuple[Any, Any]] = [
    (WHEN, "2026-01-02T03:04:05+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4), "03:04:00"),
    (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    (Decimal("1.10"), "1.10"),
    (PurePosixPath("a/b"), "a/b"),
    (Color.RED, "red"),
    ({WHEN: 1, Color.RED: 2}, {"2026-01-02T03:04:05+00:00": 1, "red": 2}),
]
ODD: list[tuple[Any, Any]] = [
    (b"hi", "aGk="),
    ({"b", "a"}, ["a", "b"]),
    (frozenset({2, 1}), [1, 2]),
    (math.nan, "NaN"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    ({None: "b", True: "c", 1.5: "d"}, {"null": "b", "true": "c", "1.5": "d"}),
    ({2: "a"}, {"2": "a"}),
    (Point(1, date(2026, 1, 2)), {"x": 1, "seen": "2026-01-02"}),
    ("half \ud83d", "half \ud83d"),
    (10**5_000, f"{10**5_000:#x}"),
]
SOURCES = {
    "result": lambda value: {
        "role": "tool", "tool_call_id": "c", "content": [{"type": "json", "value": value}],
    },
    "output": lambda value: {"type": "function_call_output", "call_id": "c", "output": [[value]]},
    "usage": lambda value: {"role": "assistant", "content": "x", "usage": {"value": value}},
    "metadata": lambda value: {"role": "tool", "tool_call_id": "c", "content": "x",
                               "metadata": {"value": value}},
    "hosted": lambda value: {"type": "web_search_call", "id": "ws_1", "status": "completed",
                             "action": {"value": value}},
}  # fmt: skip


def names(cases):
    return [type(value).__name__ + str(number) for number, (value, _) in enumerate(cases)]


@pytest.fixture
def chat():
    with connect("memory://") as memory:
        yield memory.session("chat")


@pytest.mark.proves("D4")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("value", "stored"), OBVIOUS + ODD, ids=names(OBVIOUS + ODD))
def test_what_a_model_or_tool_sent_is_stored_as_json(chat, source, value, stored):
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    added = chat.add("q", call, SOURCES[source](value))
    assert added == chat.items()
    text = json.dumps(chat.items()[-1].raw or chat.items()[-1].content)
    if source in {"usage", "metadata"}:
        text = json.dumps(getattr(chat.items()[-1], source))
    assert json.dumps(stored) in text
    window = chat.window()
    assert_valid(window.to_openai(), "openai")
    assert_valid(window.to_responses(), "responses")
    assert_valid(window.to_anthropic(), "anthropic")
    assert_valid(window.to_gemini(), "gemini")


@pytest.mark.parametrize(("value", "stored"), OBVIOUS, ids=names(OBVIOUS))
def test_an_application_may_write_dates_and_ids(chat, value, stored):
    (item,) = chat.add({"role": "user", "content": "x", "metadata": {"value": value}})
    assert item.metadata == chat.items()[0].metadata == {"value": stored}
    replaced = chat.replace(item.id, {"role": "user", "content": "y", "metadata": {"v": value}})
    assert replaced.metadata == chat.items()[0].metadata == {"v": stored}


def nested(depth):
    value: Any = "leaf"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.proves("D4")
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_nested_deeper_than_a_record_takes_ends_as_a_text_of_json(chat, source):
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    added = chat.add("q", call, SOURCES[source](nested(100)))
    assert added == chat.items()
    assert "leaf" in str(chat.items()[-1])
    assert_valid(chat.window().to_openai(), "openai")
    assert_valid(chat.window().to_responses(), "responses")


def test_an_application_is_told_that_its_metadata_is_nested_too_deep(chat):
    with pytest.raises(InputError, match="64 deep"):
        chat.add({"role": "user", "content": "x", "metadata": {"value": nested(100)}})


@pytest.mark.proves("D4")
def test_arguments_with_odd_numbers_may_hold_what_is_no_json_yet(chat):
    call = {"id": "c", "name": "f", "args": {"x": math.nan, "day": date(2026, 1, 2)}}
    chat.add("q", {"role": "assistant", "content": "", "tool_calls": [call]})
    assert chat.items()[1].tool_calls[0]["args"] == {"x": "NaN", "day": "2026-01-02"}


@pytest.mark.parametrize("value", [object(), [object()], {"a": object()}], ids=range(3))
def test_an_object_that_nobody_knows_is_refused(chat, value):
    with pytest.raises(InputError, match="object"):
        chat.add({"role": "assistant", "content": "x", "metadata": {"value": value}})
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InputError, match="message 0"):
        chat.add({"role": "assistant", "content": "x", "metadata": {"value": loop}})
    assert chat.items() == []


ARGUMENTS = [
    '{"x": NaN}', '{"x": [Infinity]}', '{"x": -Infinity}', '{"x": 1e400}', '{"x": 1, "x": 2}',
    '{"bad": ', "", "[1]", "null", '"text"', "{'x': 1}", "[" * 100_000,
    '{"x": ' + "9" * 5_000 + "}", '{"x": ' + "[" * 70 + "]" * 70 + "}",
]  # fmt: skip


@pytest.mark.proves("D4")
@pytest.mark.parametrize("text", ARGUMENTS, ids=[text[:16] for text in ARGUMENTS])
def test_arguments_that_are_no_strict_json_stay_text(chat, text):
    function = {"name": "f", "arguments": text}
    chat.add(
        "q",
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": "c", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"type": "function_call", "call_id": "d", "name": "f", "arguments": text},
        {"type": "function_call_output", "call_id": "d", "output": "r"},
    )  # fmt: skip
    assert [call["args"] for item in chat.items() for call in item.tool_calls] == [text, text]
    wire = chat.window().to_openai()
    assert wire[1]["tool_calls"][0]["function"]["arguments"] == text
    assert_valid(chat.window().to_anthropic(), "anthropic")
    assert chat.window().to_responses()[3]["arguments"] == text


@pytest.mark.proves("D4")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=["nan", "inf", "-inf"])
def test_an_input_with_such_numbers_becomes_the_text_it_was(chat, value):
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": value}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "r"}
    chat.add("q", {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]})
    (call,) = chat.items()[1].tool_calls
    assert call["args"] == json.dumps({"x": value}, separators=(",", ":"))
    assert_valid(chat.window().to_anthropic(), "anthropic")
    assert_valid(chat.window().to_openai(), "openai")


@many
@given(st.text('{}[]":,0123456789eE+-.NaInfity x\\u'))
def test_text_is_a_dict_only_where_json_brings_it_back(text):
    parsed = parse_arguments(text)
    assert parsed == text or json.loads(json.dumps(parsed, allow_nan=False)) == parsed


def test_calls_without_ids_get_the_same_ids_in_every_prompt(chat):
    function = {"name": "f", "arguments": "{}"}
    chat.add(
        "q",
        {"role": "assistant", "content": None,
         "tool_calls": [{"type": "function", "function": function},
                        {"id": None, "type": "function", "function": function}]},
        {"role": "tool", "content": "first"},
        {"role": "tool", "tool_call_id": "", "content": "second"},
    )  # fmt: skip
    wire = chat.window().to_openai()
    assert_valid(wire, "openai")
    ids = [call["id"] for call in wire[1]["tool_calls"]]
    assert [message["tool_call_id"] for message in wire[2:]] == ids
    assert [message["content"] for message in wire[2:]] == ["first", "second"]
    chat.add("next")
    assert chat.window().to_openai()[:4] == wire
    assert_valid(chat.window().to_gemini(), "gemini")
