"""Vectors of texts: made by the application's embedder, kept in eight bits a number."""

from __future__ import annotations

import hashlib
import logging
import math
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from operator import mul
from typing import Final, NamedTuple

from threadkeep.core.engine import Engine
from threadkeep.types import Item
from threadkeep.types.embedder import Embed, as_embedder

MAX_CHARACTERS: Final = 2_000
"""Characters of a text that are embedded."""
BATCH: Final = 64
"""Texts that are embedded in one call."""

_MAX_CACHED_BYTES: Final = 16_000_000
_LARGEST: Final = 127
_LEAST: Final = 1e-100  # a vector of smaller numbers points nowhere

_log = logging.getLogger("threadkeep")


class Vector(NamedTuple):
    """A vector of length one, in eight bits a number.

    Attributes:
        scale: what a number is to be multiplied by.
        numbers: from -127 to 127.
    """

    scale: float
    numbers: array[int]

    def cosine(self, other: Vector) -> float:
        """How alike two are, from -1 to 1."""
        product: int = sum(map(mul, self.numbers, other.numbers))
        return self.scale * other.scale * product


class EmbedderFault(Exception):
    """The embedder failed, or gave what are no vectors."""


class Vectors:
    """Vectors by this engine's embedder; those made lately are remembered. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.embedder = as_embedder(engine.settings.embedder)
        self._cached: OrderedDict[bytes, Vector] = OrderedDict()

    def of_query(self, text: str) -> Vector:
        """The vector of a question.

        Raises:
            EmbedderFault: the embedder failed.
        """
        if self.embedder is None:
            raise EmbedderFault
        return self._embed(self.embedder.query, [text[:MAX_CHARACTERS]])[0]

    def of_passages(self, texts: Sequence[str]) -> list[Vector]:
        """The vectors of texts; those that are unknown are embedded.

        Raises:
            EmbedderFault: the embedder failed.
        """
        if self.embedder is None:
            raise EmbedderFault
        keys = [hashlib.blake2b(text.encode("utf-8", "replace")).digest() for text in texts]
        by_key = {key: self._cached[key] for key in keys if key in self._cached}
        unknown = {key: text for key, text in zip(keys, texts, strict=True) if key not in by_key}
        embed = self.embedder.passage or self.embedder.query
        names, missing = list(unknown), list(unknown.values())
        for start in range(0, len(missing), BATCH):
            vectors = self._embed(embed, missing[start : start + BATCH])
            by_key.update(zip(names[start : start + BATCH], vectors, strict=True))
        self._remember({key: by_key[key] for key in names})
        return [by_key[key] for key in keys]

    def forget_user(self, user: str) -> None:
        """Let go of everything, since whose text it was is not known."""
        self._cached = OrderedDict()

    def _embed(self, embed: Embed, texts: list[str]) -> list[Vector]:
        try:
            vectors = [quantised(vector) for vector in embed(texts)]
        except Exception as error:  # whatever an application's own code may raise
            raise EmbedderFault(type(error).__name__) from error
        dimensions = self.embedder.dimensions if self.embedder else None
        sizes = {len(vector.numbers) for vector in vectors}
        if len(vectors) != len(texts):
            raise EmbedderFault(f"{len(vectors)} vectors for {len(texts)} texts")
        if len(sizes) != 1 or dimensions not in (None, *sizes):
            raise EmbedderFault(f"vectors of {sorted(sizes)} numbers, expected {dimensions}")
        return vectors

    def _remember(self, vectors: dict[bytes, Vector]) -> None:
        cached = self._cached
        cached.update(vectors)
        size = sum(len(vector.numbers) for vector in vectors.values()) // (len(vectors) or 1)
        while cached and len(cached) * (size + _LARGEST) > _MAX_CACHED_BYTES:
            cached.popitem(last=False)


def quantised(vector: Sequence[float]) -> Vector:
    """A vector of any length as one of length one.

    Raises:
        ValueError: a number of it is none.
    """
    numbers = [float(number) for number in vector]
    length = math.hypot(*numbers)
    if not math.isfinite(length):
        raise ValueError("a vector has a number that is none")
    largest = max(map(abs, numbers), default=0.0)
    if largest < _LEAST:
        return Vector(0.0, array("b", bytes(len(numbers))))
    scale = largest / length / _LARGEST
    return Vector(scale, array("b", [round(n / largest * _LARGEST) for n in numbers]))


def passage_text(item: Item, before: Item | None) -> str:
    """What is embedded of a turn: who said it, behind what was said before."""
    earlier = f"{_line(before.name, before.text)}\n" if before else ""
    return (earlier[-MAX_CHARACTERS // 2 :] + _line(item.name, item.text))[:MAX_CHARACTERS]


def log_fault(fault: EmbedderFault) -> None:
    """Say that the embedder failed, without what it was asked."""
    _log.warning("the embedder failed, recall goes by words alone: %s", fault)


def _line(name: str | None, text: str) -> str:
    return f"{name}: {text}" if name else text
