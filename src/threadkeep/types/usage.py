"""Token usage: what a provider says of one call in one shape, and the rows of `memory.usage`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from threadkeep.types import Json

_Path = tuple[str, ...]

_INPUT: Final[tuple[_Path, ...]] = (
    ("prompt_tokens",),
    ("input_tokens",),
    ("promptTokenCount",),
    ("prompt_token_count",),
    ("inputTokens",),
)
_OUTPUT: Final[tuple[_Path, ...]] = (
    ("output_tokens",),
    ("completion_tokens",),
    ("candidatesTokenCount",),
    ("candidates_token_count",),
    ("outputTokens",),
)
_TOTAL: Final[tuple[_Path, ...]] = (
    ("total_tokens",),
    ("totalTokenCount",),
    ("total_token_count",),
    ("totalTokens",),
)
_CACHED: Final[tuple[_Path, ...]] = (
    ("input_tokens_details", "cached_tokens"),
    ("prompt_tokens_details", "cached_tokens"),
    ("input_token_details", "cache_read"),  # LangChain
    ("cached_input_tokens",),  # Codex
    ("cache_read_input_tokens",),  # Anthropic
    ("cache_read_tokens",),  # Pydantic AI
    ("cachedContentTokenCount",),
    ("cached_content_token_count",),
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("cacheReadInputTokens",),  # Bedrock
)
_REASONING: Final[tuple[_Path, ...]] = (
    ("output_tokens_details", "reasoning_tokens"),
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_token_details", "reasoning"),
    ("reasoning_output_tokens",),
    ("thoughtsTokenCount",),
    ("thoughts_token_count",),
)
_BESIDE_INPUT: Final[tuple[_Path, ...]] = (
    ("cache_read_input_tokens",),
    ("cache_creation_input_tokens",),
    ("cacheReadInputTokens",),
    ("cacheWriteInputTokens",),
)
"""What Anthropic and Bedrock count beside the input; others count it as a part of the input."""

_BESIDE_OUTPUT: Final[tuple[_Path, ...]] = (("thoughtsTokenCount",), ("thoughts_token_count",))
"""What Gemini counts beside the output."""


class TokenCounts(NamedTuple):
    """The tokens of one call to a model.

    Attributes:
        input: read by the model, those from a cache included.
        output: written by it, its reasoning included.
        total: as the provider counts them, else the sum of both.
        cached: those of the input that came from a cache.
        reasoning: those of the output that were reasoning.
    """

    input: int = 0
    output: int = 0
    total: int = 0
    cached: int = 0
    reasoning: int = 0


def token_counts(usage: Mapping[str, Json]) -> TokenCounts:
    """The token counts of a provider's usage, whatever it calls them; 0 = it does not say."""
    input_tokens, output_tokens = _first(usage, _INPUT), _first(usage, _OUTPUT)
    if "prompt_tokens" not in usage:
        input_tokens += sum(_number(usage, count_path) for count_path in _BESIDE_INPUT)
    output_tokens += _first(usage, _BESIDE_OUTPUT)
    total_tokens = _first(usage, _TOTAL) or input_tokens + output_tokens
    return TokenCounts(
        input_tokens, output_tokens, total_tokens, _first(usage, _CACHED), _first(usage, _REASONING)
    )


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What the calls of one group took.

    Attributes:
        key: the model, the day (`2026-01-31`, UTC), the session's id, the id of the user's message
            that began the run, the id of the response or item, or the tool's name; empty = it is
            not known, or there is none.
        calls: calls to a model.
        unmetered: those of them that came without usage, so that their tokens are missing here.
        input_tokens: read by models, those from caches included.
        output_tokens: written by models, their reasoning included.
        total_tokens: as the providers count them.
        cached_tokens: those of the input that came from caches.
        reasoning_tokens: those of the output that were reasoning.
        session: the id of the session, of a run or a call.
    """

    key: str
    calls: int = 0
    unmetered: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    session: str | None = None

    def with_call(self, tokens: TokenCounts | None) -> UsageRow:
        """The row with one call more; `None` = it came without usage."""
        call_counts = tokens or TokenCounts()
        return replace(
            self,
            calls=self.calls + 1,
            unmetered=self.unmetered + (tokens is None),
            input_tokens=self.input_tokens + call_counts.input,
            output_tokens=self.output_tokens + call_counts.output,
            total_tokens=self.total_tokens + call_counts.total,
            cached_tokens=self.cached_tokens + call_counts.cached,
            reasoning_tokens=self.reasoning_tokens + call_counts.reasoning,
        )


def _first(usage: Mapping[str, Json], paths: tuple[_Path, ...]) -> int:
    return next(filter(None, (_number(usage, count_path) for count_path in paths)), 0)


def _number(usage: Mapping[str, Json], path: _Path) -> int:
    nested_value: Any = usage
    for path_key in path:
        nested_value = nested_value.get(path_key) if isinstance(nested_value, Mapping) else None
    return nested_value if type(nested_value) is int and nested_value > 0 else 0
