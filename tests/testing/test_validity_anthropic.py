"""`assert_valid` for Anthropic Messages: every rule accepts and rejects."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from tests.testing.rules import Messages, broken_rule, documented, named, rejection, verdict
from threadkeep.testing.validity import anthropic, assert_valid


def user(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks) or "hi", **more}


def model(*blocks: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks) or "hello", **more}


def text(value: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def use(id: Any = "t1", name: Any = "weather", input: Any = None, **more: Any) -> dict[str, Any]:
    given = {"city": "Rome"} if input is None else input
    return {"type": "tool_use", "id": id, "name": name, "input": given, **more}


def result(id: Any = "t1", content: Any = "sunny", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def image(**source: Any) -> dict[str, Any]:
    return {"type": "image", "source": source}


def document(**source: Any) -> dict[str, Any]:
    return {"type": "document", "source": source}


def thinking(**more: Any) -> dict[str, Any]:
    return {"type": "thinking", "thinking": "", "signature": "EqQB", **more}


def without(block: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != key}


U = user()
M = model()
CACHED = {"cache_control": {"type": "ephemeral"}}
PNG = image(type="base64", media_type="image/png", data="AAAA")
PDF = document(type="base64", media_type="application/pdf", data="JVBE")
HIDDEN = {"type": "redacted_thinking", "data": "EmwK"}
FOUND = {"type": "search_result", "source": "https://a.example", "title": "A", "content": [text()]}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
SEARCHED = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}

VALID: list[tuple[str, Messages]] = [
    ("one user message", [U]),
    ("exchange", [U, M, U]),
    ("alternation is not asked for", [U, U, M, M, U]),
    ("prefilled answer", [U, model(text("The answer is"))]),
    ("empty final answer", [U, {"role": "assistant", "content": ""}]),
    ("empty final answer, as a list", [U, {"role": "assistant", "content": []}]),
    ("whitespace around text", [user(text(" hi\n")), model(text("hello\n")), U]),
    ("blocks of a user", [user(text(**CACHED), PNG, PDF, FOUND)]),
    ("images", [user(image(type="url", url="https://a.example/a.png"),
                     image(type="file", file_id="file_1"))]),
    ("documents", [user(document(type="url", url="https://a.example/a.pdf"),
                        document(type="file", file_id="file_1"),
                        document(type="text", media_type="text/plain", data="x"),
                        document(type="content", content="x"),
                        {**document(type="content", content=[text()]), "title": "A"})]),
    ("citations", [U, model(text(citations=None))]),
    ("thinking", [U, model(thinking(thinking="hm"), HIDDEN, text()), U]),
    ("thinking before a call", [U, model(thinking(), use()), user(result())]),
    ("call and result", [U, model(text(), use()), user(result()), M]),
    ("result, then text", [U, model(use()), user(result(), text())]),
    ("result, then another user message", [U, model(use()), user(result()), U]),
    ("parallel calls", [U, model(use("a"), use("b")), user(result("b"), result("a"))]),
    ("results in two messages", [U, model(use("a"), use("b")), user(result("a")),
                                 user(result("b"), text())]),
    ("calls in two messages", [U, model(use("a")), model(use("b")),
                               user(result("a"), result("b"))]),
    ("result with blocks", [U, model(use()), user(result(content=[text(), PNG, PDF, FOUND]))]),
    ("empty result", [U, model(use()), user(result(content=""))]),
    ("result without content", [U, model(use()), user(without(result(), "content"))]),
    ("result with no blocks", [U, model(use()), user(result(content=[]))]),
    ("error", [U, model(use()), user(result(is_error=True, **CACHED))]),
    ("no input", [U, model(use(input={})), user(result())]),
    ("longest name, long id", [U, model(use("-_" * 60, "n" * 128)), user(result("-_" * 60))]),
    ("server tools", [U, model(SEARCH, SEARCHED, text()), U]),
    ("a paused turn", [U, model(text(), SEARCH)]),
    ("a hosted tool that calls tools", [
        U, model(SEARCH, use()), user(result()), model(SEARCHED, text()), U,
    ]),
    ("a hosted tool of tomorrow", [
        U, model(SEARCH, {**SEARCHED, "type": "advisor_tool_result"}, {"type": "tomorrow"}), U,
    ]),
    ("pending call", [U, model(use())]),
    ("pending calls", [U, model(use("a"), use("b"))]),
    ("pending after an answered one", [U, model(use("a")), user(result("a")), model(use("b"))]),
]  # fmt: skip

INVALID: list[tuple[str, str, Messages]] = [
    ("list", "nothing", []),
    ("json", "bytes", [user(image(type="base64", media_type="image/png", data=b"x"))]),
    ("role", "system", [{"role": "system", "content": "be brief"}, U]),
    ("role", "tool", [U, {"role": "tool", "content": "hi"}]),
    ("first", "assistant", [M, U]),
    ("keys", "name", [user(name="ada")]),
    ("keys", "id", [U, model(id="msg_1")]),
    ("keys", "calls of Chat", [U, model(tool_calls=[])]),
    ("keys", "of a text", [user(text(id="b1"))]),
    ("keys", "of a tool_use", [U, model(use(args={})), user(result())]),
    ("keys", "of a source", [user({**PNG, "source": {**PNG["source"], "detail": "low"}})]),
    ("fields", "no content", [{"role": "user"}]),
    ("fields", "text without text", [user({"type": "text"})]),
    ("fields", "tool_use without id", [U, model(without(use(), "id"))]),
    ("fields", "tool_use without name", [U, model(without(use(), "name"))]),
    ("fields", "tool_use without input", [U, model(without(use(), "input"))]),
    ("fields", "result without id", [U, model(use()), user(without(result(), "tool_use_id"))]),
    ("fields", "is_error", [U, model(use()), user(result(is_error="no"))]),
    ("fields", "image without source", [user({"type": "image"})]),
    ("content", "null", [{"role": "user", "content": None}]),
    ("content", "object", [{"role": "user", "content": text()}]),
    ("content", "empty text of a user", [{"role": "user", "content": ""}]),
    ("content", "no blocks of a user", [{"role": "user", "content": []}]),
    ("content", "empty answer before the end", [U, {"role": "assistant", "content": ""}, U]),
    ("content", "no blocks before the end", [U, {"role": "assistant", "content": []}, U]),
    ("block", "string", [user("hi")]),
    ("block", "without type", [user({"text": "hi"})]),
    ("block", "unknown", [user({"type": "video"})]),
    ("block", "unhashable", [user({"type": {}})]),
    ("block", "of Chat", [user({"type": "image_url", "image_url": {"url": "https://a.example"}})]),
    ("block", "tool_use of a user", [user(use())]),
    ("block", "tool_result of the assistant", [U, model(use(), result())]),
    ("block", "thinking of a user", [user(thinking())]),
    ("block", "image of the assistant", [U, model(PNG), U]),
    ("block", "tool_use in a result", [U, model(use()), user(result(content=[use("t2")]))]),
    ("block", "bare string in a result", [U, model(use()), user(result(content=["sunny"]))]),
    ("text", "empty block", [user(text(""), text())]),
    ("text", "whitespace block", [user(text(" \n\t"))]),
    ("text", "whitespace content", [{"role": "user", "content": " \n"}]),
    ("text", "whitespace answer", [U, {"role": "assistant", "content": "\n"}, U]),
    ("text", "empty beside a call", [U, model(text(""), use()), user(result())]),
    ("text", "null", [user(text(None))]),
    ("text", "empty in a result", [U, model(use()), user(result(content=[text("")]))]),
    ("ending", "text", [U, {"role": "assistant", "content": "The answer is "}]),
    ("ending", "block", [U, model(text("a"), text("b\n"))]),
    ("source", "unknown", [user(image(type="path", path="a.png"))]),
    ("source", "url as a string", [user({"type": "image", "source": "https://a.example"})]),
    ("source", "data url", [user(image(type="url", url="data:image/png;base64,AAAA"))]),
    ("source", "image type", [user(image(type="base64", media_type="image/bmp", data="AAAA"))]),
    ("source", "no media type", [user(image(type="base64", data="AAAA"))]),
    ("source", "no data", [user(image(type="base64", media_type="image/png", data=""))]),
    ("source", "file without id", [user(image(type="file"))]),
    ("source", "image as text", [user(image(type="text", media_type="text/plain", data="x"))]),
    ("source", "HTML as text", [user(document(type="text", media_type="text/html", data="x"))]),
    ("source", "Word", [user(document(type="base64", media_type="application/msword", data="x"))]),
    ("text", "whitespace as a document", [user(document(type="content", content=" "))]),
    ("block", "document in a document", [user(document(type="content", content=[PDF]))]),
    ("source", "empty document", [user(document(type="content", content=[]))]),
    ("fields", "search result without text", [user({**FOUND, "content": []})]),
    ("thinking", "empty redacted", [U, model({**HIDDEN, "data": ""}, text())]),
    ("source", "in a result", [U, model(use()), user(result(content=[image(type="x")]))]),
    ("thinking", "unsigned", [U, model(without(thinking(), "signature"), text())]),
    ("thinking", "empty signature", [U, model(thinking(signature=""), text())]),
    ("thinking", "null signature", [U, model(thinking(signature=None), text())]),
    ("thinking", "redacted without data", [U, model(without(HIDDEN, "data"), text())]),
    ("thinking", "alone", [U, model(thinking()), U]),
    ("thinking", "at the end", [U, model(text(), thinking())]),
    ("call", "empty id", [U, model(use("")), user(result(""))]),
    ("call", "null id", [U, model(use(None))]),
    ("call", "id with a dot", [U, model(use("functions.weather:0"))]),
    ("call", "id of a result", [U, model(use()), user(result("t 1"))]),
    ("call", "empty name", [U, model(use(name="")), user(result())]),
    ("call", "name with a space", [U, model(use(name="the weather")), user(result())]),
    ("call", "long name", [U, model(use(name="n" * 129)), user(result())]),
    ("call", "input as text", [U, model(use(input="{}")), user(result())]),
    ("call", "input as a list", [U, model(use(input=[])), user(result())]),
    ("ids", "twice in a message", [U, model(use(), use()), user(result())]),
    ("ids", "twice in a conversation", [U, model(use()), user(result()), model(use()),
                                        user(result())]),
    ("orphan", "first of all", [user(result()), M]),
    ("orphan", "after an answer", [U, M, user(result())]),
    ("orphan", "of another id", [U, model(use("a")), user(result("a"), result("b"))]),
    ("orphan", "of an older call", [U, model(use("a")), user(result("a")), M, user(result("a"))]),
    ("twice", "in a message", [U, model(use()), user(result(), result())]),
    ("twice", "in two messages", [U, model(use()), user(result()), user(result())]),
    ("results-first", "after text", [U, model(use()), user(text(), result())]),
    ("results-first", "text in between", [U, model(use("a"), use("b")),
                                          user(result("a"), text(), result("b"))]),
    ("results-first", "after another user message", [U, model(use()), U, user(result())]),
    ("hosted", "use without result", [U, model(SEARCH, text()), U]),
    ("hosted", "result without use", [U, model(SEARCHED, text()), U]),
    ("hosted", "result of another use", [
        U, model(SEARCH, {**SEARCHED, "tool_use_id": "srvtoolu_2"}, text()), U,
    ]),
    ("block", "hosted tool of a user", [user({**SEARCHED, "type": "advisor_tool_result"})]),
    ("unanswered", "then a user", [U, model(use()), U]),
    ("unanswered", "partly", [U, model(use("a"), use("b")), user(result("a"), text())]),
    ("unanswered", "partly, at the end", [U, model(use("a"), use("b")), user(result("b"))]),
    ("unanswered", "long ago", [U, model(use("z")), U, model(use("a")), user(result("a"))]),
]  # fmt: skip


@pytest.mark.parametrize("messages", named(VALID))
def test_valid(messages):
    assert_valid(messages, "anthropic")


@pytest.mark.parametrize(
    ("rule", "messages"), named((f"{rule}: {name}", rule, bad) for rule, name, bad in INVALID)
)
def test_invalid(rule, messages):
    assert broken_rule(rejection(messages, "anthropic")) == rule


@pytest.mark.parametrize("system", ["be brief", [text("be brief", **CACHED), text("be kind")]])
def test_a_system_prompt_is_text_or_blocks(system):
    assert_valid([U], "anthropic", system=system)


@pytest.mark.parametrize(
    ("rule", "system"),
    [
        ("text", ""),
        ("text", " "),
        ("system", []),
        ("system", 7),
        ("block", [PNG]),
        ("block", ["x"]),
    ],
)
def test_other_system_prompts_are_rejected(rule, system):
    assert broken_rule(rejection([U], "anthropic", system=system)) == rule


def test_every_rule_rejects_something_and_is_documented():
    assert {rule for rule, _, _ in INVALID} | {"system"} == documented(anthropic)


def test_errors_point_at_the_place():
    where = {
        "messages[1].content[1]: no tool_result for 'b'": [
            U, model(use("a"), use("b")), user(result("a")),
        ],
        "messages[3].content[0]: the tool_use 'a' has": [
            U, model(use("a")), user(result("a")), user(result("a")),
        ],
        "messages[2].content[0].content[0].source.type": [
            U, model(use()), user(result(content=[image(type="x")])),
        ],
    }  # fmt: skip
    for start, messages in where.items():
        error = rejection(messages, "anthropic")
        assert error.startswith(start.removesuffix(".type")), error


def test_every_block_of_the_official_types_is_known_to_one_role():
    """Also those of the beta API, whose hosted tools come and go."""
    beta = pytest.importorskip("anthropic.types.beta")
    blocks = [one for one in get_args(beta.BetaContentBlockParam) if isinstance(one, type)]
    assert len(blocks) > 15
    for block in blocks:  # the rest of the union is what the service answers, of the same types
        kind = get_args(get_type_hints(block)["type"])[0]
        rules = set()
        for messages in ([user({"type": kind})], [U, model({"type": kind}, text())]):
            error = verdict(messages, "anthropic")
            rules.add(broken_rule(error) if error else "")
        assert rules != {"block"}, kind
