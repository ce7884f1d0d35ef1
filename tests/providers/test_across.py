"""A chat begun with one provider goes on with another: calls paired, nothing lost in silence."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.wires import stored
from threadkeep import Item
from threadkeep.messages import to_anthropic, to_openai, to_responses
from threadkeep.testing.validity import assert_valid

CHAT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": "Let me look.",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"q":1}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    {"role": "assistant", "content": "It is sunny."},
]
RESPONSES = [
    {"type": "message", "role": "system", "content": "Be kind."},
    {"type": "message", "role": "user", "content": "Weather?"},
    {"type": "message", "role": "assistant", "content": "Let me look."},
    {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"q":1}'},
    {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    {"type": "message", "role": "assistant", "content": "It is sunny."},
]
ANTHROPIC = [
    {"role": "user", "content": "Weather?"},
    {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "c1", "name": "look", "input": {"q": 1}},
        ],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "sunny"}],
    },
    {"role": "assistant", "content": "It is sunny."},
]
SYSTEM = {"role": "system", "content": "Be kind."}


def as_text(messages):
    """With a single block of text as a text."""
    return [_as_text(message) if "content" in message else message for message in messages]


def _as_text(message):
    match message["content"]:
        case [{"type": "text" | "output_text", "text": text, **rest}] if not rest:
            return {**message, "content": text}
    return message


@pytest.mark.parametrize(
    "messages", [CHAT, RESPONSES, [SYSTEM, *ANTHROPIC]], ids=["chat", "responses", "anthropic"]
)
def test_the_same_chat_is_shown_to_every_provider_whoever_wrote_it(messages):
    items = stored(messages)
    assert as_text(to_openai(items)) == CHAT
    assert as_text(to_responses(items)) == RESPONSES
    assert as_text(to_anthropic(items)) == ANTHROPIC
    assert to_anthropic(items).system == "Be kind."


def test_thoughts_are_for_the_model_that_had_them():
    thinking = {"type": "thinking", "thinking": "secret plan", "signature": "c2ln"}
    said = {"role": "assistant", "content": [thinking, {"type": "text", "text": "Hello."}]}
    items = stored([{"role": "user", "content": "Hi"}, said])
    assert to_anthropic(items)[1] == said
    assert "secret plan" not in str(to_openai(items))
    assert "secret plan" not in str(to_responses(items))


def test_reasoning_of_responses_goes_with_what_it_led_to():
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "r"}
    items = stored([{"type": "message", "role": "user", "content": "Hi"}, thought, call, output])
    assert to_responses(items)[1:] == [thought, call, output]
    assert "rs_1" not in str(to_openai(items))
    assert to_responses(items[:2]) == [{"type": "message", "role": "user", "content": "Hi"}]


@pytest.mark.proves("C11")
def test_a_call_that_is_still_open_comes_last_whatever_was_said_after_it():
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    said = {"type": "message", "role": "assistant", "content": "One moment."}
    wire = to_responses(stored([{"role": "user", "content": "Hi"}, call, thought, said]))
    assert wire[1:] == [thought, said, call]
    assert_valid(wire, "responses")


@pytest.mark.parametrize(
    "bad_id", ["", "x" * 70, "with space", "é", "nul\0"], ids=["empty", "long", "space", "é", "nul"]
)
@pytest.mark.proves("C11")
def test_an_id_one_provider_gives_and_another_refuses_is_changed_in_call_and_result(bad_id):
    call = {"id": bad_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    items = stored(
        [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": bad_id, "content": "r"},
        ]
    )
    assert_valid(to_openai(items), "openai")
    assert_valid(to_responses(items), "responses")
    assert_valid(to_anthropic(items), "anthropic")
    assert len(to_anthropic(items)) == 3, "the result is still there"


@pytest.mark.proves("C11")
@pytest.mark.parametrize("again", ["", "c1"])
def test_calls_of_one_output_that_share_an_id_are_answered_in_their_order(again):
    calls = [{"id": again, "name": name, "args": {}} for name in ("first", "second")]
    items = [
        Item(id="0", role="user", content="Both, please."),
        Item(id="1", type="tool_call", role="assistant", tool_calls=calls[:1]),
        Item(id="2", type="tool_call", role="assistant", tool_calls=calls[1:]),
        Item(id="3", type="tool_result", role="tool", content="one", tool_call_id=again),
        Item(id="4", type="tool_result", role="tool", content="two", tool_call_id=again),
    ]
    sent = to_responses(items)
    said = {entry["call_id"]: entry["output"] for entry in sent if "output" in entry}
    called = {entry["name"]: said[entry["call_id"]] for entry in sent if "arguments" in entry}
    assert called == {"first": "one", "second": "two"}


def test_an_id_that_comes_again_answers_its_own_call():
    """Some servers count calls from zero in every turn."""

    def turn(n):
        call = {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        return [
            {"role": "user", "content": f"question {n}"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_0", "content": f"result {n}"},
        ]

    items = stored([*turn(1), *turn(2)])
    assert_valid(to_responses(items), "responses")
    outputs = [entry for entry in to_responses(items) if entry["type"] == "function_call_output"]
    assert [entry["output"] for entry in outputs] == ["result 1", "result 2"]
    assert_valid(to_anthropic(items), "anthropic")
    assert to_openai(items) == [*turn(1), *turn(2)], "where it may come again, it does"


MEDIA = {
    "image": {"type": "image", "url": "https://x.test/a.png"},
    "bytes": {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
    "audio": {"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"},
    "video": {"type": "video", "url": "https://x.test/v.mp4"},
    "pdf": {"type": "file", "base64": "aGk=", "mime_type": "application/pdf"},
}


@pytest.mark.parametrize("kind", MEDIA)
def test_media_are_sent_where_they_are_taken_and_named_where_not(kind):
    items = stored([{"role": "user", "content": [MEDIA[kind]]}])
    for wire in (to_openai(items), to_responses(items), to_anthropic(items)):
        (part,) = wire[0]["content"]
        assert part["type"] in {
            "image_url", "input_audio", "file", "input_image", "input_file", "image", "document",
        } or part["text"].startswith(f"[{MEDIA[kind]['type']}")  # fmt: skip
    assert_valid(to_openai(items), "openai")
    assert_valid(to_responses(items), "responses")
    assert_valid(to_anthropic(items), "anthropic")


def test_a_chat_that_opens_with_the_model_gets_a_user_where_one_is_asked_for():
    items = stored([{"role": "assistant", "content": "Welcome!"}])
    assert to_openai(items) == [{"role": "assistant", "content": "Welcome!"}]
    wire = to_anthropic(items)
    assert wire[0] == {"role": "user", "content": "(earlier conversation omitted)"}
    assert wire[1]["content"] == "Welcome!"


def test_only_a_system_message_is_a_system_prompt_and_a_placeholder():
    wire = to_anthropic(stored([SYSTEM]))
    assert wire.system == "Be kind."
    assert_valid(wire, "anthropic", system=wire.system)


def test_lone_surrogates_are_replaced_on_the_way_out_only():
    items = stored([{"role": "user", "content": "half \ud83d"}])
    assert items[0].content == "half \ud83d"
    for wire in (to_openai(items), to_responses(items), to_anthropic(items)):
        assert wire[0]["content"] == "half ?"


def test_a_result_that_stands_in_what_was_said_is_no_result_to_anthropic():
    """Another framework may hold it as a part; its call is answered by an item of its own."""
    nested = {"type": "tool_result", "tool_use_id": "c1", "content": "sunny"}
    block = {"type": "opaque", "value": nested}
    result = Item(type="tool_result", role="tool", tool_call_id="c1", content=[block])
    asked: Any = CHAT[:3]
    items = [*stored(asked), result, Item(content=[block])]
    assert_valid(to_anthropic(items), "anthropic")


def test_a_compaction_of_another_provider_is_no_block_to_anthropic():
    compaction = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}
    block = {"type": "opaque", "value": compaction}
    answer = Item(role="assistant", content=[block, {"type": "text", "text": "Hello."}])
    wire = to_anthropic([Item(content="Hi"), answer])
    assert_valid(wire, "anthropic")
    assert "cmp_1" not in str(wire)
