"""Anthropic Messages: is this list of `messages` a valid prompt?

Sources: [ref] the API reference of `POST /v1/messages` and the guides to tool use and extended
thinking; [err] the service's own answers with status 400, as quoted in public issues.

- `list`, `json`: as in Chat Completions ([ref]).
- `role`: user or assistant, nothing else ([ref]: the system prompt is apart).
- `first`: the first message is the user's ([err] "messages: first message must use the user role").
- `keys`: role and content only, and only a block's own keys in a block ([err] "messages.0.name:
  Extra inputs are not permitted").
- `fields`: every required key is there and of its type ([err] "Field required").
- `content`: a non-empty string or list of blocks; empty only in a final message of the assistant
  ([err] "all messages must have non-empty content except for the optional final assistant
  message").
- `block`: block types that exist, in the role they belong to: tool_use and thinking with the
  assistant; tool_result, image and document with the user ([err] "Input tag ... does not match any
  of the expected tags", "'image' blocks are not permitted within assistant turns"). Types that no
  API is known to have pass, since this one adds some by the month.
- `text`: a text is more than whitespace, also in tool results, and when the whole content is one
  string ([err] "text content blocks must be non-empty", "... must contain non-whitespace text").
- `ending`: a final message of the assistant does not end in whitespace ([err] "final assistant
  content cannot end with trailing whitespace").
- `source`: image: base64 of JPEG, PNG, GIF or WebP, url, file; document: base64 of a PDF, plain
  text, content, url, file; each with its fields ([ref]).
- `thinking`: has a signature, redacted thinking its data ([err]
  "thinking.signature: Field required", "redacted_thinking.data: Field required"); a message does
  not end with a thinking block ([err] "The final block in an assistant message cannot be
  `thinking`").
- `call`: tool_use and its result have an id matching `[a-zA-Z0-9_-]+` ([err] "String should match
  pattern"), the name matches `[a-zA-Z0-9_-]{1,128}` ([err], of tools), the input is an object
  ([err] "Input should be a valid dictionary").
- `ids`: tool_use ids are unique over the whole conversation ([err] "`tool_use` ids must be
  unique").

- `hosted`: the use of a hosted tool (`*_tool_use` besides tool_use) has its result in the same or
  a later message of the assistant, and a result its use before it ([err] "`web_search` tool use
  with id ... was found without a corresponding `web_search_tool_result` block", "unexpected
  `tool_use_id` found in `web_search_tool_result` blocks"). A use may be open behind the last words
  of the user: a paused turn.

Roles need not alternate: consecutive messages of one role are one message to the service ([ref]),
so the rules about tools are judged on the merged list:

- `results-first`: tool_result blocks come before all other content of their message ([ref]; [err]
  "Did not find 1 `tool_result` block(s) at the beginning of this message").
- `orphan`: a tool_result answers a tool_use of the message just before ([err] "unexpected
  `tool_use_id` found in `tool_result` blocks").
- `twice`: a tool_use has one result ([err] "each tool_use must have a single result").
- `unanswered`: every tool_use has its tool_result in the very next message ([err] "`tool_use` ids
  were found without `tool_result` blocks immediately after"). It may be open only in the very last
  message: a pending interrupt, a valid history which the service takes once it is answered.
- `system`: if given, a non-empty string or list of text blocks ([ref]).

Not judged: what depends on the model (prefilled answers, media), the order of thinking blocks while
thinking is on, whether a signature is genuine, sizes and counts.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from threadkeep.testing.validity.anthropic_blocks import BLOCKS, TEXT, visible_text
from threadkeep.testing.validity.anthropic_hosted import check_hosted
from threadkeep.testing.validity.checks import (
    any_value,
    array,
    by_type,
    fail,
    instance,
    json_messages,
    shape,
    shorten,
)

_MESSAGE = shape({"role": any_value, "content": any_value})
_Block = dict[str, Any]
_Merged = list[tuple[str, list[tuple[str, _Block]]]]  # role, and each block with its position


def check_prompt(messages: Any, system: Any) -> None:
    """Raise an AssertionError at the first broken rule of this module's docstring."""
    if system is not None:
        _check_system(system)
    json_messages("messages", messages)
    for message_index, message in enumerate(messages):
        _check_message(message_index, message, last=message_index == len(messages) - 1)
    merged_messages = _merge(messages)
    _check_ending(merged_messages)
    _check_ids(merged_messages)
    _check_results(merged_messages)
    check_hosted(merged_messages)


