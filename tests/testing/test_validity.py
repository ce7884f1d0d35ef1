"""`assert_valid`, whatever the provider: its errors, its aliases, its independence."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest

from tests.testing.rules import broken_rule, rejection
from threadkeep.testing import validity
from threadkeep.testing.validity import assert_valid

PROVIDERS = ["openai", "responses", "anthropic"]
HI = {"role": "user", "content": "hi"}
LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.mark.parametrize("provider", [*PROVIDERS, "openai-chat", "openai-responses"])
def test_a_plain_exchange_is_valid_everywhere(provider):
    turns = [HI, {"role": "assistant", "content": "hello"}, {"role": "user", "content": "and?"}]
    assert_valid(turns, provider)


def test_chat_completions_is_the_default():
    assert_valid([{"role": "developer", "content": "be brief"}, HI])


def test_an_unknown_provider_is_a_value_error_that_names_the_known():
    with pytest.raises(ValueError, match=r"'mistral' is none of openai, .*anthropic"):
        assert_valid([HI], "mistral")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("messages", [[], (HI,), HI, "hi", None, [HI, "hi"], [None], [[HI]]])
def test_only_a_filled_list_of_dicts_is_a_prompt(provider, messages):
    assert broken_rule(rejection(messages, provider)) == "list"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "value",
    [{1, 2}, b"bytes", math.nan, math.inf, "\ud800", pytest.param(object(), id="object"), LOOP],
    ids=repr,
)
def test_what_json_cannot_carry_is_rejected(provider, value):
    assert broken_rule(rejection([HI, {"role": "user", "content": value}], provider)) == "json"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("role", [None, "", "User", "tool_result", 1, ["user"], {}])
def test_only_known_roles_speak(provider, role):
    error = rejection([HI, {"role": role, "content": "hi"}], provider)
    assert broken_rule(error) == "role"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_judging_changes_nothing(provider):
    messages = [HI, {"role": "assistant", "content": "hello"}]
    before = [dict(message) for message in messages]
    assert_valid(messages, provider)
    assert messages == before


def test_an_error_names_position_reason_and_shortened_id():
    long = "call_0123456789_0123456789_0123456789"
    messages = [HI, {"role": "tool", "tool_call_id": long, "content": "sunny"}]
    error = rejection(messages, "openai")
    assert error.startswith("messages[1]: 'call_0123456789_0123456...' is not a call")
    assert long not in error


def test_an_error_never_quotes_a_text():
    secret = "the number of my card"
    for provider in PROVIDERS:
        error = rejection([{"role": "user", "content": secret, "kontent": secret}], provider)
        assert broken_rule(error) == "keys"
        assert secret not in error


def test_the_judges_import_nothing_else_of_threadkeep():
    for module in Path(str(validity.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                own = node.module.startswith("threadkeep")
                assert not own or node.module.startswith("threadkeep.testing.validity"), module
            elif isinstance(node, ast.Import):
                assert not any(name.name.startswith("threadkeep") for name in node.names), module
