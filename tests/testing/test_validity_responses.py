"""`assert_valid` for OpenAI Responses: every rule accepts and rejects."""

from __future__ import annotations

from typing import Any, Required, get_args, get_origin, get_type_hints

import pytest

from tests.testing.rules import Messages, broken_rule, documented, named, rejection, verdict
from threadkeep.testing.validity import assert_valid, responses
from threadkeep.testing.validity.responses_items import ITEMS


def said(role: str, content: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def answer(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(parts), **more}


def output_text(text: Any = "hello", **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": text, **more}


def call(call_id: Any = "c1", **more: Any) -> dict[str, Any]:
    base = {"type": "function_call", "call_id": call_id, "name": "weather", "arguments": "{}"}
    return {**base, **more}


def output(call_id: Any = "c1", value: Any = "sunny", **more: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": value, **more}


def reasoning(**more: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": "rs_1", "summary": [], **more}


def without(item: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != key}


USER = said("user")
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
PDF = {"type": "input_file", "file_id": "file-1", "filename": "a.pdf"}
CUSTOM = {"type": "custom_tool_call", "call_id": "c1", "name": "sql", "input": "select 1"}
CUSTOM_OUT = {"type": "custom_tool_call_output", "call_id": "c1", "output": "1"}
SEARCH = {
    "type": "web_search_call", "id": "ws_1", "status": "completed",
    "action": {"type": "search", "query": "rome"},
}  # fmt: skip
MCP = {"type": "mcp_call", "id": "mcp_1", "name": "ask", "server_label": "wiki", "arguments": "{}"}
APPROVAL = {
    "type": "mcp_approval_request", "id": "mcpr_1", "name": "ask", "server_label": "wiki",
    "arguments": "{}",
}  # fmt: skip
APPROVED = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
SHELL = {
    "type": "local_shell_call", "id": "lsh_1", "call_id": "c9", "status": "completed",
    "action": {"type": "exec", "command": ["ls"], "env": {}},
}  # fmt: skip
SHELL_OUT = {"type": "local_shell_call_output", "id": "c9", "output": "README"}
REFERENCE = {"type": "item_reference", "id": "fc_9"}
TEXTS = [{"type": "summary_text", "text": "thinking"}]

VALID: list[tuple[str, Messages]] = [
    ("one user message", [USER]),
    ("all roles", [said(role) for role in ("system", "developer", "user", "assistant")]),
    ("typed message", [said("user", type="message", status="completed", id="msg_1")]),
    ("parts of a user", [said("user", [{"type": "input_text", "text": ""}, IMAGE, PDF])]),
    ("parts of a system message", [said("system", [{"type": "input_text", "text": "be brief"}])]),
    ("image by id", [said("user", [{"type": "input_image", "file_id": "file-1"}])]),
    ("answer as it came", [
        USER,
        answer(output_text(annotations=[], logprobs=[]), id="msg_1", status="completed"),
    ]),
    ("refusal", [USER, answer({"type": "refusal", "refusal": "no"}), USER]),
    ("cut off before the first word", [USER, answer(status="incomplete"), USER]),
    ("call and output", [USER, call(), output(), answer(output_text())]),
    ("as they came", [call(id="fc_1", status="completed"), output(id="fc_2", status="completed")]),
    ("output with parts", [call(), output(value=[{"type": "input_text", "text": "x"}, IMAGE])]),
    ("outputs in any order", [call("a"), call("b"), output("b"), output("a")]),
    ("output much later", [call(), USER, answer(output_text()), output()]),
    ("longest ids", [call("x" * 64, id="fc" + "x" * 62), output("x" * 64)]),
    ("arguments that are no JSON", [call(arguments="{city: "), output()]),
    ("custom tool", [CUSTOM, CUSTOM_OUT]),
    ("reasoning before a message", [USER, reasoning(summary=TEXTS), answer(output_text())]),
    ("reasoning before a call", [USER, reasoning(), call(), output()]),
    ("reasoning twice", [reasoning(), reasoning(id="rs_2"), call(), output()]),
    ("reasoning kept by the caller", [
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}, answer(output_text()),
    ]),
    ("reasoning with its text", [
        reasoning(content=[{"type": "reasoning_text", "text": "x"}], status="completed"), call(),
        output(),
    ]),
    ("reasoning before a hosted tool", [USER, reasoning(), SEARCH, answer(output_text())]),
    ("hosted tools", [USER, SEARCH, MCP, answer(output_text())]),
    ("approval", [USER, APPROVAL, APPROVED]),
    ("shell, whose output has the call's id", [SHELL, SHELL_OUT, USER]),
    ("pending call", [USER, call()]),
    ("pending calls", [USER, reasoning(), call("a"), reasoning(id="rs_2"), call("b")]),
    ("pending after an answered one", [USER, call("a"), output("a"), call("b")]),
    ("reference", [USER, REFERENCE]),
    ("reference without type", [USER, {"id": "msg_1"}]),
    ("output of a referenced call", [REFERENCE, output("c9"), USER]),
    ("a type of tomorrow", [USER, {"type": "time_travel_call", "to": 1985}]),
]  # fmt: skip

INVALID: list[tuple[str, str, Messages]] = [
    ("list", "nothing", []),
    ("json", "bytes", [said("user", b"hi")]),
    ("type", "neither type nor role", [{"content": "hi"}]),
    ("type", "null alone", [{"type": None}]),
    ("type", "number", [{"type": 7}]),
    ("type", "empty", [{"type": ""}]),
    ("role", "tool", [call(), {"role": "tool", "tool_call_id": "c1", "content": "sunny"}]),
    ("role", "missing", [{"type": "message", "content": "hi"}]),
    ("keys", "name", [said("user", name="ada")]),
    ("keys", "calls of Chat", [said("assistant", tool_calls=[])]),
    ("keys", "of a call", [call(args={}), output()]),
    ("keys", "parsed arguments", [call(parsed_arguments=None), output()]),
    ("keys", "of an output", [call(), output(is_error=True)]),
    ("keys", "of reasoning", [reasoning(text="x"), call(), output()]),
    ("fields", "no content", [{"role": "user"}]),
    ("fields", "status", [said("user", status="done")]),
    ("fields", "call without name", [without(call(), "name"), output()]),
    ("fields", "call without arguments", [without(call(), "arguments"), output()]),
    ("fields", "call without call_id", [without(call(), "call_id")]),
    ("fields", "output without output", [call(), without(output(), "output")]),
    ("fields", "output without call_id", [call(), without(output(), "call_id")]),
    ("fields", "custom call without input", [without(CUSTOM, "input"), CUSTOM_OUT]),
    ("fields", "reasoning without summary", [without(reasoning(), "summary"), call()]),
    ("fields", "reasoning without id or content", [without(reasoning(), "id"), call()]),
    ("fields", "summary of bare strings", [reasoning(summary=["x"]), call()]),
    ("fields", "summary of another type", [reasoning(summary=[output_text()]), call()]),
    ("fields", "search without status", [without(SEARCH, "status")]),
    ("fields", "search without id", [without(SEARCH, "id")]),
    ("fields", "MCP without server", [without(MCP, "server_label")]),
    ("fields", "MCP arguments are an object", [{**MCP, "arguments": {}}]),
    ("fields", "approval without a verdict", [APPROVAL, without(APPROVED, "approve")]),
    ("fields", "reference without id", [{"type": "item_reference"}]),
    ("id", "of a message", [said("assistant", id="m1")]),
    ("id", "of a call", [call(id="call_1"), output()]),
    ("id", "of reasoning", [reasoning(id="msg_1"), call()]),
    ("id", "null", [call(id=None), output()]),
    ("id", "empty", [{**SEARCH, "id": ""}]),
    ("id", "too long", [said("assistant", id="msg_" + "x" * 61)]),
    ("id", "number, of an unknown type", [{"type": "time_travel_call", "id": 7}]),
    ("ids", "two messages", [said("assistant", id="msg_1"), said("assistant", id="msg_1")]),
    ("ids", "two calls", [call("a", id="fc_1"), call("b", id="fc_1")]),
    ("ids", "of unknown types", [{"type": "x", "id": "x1"}, {"type": "y", "id": "x1"}]),
    ("ids", "item and its reference", [said("user", id="msg_1"), {"id": "msg_1"}]),
    ("content", "null", [said("user", None)]),
    ("content", "empty list", [said("user", [])]),
    ("content", "number", [said("assistant", 7)]),
    ("content", "null output", [call(), output(value=None)]),
    ("content", "output is an object", [call(), output(value={})]),
    ("parts", "of Chat", [said("user", [{"type": "text", "text": "hi"}])]),
    ("parts", "bare string", [said("user", ["hi"])]),
    ("parts", "output_text of a user", [said("user", [output_text()])]),
    ("parts", "input_text of an assistant", [answer({"type": "input_text", "text": "hi"})]),
    ("parts", "image of an assistant", [answer(IMAGE)]),
    ("parts", "text is null", [answer(output_text(None))]),
    ("parts", "annotations are null", [answer(output_text(annotations=None))]),
    ("parts", "empty image", [said("user", [{"type": "input_image", "image_url": None}])]),
    ("parts", "image at a path", [said("user", [{"type": "input_image", "image_url": "a.png"}])]),
    ("parts", "empty file", [said("user", [{"type": "input_file", "filename": "a.pdf"}])]),
    ("parts", "output_text in an output", [call(), output(value=[output_text()])]),
    ("call", "empty call_id", [call(""), output("")]),
    ("call", "long call_id", [call("x" * 65), output("x" * 65)]),
    ("call", "null call_id", [call(None)]),
    ("call", "arguments are an object", [call(arguments={}), output()]),
    ("call", "name with a dot", [call(name="a.b"), output()]),
    ("call", "long name", [call(name="a" * 129), output()]),
    ("orphan", "first of all", [output(), USER]),
    ("orphan", "of another call", [call("a"), output("a"), output("b")]),
    ("orphan", "before its call", [output(), call()]),
    ("orphan", "output of another kind", [CUSTOM, output()]),
    ("orphan", "custom output of a function", [call(), CUSTOM_OUT]),
    ("twice", "two outputs", [call(), output(), output()]),
    ("twice", "two outputs of a reference", [REFERENCE, output("c9"), output("c9")]),
    ("twice", "two calls", [call(), call(), output()]),
    ("twice", "two calls, one answered", [call(), output(), USER, call(), USER]),
    ("answers", "no request", [
        USER, {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
    ]),
    ("answers", "no program", [USER, {"type": "program_output", "call_id": "p", "result": "1"}]),
    ("unanswered", "then a user", [call(), USER]),
    ("unanswered", "then an answer", [call(), answer(output_text())]),
    ("unanswered", "partly, at the end", [call("a"), call("b"), output("a")]),
    ("unanswered", "partly, later", [call("a"), call("b"), output("b"), USER]),
    ("unanswered", "custom tool", [CUSTOM, USER]),
    ("unanswered", "shell", [SHELL, USER]),
    ("unanswered", "long ago", [call("z"), USER, call("a"), output("a"), call("b")]),
    ("reasoning", "last", [USER, reasoning()]),
    ("reasoning", "before a user", [reasoning(), USER]),
    ("reasoning", "before a system message", [reasoning(), said("system"), answer()]),
    ("reasoning", "before a developer message", [reasoning(), said("developer"), answer()]),
    ("reasoning", "before an output", [call(), reasoning(), output()]),
    ("reasoning", "twice, then a user", [reasoning(), reasoning(id="rs_2"), USER]),
    ("reasoning", "before an approval", [APPROVAL, reasoning(), APPROVED]),
]  # fmt: skip


@pytest.mark.parametrize("items", named(VALID))
def test_valid(items):
    assert_valid(items, "responses")


@pytest.mark.parametrize(
    ("rule", "items"), named((f"{rule}: {name}", rule, bad) for rule, name, bad in INVALID)
)
def test_invalid(rule, items):
    assert broken_rule(rejection(items, "responses")) == rule


def test_instructions_are_a_string():
    assert_valid([USER], "responses", system="be brief")
    assert broken_rule(rejection([USER], "responses", system=["be brief"])) == "system"


def test_every_rule_rejects_something_and_is_documented():
    rejected = {rule for rule, _, _ in INVALID}
    assert rejected | {"system", "stateless"} == documented(responses)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"},
        {"type": "reasoning", "summary": [], "id": "rs_1"},
        {"type": "item_reference", "id": "msg_1"},
    ],
    ids=["id", "plain", "reference"],
)
def test_a_service_that_stores_nothing_knows_no_ids(entry):
    wire = [USER, entry, answer(output_text())]
    assert_valid(wire, "responses")
    error = rejection(wire, "responses", profile="stateless")
    assert broken_rule(error) == "stateless"
    bare = {"type": "reasoning", "summary": [], "encrypted_content": "g"}
    assert_valid([USER, bare, answer(output_text())], "responses", profile="stateless")


def test_errors_point_at_the_place():
    assert rejection([USER, call("a" * 30), USER], "responses").startswith(
        "input[1]: no output for the call 'aaaaaaaaaaaaaaaaaaaaaaa...'"
    )
    assert rejection([said("user", [IMAGE, {}])], "responses").startswith("input[0].content[1]: ")


def official_items():
    params = pytest.importorskip("openai.types.responses.response_input_item_param")
    for item in get_args(params.ResponseInputItemParam):
        hints = get_type_hints(item)
        kinds = [kind for kind in get_args(hints["type"]) if isinstance(kind, str)]
        yield (
            (kinds or [get_args(arg)[0] for arg in get_args(hints["type"]) if get_args(arg)])[0],
            item,
        )


def required(item):
    hints = get_type_hints(item, include_extras=True)
    return [key for key, hint in hints.items() if get_origin(hint) is Required]


def test_no_key_of_the_official_types_is_refused():
    for kind, item in official_items():
        for key in get_type_hints(item):
            role = "assistant" if "Output" in item.__name__ else "user"
            base = {"role": role, "content": "hi"} if kind == "message" else {}
            filled = {key: "", **dict.fromkeys(required(item), ""), **base, "type": kind}
            assert "unknown key" not in verdict([filled], "responses"), (kind, key)


def test_no_field_is_asked_for_that_the_official_types_do_not_require():
    lenient = {"function_call_output"}  # call_id: newer services take a name in its place
    for kind, item in official_items():
        if kind in ITEMS and kind not in lenient:
            role = {"role": "user"} if kind == "message" else {}
            least = {**dict.fromkeys(required(item), ""), **role, "type": kind}
            assert "is missing" not in verdict([least], "responses"), kind