def _check_system(system: Any) -> None:
    if isinstance(system, str):
        visible_text("system", system)
    else:
        array(by_type({"text": TEXT}, "block"), min_length=1, rule="system")("system", system)


def _check_message(message_index: int, message: dict[str, Any], *, last: bool) -> None:
    location, role = f"messages[{message_index}]", message.get("role")
    if not isinstance(role, str) or role not in BLOCKS:
        fail("role", location, f"role {shorten(role)} is none of {', '.join(BLOCKS)}")
    if message_index == 0 and role != "user":
        fail("first", location, "the first message must be the user's")
    _MESSAGE(location, message)
    _check_content(f"{location}.content", role, message["content"], may_be_empty=last)


def _check_content(location: str, role: str, content: Any, *, may_be_empty: bool) -> None:
    if not isinstance(content, str):
        instance(list, "content")(location, content)
    if not content:
        if role != "assistant" or not may_be_empty:
            fail("content", location, "must not be empty")
    elif isinstance(content, str):
        visible_text(location, content)
    else:
        array(by_type(BLOCKS[role], "block", new=True, hosted=role == "assistant"))(
            location, content
        )


def _merge(messages: list[dict[str, Any]]) -> _Merged:
    located_messages = [
        (f"messages[{message_index}]", message) for message_index, message in enumerate(messages)
    ]
    return [
        (
            role,
            [
                block
                for location, message in message_group
                for block in _blocks(location, message["content"])
            ],
        )
        for role, message_group in groupby(
            located_messages, key=lambda location_and_message: str(location_and_message[1]["role"])
        )
    ]


def _blocks(location: str, content: str | list[_Block]) -> list[tuple[str, _Block]]:
    if isinstance(content, str):
        return [(location, {"type": "text", "text": content})] if content else []
    return [
        (f"{location}.content[{block_index}]", block) for block_index, block in enumerate(content)
    ]


def _check_ending(merged: _Merged) -> None:
    """How messages of the assistant end: never in thinking, the last one not in whitespace."""
    for role, blocks in merged:
        if role == "assistant" and blocks and blocks[-1][1]["type"] == "thinking":
            fail("thinking", blocks[-1][0], "a message must not end with a thinking block")
    role, blocks = merged[-1]
    if role == "assistant" and blocks:
        location, block = blocks[-1]
        if block["type"] == "text" and block["text"] != block["text"].rstrip():
            fail("ending", location, "the final text of the assistant must not end in whitespace")


def _check_ids(merged: _Merged) -> None:
    tool_use_ids: set[str] = set()
    for _, blocks in merged:
        for location, block in blocks:
            if block["type"] == "tool_use" and block["id"] in tool_use_ids:
                fail("ids", location, f"another tool_use has the id {shorten(block['id'])}")
            if block["type"] == "tool_use":
                tool_use_ids.add(block["id"])


def _check_results(merged: _Merged) -> None:
    location_by_id: dict[str, str] = {}  # tool_use id -> its position, of the message before
    for role, blocks in merged:
        if role == "user":
            _check_answers(location_by_id, blocks)
        location_by_id = {
            block["id"]: location for location, block in blocks if block["type"] == "tool_use"
        }


def _check_answers(location_by_id: dict[str, str], blocks: list[tuple[str, _Block]]) -> None:
    answered_ids: set[str] = set()
    for block_index, (location, block) in enumerate(blocks):
        if block["type"] != "tool_result":
            continue
        call_id = block["tool_use_id"]
        if call_id not in location_by_id:
            fail("orphan", location, f"{shorten(call_id)} is not a tool_use of the message before")
        if call_id in answered_ids:
            fail("twice", location, f"the tool_use {shorten(call_id)} has a result already")
        if block_index != len(answered_ids):
            fail("results-first", location, "tool_result blocks must come before other content")
        answered_ids.add(call_id)
    for call_id, location in location_by_id.items():
        if call_id not in answered_ids:
            fail(
                "unanswered", location, f"no tool_result for {shorten(call_id)} in the next message"
            )
