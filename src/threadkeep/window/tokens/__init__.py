"""Token counts of items: estimated, or by tiktoken if its files are on this machine.

Nothing here uses the network.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Sized
from numbers import Real
from typing import Any, Final

from threadkeep.core.parts import PartialMetadata, unread_lengths
from threadkeep.errors import ConfigError
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item, Json
from threadkeep.window.tokens.estimator import estimate

__all__ = [
    "MEDIA_TOKENS", "as_text", "checked", "count", "default", "estimate", "tiktoken", "total",
]  # fmt: skip

_MESSAGE_OVERHEAD: Final = 4  # role and delimiters of one message, as OpenAI's cookbook counts them
_CHARACTERS_PER_TOKEN: Final = 4  # of large parts that were not read yet
_CALL_OVERHEAD: Final = 8  # id and delimiters of one tool call
MEDIA_TOKENS: Final = {"image": 1_000, "audio": 1_000, "file": 2_000, "video": 4_000}
"""Flat estimates per block, above what providers charge for one picture or a page or two."""

_CHUNK_CHARS: Final = 4_000  # tiktoken takes quadratic time on long runs of one letter


def count(item: Item, counter: TokenCounter | None = None) -> int:
    """Tokens of one item: text, reasoning, tool calls with arguments, and media by flat rates."""
    counter = checked(counter) if counter else default()
    token_count = _MESSAGE_OVERHEAD
    if type(item.metadata) is PartialMetadata:
        token_count += sum(unread_lengths(item)) // _CHARACTERS_PER_TOKEN
    if item.name:
        token_count += counter(item.name)
    if isinstance(item.content, str):
        token_count += counter(item.content) if item.content else 0
    else:
        token_count += sum(_block_tokens(block, counter) for block in item.content)
    for tool_call in item.tool_calls:
        token_count += _CALL_OVERHEAD + counter(tool_call.get("name") or "")
        token_count += counter(as_text(tool_call.get("args")))
    return token_count


def total(items: Iterable[Item], counter: TokenCounter | None = None) -> int:
    """Tokens of several items."""
    counter = counter or default()
    return sum(count(item, counter) for item in items)


def checked(counter: TokenCounter) -> TokenCounter:
    """An application's counter, whose answer must be a number, and not the tokens themselves."""

    def size(text: str) -> int:
        token_count = counter(text)
        if not isinstance(token_count, Real):
            raise _wrong_count(token_count)
        return token_count

    return size


def _wrong_count(answer: object) -> ConfigError:
    answer_type = "None" if answer is None else f"a {type(answer).__name__}"
    hint = ": write counter=lambda text: len(encode(text))" if isinstance(answer, Sized) else ""
    return ConfigError(f"counter must return a number of tokens, got {answer_type}{hint}")


@functools.cache
def default() -> TokenCounter:
    """tiktoken's `o200k_base` if it is installed and its file is on this machine, else `estimate`.

    Warns once if tiktoken is installed but has no file, since counts then are estimates.
    """
    from threadkeep.window.tokens import vocabulary  # rarely needed, and not cheap to load

    return tiktoken("o200k_base") if vocabulary.is_available("o200k_base") else estimate


def tiktoken(encoding: str = "o200k_base") -> TokenCounter:
    """A counter by tiktoken, from a file on this machine (`o200k_base` or `cl100k_base`).

    Raises:
        MissingExtra: tiktoken is not installed.
        ConfigError: the encoding is unknown, or its file is not on this machine.
    """
    from threadkeep.window.tokens import vocabulary

    encode = vocabulary.encoder(encoding)
    return _cached(lambda text: sum(len(encode(piece)) for piece in _chunks(text)))


def _cached(measure: TokenCounter) -> TokenCounter:
    cached_measure = functools.lru_cache(maxsize=4_096)(measure)

    def counter(text: str) -> int:
        return cached_measure(text) if len(text) <= _CHUNK_CHARS else measure(text)

    return counter


def _block_tokens(block: dict[str, Json], counter: TokenCounter) -> int:
    block_type = block["type"]
    if block_type == "text":
        return counter(block["text"])
    if block_type == "reasoning":
        encrypted_text = block.get("extras", {}).get("encrypted_content") or ""
        return counter(block.get("reasoning") or "") + estimate(encrypted_text)
    if block_type in MEDIA_TOKENS:
        return MEDIA_TOKENS[block_type]
    return counter(as_text(block.get("value")))


def as_text(value: Any) -> str:
    """A str unchanged, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _chunks(text: str) -> Iterator[str]:
    return (text[start : start + _CHUNK_CHARS] for start in range(0, len(text), _CHUNK_CHARS))
