"""What each provider wrote goes back to it as it came, and to no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.wires import stored
from tests.providers.writers import FORMATS, WRITERS
from tests.window.histories import placed
from tests.window.looking import many
from threadkeep.messages.tool_groups import repair
from threadkeep.testing.validity import assert_carried, assert_valid
from threadkeep.window import Window

RECEIVERS = [
    "openai/openai",
    "openai/deepseek",
    "openai/vllm",
    "openai/openrouter",
    "openai/gemini",
    "responses",
    "responses/stateless",
    "anthropic",
    "gemini",
]


def prompt(items, receiver):
    """The prompt for a receiver, and its system text."""
    window = Window(repair(items))
    match receiver.split("/"):
        case ["openai", profile]:
            return window.to_openai(profile), None
        case ["responses", *stateless]:
            return window.to_responses(stateless=bool(stateless)), None
        case ["anthropic"]:
            wire = window.to_anthropic()
            return wire, wire.system or None
    contents = window.to_gemini()
    return contents, contents.system_instruction or None


def turns(writer):
    """Up to three turns, numbered, so that no id comes twice."""
    one_to_three = st.integers(1, 3).flatmap(
        lambda count: st.tuples(*(WRITERS[writer](number) for number in range(count)))
    )
    return one_to_three.map(lambda drawn: [message for turn in drawn for message in turn])


def items_of(written, writer):
    return stored(written, FORMATS.get(writer, "openai-chat"))


@pytest.mark.proves("D3")
@pytest.mark.parametrize("receiver", RECEIVERS)
@pytest.mark.parametrize("writer", WRITERS)
def test_a_prompt_carries_what_its_receiver_wrote_and_nothing_of_others(writer, receiver):
    @many
    @given(turns(writer))
    def carried(written):
        sent, system = prompt(items_of(written, writer), receiver)
        assert_carried(written, sent, writer=writer, receiver=receiver, system=system)

    carried()


@pytest.mark.proves("D3")
@pytest.mark.parametrize("writer", [name for name in WRITERS if name.startswith("openai/")])
def test_without_a_profile_one_writer_gets_its_own_back(writer):
    @many
    @given(turns(writer))
    def carried(written):
        sent = Window(repair(items_of(written, writer))).to_openai()
        assert_carried(written, sent, writer=writer, receiver=writer)

    carried()


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_a_chat_that_several_wrote_is_valid_for_each(receiver):
    def piece(number):
        return st.sampled_from(sorted(WRITERS)).flatmap(
            lambda writer: WRITERS[writer](number).map(lambda turn: (turn, writer))
        )

    @many
    @given(st.tuples(*map(piece, range(3))))
    def valid(drawn):
        items = placed([item for turn, writer in drawn for item in items_of(turn, writer)])
        provider, _, profile = receiver.partition("/")
        sent, system = prompt(items, receiver)
        assert_valid(sent, provider, system=system, profile=profile or None)
        assert_valid(Window(repair(items)).to_openai(), "openai")

    valid()
