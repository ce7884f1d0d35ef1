"""`assert_valid` for OpenAI Chat Completions: every rule accepts and rejects."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from tests.testing.rules import Messages, broken_rule, documented, named, rejection
from threadkeep.testing.validity import assert_valid, chat


def said(role: str, content: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def call(id: Any = "c1", name: Any = "weather", arguments: Any = "{}") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(*made: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(made), **more}


def result(id: Any = "c1", content: Any = "sunny") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def parts(*entries: Any, role: str = "user") -> Messages:
    return [said(role, list(entries))]


def text(value: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


USER = said("user")
CUSTOM = {"id": "c1", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/cat.png", "detail": "low"}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
INLINE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA\nAA"}}
REFUSAL = {"type": "refusal", "refusal": "no"}
PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JV"}}
FROM_API: dict[str, Any] = {
    "refusal": None,
    "audio": None,
    "function_call": None,
    "annotations": [],
}

VALID: list[tuple[str, Messages]] = [
    ("one user message", [USER]),
    ("one assistant message", [said("assistant")]),
    ("one system message", [said("system")]),
    ("system in the middle", [USER, said("system"), said("developer"), USER]),
    ("no alternation is asked for", [USER, USER, said("assistant"), said("assistant")]),
    ("empty text", [said("user", ""), said("assistant", "")]),
    ("hostile text", [said("user", "\x00 \U0001f9f5 \u202e")]),
    ("all parts of a user", parts(text(), IMAGE, AUDIO, PDF)),
    ("file by id", parts({"type": "file", "file": {"file_id": "file-1"}})),
    ("data url", parts(INLINE)),
    ("cache hint", parts(text(prompt_cache_breakpoint={"mode": "explicit"}))),
    ("parts of an assistant", parts(text(), REFUSAL, role="assistant")),
    ("parts of a system message", parts(text(), text(), role="system")),
    ("parts of a tool", [calls(call()), result(content=[text("a"), text("b")])]),
    ("names", [said("user", name="Zoë"), said("assistant", name="a-b_c.d", **FROM_API)]),
    ("refusal instead of content", [said("assistant", None, refusal="no")]),
    ("audio instead of content", [said("assistant", None, audio={"id": "audio_1"})]),
    ("call and result", [USER, calls(call()), result()]),
    ("result with the tool's name", [calls(call()), {**result(), "name": "weather"}]),
    ("call with text", [calls(call(), content="let me see"), result(), USER]),
    ("content may be absent", [{"role": "assistant", "tool_calls": [call()]}, result()]),
    ("as the service sends it", [calls(call(), **FROM_API), result()]),
    ("results in any order", [calls(call("a"), call("b")), result("b"), result("a"), USER]),
    ("the same ids in two messages", [calls(call()), result(), calls(call()), result()]),
    ("calls one after another", [calls(call("a")), result("a"), calls(call("b")), result("b")]),
    ("custom tool", [calls(CUSTOM), result()]),
    ("arguments that are no JSON", [calls(call(arguments="{city: ")), result()]),
    ("empty result", [calls(call()), result(content="")]),
    ("longest id and name", [calls(call("x" * 40, "n" * 64)), result("x" * 40)]),
    ("pending call", [USER, calls(call())]),
    ("pending calls, all of them", [USER, calls(call("a"), call("b"))]),
    ("outdated function", [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        said("function", "42", name="f"),
    ]),
]  # fmt: skip

INVALID: list[tuple[str, str, Messages]] = [
    ("list", "no messages", []),
    ("json", "a set", [said("user", {1})]),
    ("role", "model", [said("model")]),
    ("role", "none", [{"content": "hi"}]),
    ("keys", "our own id", [said("user", id="m1")]),
    ("keys", "time", [said("assistant", created_at=1)]),
    ("keys", "calls of a user", [said("user", tool_calls=[call()])]),
    ("keys", "error flag of a tool", [calls(call()), {**result(), "is_error": True}]),
    ("keys", "call id of a user", [said("user", tool_call_id="c1")]),
    ("keys", "index of a streamed call", [calls({**call(), "index": 0}), result()]),
    ("keys", "of a part", parts(text(id="p1"))),
    ("fields", "no content of a user", [{"role": "user"}]),
    ("fields", "no content of a system message", [{"role": "system"}]),
    ("fields", "no content of a tool", [calls(call()), {"role": "tool", "tool_call_id": "c1"}]),
    ("fields", "no call id", [calls(call()), {"role": "tool", "content": "sunny"}]),
    ("fields", "refusal is an object", [said("assistant", refusal={})]),
    ("content", "null of a user", [said("user", None)]),
    ("content", "null of a system message", [said("system", None)]),
    ("content", "null of a tool", [calls(call()), result(content=None)]),
    ("content", "null of an assistant", [said("assistant", None)]),
    ("content", "absent of an assistant", [{"role": "assistant"}]),
    ("content", "null with a null refusal", [said("assistant", None, refusal=None)]),
    ("content", "number", [said("user", 7)]),
    ("content", "a part without its list", [said("user", text())]),
    ("content", "empty list", parts()),
    ("content", "empty list beside calls", [calls(call(), content=[]), result()]),
    ("parts", "a bare string", parts("hi")),
    ("parts", "no type", parts({"text": "hi"})),
    ("parts", "unknown", parts({"type": "video", "video": {}})),
    ("parts", "unhashable type", parts({"type": ["text"]})),
    ("parts", "of Responses", parts({"type": "input_text", "text": "hi"})),
    ("parts", "of Anthropic", parts({"type": "tool_result", "tool_use_id": "c1", "content": "x"})),
    ("parts", "text is null", parts(text(None))),
    ("parts", "text is missing", parts({"type": "text"})),
    ("parts", "image of an assistant", parts(IMAGE, role="assistant")),
    ("parts", "refusal of a user", parts(REFUSAL)),
    ("parts", "image of a system message", parts(IMAGE, role="system")),
    ("parts", "image of a tool", [calls(call()), result(content=[IMAGE])]),
    ("parts", "image as a string", parts({"type": "image_url", "image_url": "https://a.example"})),
    ("parts", "image at a path", parts({"type": "image_url", "image_url": {"url": "/tmp/a.png"}})),
    ("parts", "detail", parts({**IMAGE, "image_url": {"url": "https://a.example", "detail": "x"}})),
    ("parts", "audio as ogg", parts({**AUDIO, "input_audio": {"data": "T2dn", "format": "ogg"}})),
    ("parts", "no audio", parts({**AUDIO, "input_audio": {"data": "", "format": "wav"}})),
    ("parts", "file without data", parts({"type": "file", "file": {"filename": "a.pdf"}})),
    ("name", "with a space", [said("user", name="Ada Lovelace")]),
    ("name", "empty", [said("user", name="")]),
    ("name", "null", [said("user", name=None)]),
    ("name", "brackets", [said("assistant", name="<ada>")]),
    ("name", "of a tool", [calls(call()), {**result(), "name": "the weather"}]),
    ("name", "too long", [said("user", name="a" * 65)]),
    ("call", "null list", [said("assistant", tool_calls=None)]),
    ("call", "empty list", [said("assistant", tool_calls=[])]),
    ("call", "not a list", [said("assistant", tool_calls=call())]),
    ("call", "null", [calls(None)]),
    ("call", "without type", [calls({"id": "c1", "function": {"name": "f", "arguments": ""}})]),
    ("call", "neutral form", [calls({"id": "c1", "name": "f", "args": {}}), result()]),
    ("call", "without id", [calls({"type": "function", "function": call()["function"]})]),
    ("call", "null id", [calls(call(None))]),
    ("call", "empty id", [calls(call("")), result("")]),
    ("call", "id of 41 characters", [calls(call("x" * 41)), result("x" * 41)]),
    ("call", "arguments are an object", [calls(call(arguments={})), result()]),
    ("call", "arguments are null", [calls(call(arguments=None)), result()]),
    ("call", "empty name", [calls(call(name="")), result()]),
    ("call", "name with a dot", [calls(call(name="a.b")), result()]),
    ("call", "name of 65 characters", [calls(call(name="a" * 65)), result()]),
    ("call", "name ends in a newline", [calls(call(name="a\n")), result()]),
    ("call", "custom tool without input", [calls({**CUSTOM, "custom": {"name": "s"}}), result()]),
    ("call", "id of a result is a number", [calls(call()), result(1)]),
    ("ids", "twice in a message", [calls(call("a"), call("a")), result("a")]),
    ("orphan", "first of all", [result(), USER]),
    ("orphan", "after a user", [USER, result()]),
    ("orphan", "after an answer without calls", [said("assistant"), result()]),
    ("orphan", "of another id", [calls(call("a")), result("b")]),
    ("orphan", "behind the block", [calls(call()), result(), USER, result()]),
    ("orphan", "of the block before", [
        calls(call("a")), result("a"), calls(call("b")), result("a"),
    ]),
    ("orphan", "answer to a function_call", [
        said("assistant", None, function_call={"name": "f", "arguments": ""}), result(),
    ]),
    ("twice", "answered", [calls(call()), result(), result()]),
    ("twice", "while another is open", [calls(call("a"), call("b")), result("a"), result("a")]),
    ("unanswered", "then a user", [calls(call()), USER]),
    ("unanswered", "then an assistant", [calls(call()), said("assistant")]),
    ("unanswered", "then a system message", [calls(call()), said("system"), result()]),
    ("unanswered", "then other calls", [calls(call("a")), calls(call("b")), result("b")]),
    ("unanswered", "partly, then a user", [calls(call("a"), call("b")), result("a"), USER]),
    ("unanswered", "partly, at the end", [calls(call("a"), call("b")), result("b")]),
    ("unanswered", "a user in between", [
        calls(call("a"), call("b")), result("a"), USER, result("b"),
    ]),
    ("unanswered", "long ago", [calls(call("z")), USER, calls(call("a")), result("a"), USER]),
]  # fmt: skip


@pytest.mark.parametrize("messages", named(VALID))
def test_valid(messages):
    assert_valid(messages, "openai")


@pytest.mark.parametrize(
    ("rule", "messages"), named((f"{rule}: {name}", rule, bad) for rule, name, bad in INVALID)
)
def test_invalid(rule, messages):
    assert broken_rule(rejection(messages, "openai")) == rule


def signed(**google):
    return {**call(), "extra_content": {"google": google}}


THOUGHT = {"reasoning_content": "hm"}
DETAILS = {"reasoning_details": [{"type": "reasoning.encrypted", "data": "D"}]}
VIDEO = {"type": "video_url", "video_url": {"url": "https://a.example/v.mp4"}}
OF_SERVERS: list[tuple[str | None, Messages]] = [
    ("deepseek", [USER, calls(call(), **THOUGHT), result()]),
    ("deepseek", [USER, calls(call(), reasoning_content=""), result(), said("assistant")]),
    ("openrouter", [USER, said("assistant", reasoning="hm", **DETAILS), USER]),
    ("gemini", [USER, calls(signed(thought_signature="S"), call("c2")), result(), result("c2")]),
    ("gemini", [USER, calls(call()), result(), USER]),
    ("vllm", [said("user", [VIDEO]), said("assistant", **THOUGHT)]),
    (None, [USER, calls(call(), **DETAILS), result()]),
    (None, [USER, calls(signed(thought_signature="S")), result()]),
    (None, parts(VIDEO, {"type": "tomorrow", "x": 1})),
]
NOT_OF_SERVERS: list[tuple[str, str | None, Messages]] = [
    ("keys", "openai", [said("assistant", **THOUGHT)]),
    ("keys", "openai", [calls(signed(thought_signature="S")), result()]),
    ("parts", "openai", parts(VIDEO)),
    ("parts", "openai", parts({"type": "tomorrow"})),
    ("keys", "deepseek", [said("assistant", **DETAILS)]),
    ("keys", "openrouter", [USER, calls(call(), extra_content={}), result()]),
    ("keys", None, [said("assistant", thoughts="hm")]),
    ("continuation", "deepseek", [said("assistant", reasoning_content=None)]),
    ("continuation", "openrouter", [said("assistant", reasoning_details="hm")]),
    ("thoughts", "deepseek", [USER, calls(call()), result()]),
    ("signature", "gemini", [USER, calls(call()), result()]),
    ("signature", "gemini", [USER, calls(signed(thought_signature="")), result()]),
    ("writer", None, [said("assistant", **THOUGHT), said("assistant", **DETAILS)]),
]


@pytest.mark.parametrize(("profile", "messages"), OF_SERVERS, ids=range(len(OF_SERVERS)))
def test_what_other_servers_take(profile, messages):
    assert_valid(messages, "openai", profile=profile)


@pytest.mark.parametrize(
    ("rule", "profile", "messages"), NOT_OF_SERVERS, ids=range(len(NOT_OF_SERVERS))
)
def test_what_other_servers_refuse(rule, profile, messages):
    assert broken_rule(rejection(messages, "openai", profile=profile)) == rule


def test_a_system_prompt_has_no_place_beside_the_messages():
    assert broken_rule(rejection([USER], "openai", system="be brief")) == "system"


def test_every_rule_rejects_something_and_is_documented():
    rejected = {rule for rule, _, _ in [*INVALID, *NOT_OF_SERVERS]}
    assert rejected | {"system"} == documented(chat)


def test_errors_point_at_the_place():
    where = {
        "messages[2].tool_calls[1].id": [USER, USER, calls(call("a"), call(""))],
        "messages[1].content[1]": [USER, said("user", [text(), {"type": "video"}])],
        "messages[1]": [USER, calls(call("a"), call("b")), result("a"), USER],
    }
    for place, messages in where.items():
        assert rejection(messages, "openai").startswith(f"{place}: ")


def test_no_key_of_the_official_types_is_refused():
    types = pytest.importorskip("openai.types.chat.chat_completion_message_param")
    for message in get_args(types.ChatCompletionMessageParam):
        hints = get_type_hints(message)
        role = get_args(hints["role"])[0]
        base = {"tool": result(), "function": said("function", name="f")}.get(role, said(role))
        for key in hints:
            error = rejection([{**base, key: {"no": "such"}}], "openai")
            assert f"unknown key '{key}'" not in error, (role, key)
