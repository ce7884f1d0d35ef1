"""Counts of tokens are what `genai-prices` reads from the same answers of providers."""

from __future__ import annotations

import pytest
from genai_prices import extract_usage
from hypothesis import given
from hypothesis import strategies as st

from threadkeep.types.usage import token_counts

COUNT = st.integers(0, 10**6)


def openai_chat(read, written, cached, reasoning, _):
    usage = {
        "prompt_tokens": read + cached,
        "completion_tokens": written + reasoning,
        "total_tokens": read + cached + written + reasoning,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    return "openai", "chat", "usage", usage


def openai_responses(read, written, cached, reasoning, _):
    usage = {
        "input_tokens": read + cached,
        "output_tokens": written + reasoning,
        "total_tokens": read + cached + written + reasoning,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }
    return "openai", "responses", "usage", usage


def anthropic(read, written, cached, _, created):
    usage = {
        "input_tokens": read,
        "output_tokens": written,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": created,
    }
    return "anthropic", "default", "usage", usage


def gemini(read, written, cached, reasoning, _):
    usage = {
        "promptTokenCount": read + cached,
        "candidatesTokenCount": written,
        "cachedContentTokenCount": cached,
        "thoughtsTokenCount": reasoning,
        "totalTokenCount": read + cached + written + reasoning,
    }
    return "google", "default", "usageMetadata", usage


MODELS = {"openai": "gpt-5", "anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-pro"}


@pytest.mark.parametrize("shape", [openai_chat, openai_responses, anthropic, gemini])
@given(counts=st.tuples(COUNT, COUNT, COUNT, COUNT, COUNT))
def test_counts_are_those_of_another_program(shape, counts):
    provider, flavor, key, usage = shape(*counts)
    answer = {"model": MODELS[provider], "modelVersion": MODELS[provider], key: usage}
    judged = extract_usage(answer, provider_id=provider, api_flavor=flavor).usage
    ours = token_counts(usage)
    assert ours.input == (judged.input_tokens or 0)
    assert ours.output == (judged.output_tokens or 0)
    assert ours.cached == (judged.cache_read_tokens or 0)
    assert ours.reasoning == (getattr(judged, "output_reasoning_tokens", None) or 0)
    assert ours.total == ours.input + ours.output


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "input_tokens": 100,
                "output_tokens": 9,
                "total_tokens": 109,
                "input_token_details": {"cache_read": 60, "cache_creation": 10},
                "output_token_details": {"reasoning": 4},
            },
            (100, 9, 109, 60, 4),
        ),
        (
            {
                "input_tokens": 100,
                "cached_input_tokens": 60,
                "output_tokens": 9,
                "reasoning_output_tokens": 4,
                "total_tokens": 109,
            },
            (100, 9, 109, 60, 4),
        ),
        (  # a gateway's: the prompt has the cache in it already
            {"prompt_tokens": 100, "completion_tokens": 9, "cache_read_input_tokens": 60},
            (100, 9, 109, 60, 0),
        ),
        (
            {"inputTokens": 10, "outputTokens": 7, "cacheReadInputTokens": 3, "totalTokens": 20},
            (13, 7, 20, 3, 0),
        ),
    ],
    ids=["langchain", "codex", "gateway", "bedrock"],
)
def test_counts_of_frameworks_and_gateways(usage, expected):
    assert token_counts(usage) == expected


@given(
    usage=st.dictionaries(
        st.sampled_from(["input_tokens", "total_tokens", "input_tokens_details", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
            lambda inner: st.lists(inner) | st.dictionaries(st.just("cached_tokens"), inner),
            max_leaves=3,
        ),
    )
)
def test_odd_usage_counts_nothing_negative(usage):
    assert all(type(count) is int and count >= 0 for count in token_counts(usage))
