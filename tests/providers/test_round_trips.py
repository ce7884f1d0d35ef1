"""What a provider takes comes back as it was; what another is shown of it, that one takes too."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from itertools import groupby
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.wires import (
    anthropic_prompts,
    any_items,
    any_message,
    chat_prompts,
    responses_prompts,
    stored,
)
from tests.window.histories import understood
from tests.window.looking import many
from threadkeep.messages import (
    parse,
    to_anthropic,
    to_openai,
    to_responses,
)
from threadkeep.messages.tool_groups import repair
from threadkeep.testing.validity import assert_valid


def spoken(message):
    """Without keys that say nothing."""
    return {k: v for k, v in message.items() if k == "content" or v not in (None, [])}


def entry(message):
    """Without the placeholder of an id; an empty list of parts is an empty text."""
    kept = {k: v for k, v in message.items() if v != "__fake_id__"}
    return {**kept, "content": kept["content"] or ""} if "content" in kept else kept


def as_blocks(messages):
    """Neighbours of one role are one message to the service, and a text is a block."""
    return [
        (role, [block for message in run for block in _blocks(message["content"])])
        for role, run in groupby(messages, key=lambda message: message["role"])
    ]


def _blocks(content):
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


@many
@given(chat_prompts())
def test_openai_chat(messages):
    assert to_openai(stored(messages)) == [spoken(message) for message in messages]


@many
@given(responses_prompts())
def test_openai_responses(messages):
    found = to_responses(stored(messages))
    assert [entry(message) for message in found] == [entry(message) for message in messages]


@many
@given(anthropic_prompts())
def test_anthropic(messages):
    assert as_blocks(to_anthropic(stored(messages, "anthropic"))) == as_blocks(messages)


@pytest.mark.proves("C11")
@many
@given(any_items)
def test_a_chat_of_all_shapes_goes_on_with_every_provider(items):
    view = repair(items)
    if view:
        assert_valid(to_openai(view), "openai")
        assert_valid(to_responses(view), "responses")
        wire = to_anthropic(view)
        assert_valid(wire, "anthropic", system=wire.system or None)


@many
@given(st.one_of(any_items, any_items.map(repair), chat_prompts().map(stored)))
def test_what_needs_no_pairing_goes_a_short_way_that_leads_where_the_long_one_does(items):
    def sent():
        try:
            return to_openai(items)
        except (TypeError, ValueError) as error:
            return repr(error)

    short = sent()
    with mock.patch("threadkeep.messages.openai_chat_prompt._paired_messages", return_value=None):
        assert sent() == short


@many
@given(any_message)
def test_an_item_of_any_shape_is_the_same_item_when_it_is_added_again(message):
    """As when one session is copied to another by hand."""
    for item in understood(message):
        assert parse(item) == [item]


@many
@given(any_message)
def test_an_item_of_any_shape_survives_as_a_dict_of_its_fields(message):
    for item in understood(message):
        fields = {
            key: value for key, value in dataclasses.asdict(item).items() if value is not None
        }
        again = understood(json.loads(json.dumps(fields)))
        assert [(i.role, i.text, i.tool_calls) for i in again] == [
            (item.role, item.text, item.tool_calls)
        ]


@many
@given(any_message)
def test_a_payload_is_kept_only_where_the_fields_do_not_say_it_all(message):
    shown: dict[str, Callable[..., list[Any]]] = {
        "openai-chat/1": to_openai,
        "openai-responses/1": to_responses,
    }
    for item in understood(message):
        if item.raw is None or item.role == "tool" or item.tool_calls:
            continue
        wire = shown.get(item.raw["format"], to_anthropic)
        plain = wire([dataclasses.replace(item, raw=None)])
        assert [item.raw["data"]] != plain, "the payload says no more than the fields"
