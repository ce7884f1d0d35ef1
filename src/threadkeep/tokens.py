"""How many tokens an item is: by estimate, or by tiktoken where its files are at hand.

Nothing here ever asks the network.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from threadkeep.errors import ConfigError, MissingExtra
from threadkeep.protocols import TokenCounter
from threadkeep.types import Item, Json

_MESSAGE: Final = 4  # role and delimiters of one message, as OpenAI's cookbook counts them
_CALL: Final = 8  # id and delimiters of one tool call
MEDIA: Final = {"image": 1_000, "audio": 1_000, "file": 2_000, "video": 4_000}
"""Flat estimates per block, above what providers charge for one picture or a page or two."""

_FILES: Final = {  # what tiktoken calls them in its cache
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
_CHUNK: Final = 4_000  # tiktoken takes quadratic time on long runs of one letter
_lock = threading.Lock()


def estimate(text: str) -> int:
    """A quarter of the UTF-8 bytes, rounded up: near enough for prose and code, no tables."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // 4)


def count(item: Item, counter: TokenCounter | None = None) -> int:
    """Tokens of one item: words, reasoning, tool calls with arguments, and media by flat rates."""
    counter = counter or default()
    total = _MESSAGE
    if item.name:
        total += counter(item.name)
    if isinstance(item.content, str):
        total += counter(item.content) if item.content else 0
    else:
        total += sum(_block(block, counter) for block in item.content)
    for call in item.tool_calls:
        total += _CALL + counter(call.get("name") or "") + counter(as_text(call.get("args")))
    return total


def total(items: Iterable[Item], counter: TokenCounter | None = None) -> int:
    """Tokens of several items."""
    counter = counter or default()
    return sum(count(item, counter) for item in items)


@functools.cache
def default() -> TokenCounter:
    """tiktoken's `o200k_base` if it is installed and its file is on this machine, else `estimate`.

    Warns once if tiktoken is installed but has no file, since counts then are estimates.
    """
    if importlib.util.find_spec("tiktoken") is None:
        return estimate
    if _folder("o200k_base") is None:
        warnings.warn(
            "tiktoken is installed but its o200k_base file is not on this machine, so tokens are "
            "estimated; run tiktoken.get_encoding('o200k_base') once with a network, or set "
            "TIKTOKEN_CACHE_DIR",
            stacklevel=2,
        )
        return estimate
    return tiktoken("o200k_base")


def tiktoken(encoding: str = "o200k_base") -> TokenCounter:
    """A counter by tiktoken, from a file on this machine (`o200k_base` or `cl100k_base`).

    Raises:
        MissingExtra: tiktoken is not installed.
        ConfigError: the encoding is unknown, or its file is nowhere on this machine.
    """
    try:
        import tiktoken as library
    except ImportError as error:
        raise MissingExtra('tiktoken is missing: pip install "threadkeep[tokens]"') from error
    folder = _folder(encoding)
    if folder is None:
        raise ConfigError(
            f"no file of the encoding {encoding!r} on this machine; looked in TIKTOKEN_CACHE_DIR, "
            "DATA_GYM_CACHE_DIR, the temporary folder and llama_index; known: " + ", ".join(_FILES)
        )
    with _cache_dir(folder):
        encode = library.get_encoding(encoding).encode_ordinary
    return _cached(lambda text: sum(len(encode(piece)) for piece in _pieces(text)))


def _cached(measure: TokenCounter) -> TokenCounter:
    remembered = functools.lru_cache(maxsize=4_096)(measure)

    def counter(text: str) -> int:
        return remembered(text) if len(text) <= _CHUNK else measure(text)

    return counter


def _block(block: dict[str, Json], counter: TokenCounter) -> int:
    kind = block["type"]
    if kind == "text":
        return counter(block["text"])
    if kind == "reasoning":
        hidden = block.get("extras", {}).get("encrypted_content") or ""
        return counter(block.get("reasoning") or "") + estimate(hidden)
    if kind in MEDIA:
        return MEDIA[kind]
    return counter(as_text(block.get("value")))


def as_text(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))


def _folder(encoding: str) -> Path | None:
    """Where tiktoken's own cache, or the one llama_index ships, holds the encoding's file."""
    if encoding not in _FILES:
        return None
    return next((folder for folder in _folders() if (folder / _FILES[encoding]).is_file()), None)


def _folders() -> Iterator[Path]:
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    yield Path(tempfile.gettempdir(), "data-gym-cache")
    try:
        shipped = importlib.util.find_spec("llama_index.core")
    except ModuleNotFoundError:
        return
    if shipped and shipped.origin:
        yield Path(shipped.origin).parent / "_static" / "tiktoken_cache"


@contextmanager
def _cache_dir(folder: Path) -> Iterator[None]:
    # tiktoken takes its folder from the environment only
    with _lock:
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        try:
            yield
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before
