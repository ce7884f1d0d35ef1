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
from threadkeep.printable import counted
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
        dot_product: int = sum(map(mul, self.numbers, other.numbers))
        return self.scale * other.scale * dot_product


class EmbedderFault(Exception):
    """The embedder failed, or gave what are no vectors."""


class Vectors:
    """Vectors by this engine's embedder; those made lately are remembered. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.embedder = as_embedder(engine.settings.embedder)
        self._vectors_by_key: OrderedDict[bytes, Vector] = OrderedDict()

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
        text_keys = [hashlib.blake2b(text.encode("utf-8", "replace")).digest() for text in texts]
        vector_by_key = {
            text_key: self._vectors_by_key[text_key]
            for text_key in text_keys
            if text_key in self._vectors_by_key
        }
        text_by_key = {
            text_key: text
            for text_key, text in zip(text_keys, texts, strict=True)
            if text_key not in vector_by_key
        }
        embed = self.embedder.passage or self.embedder.query
        unknown_keys, texts_to_embed = list(text_by_key), list(text_by_key.values())
        for batch_start in range(0, len(texts_to_embed), BATCH):
            vectors = self._embed(embed, texts_to_embed[batch_start : batch_start + BATCH])
            vector_by_key.update(
                zip(unknown_keys[batch_start : batch_start + BATCH], vectors, strict=True)
            )
        self._remember({text_key: vector_by_key[text_key] for text_key in unknown_keys})
        return [vector_by_key[text_key] for text_key in text_keys]

    def forget_user(self, user: str) -> None:
        """Let go of everything, since whose text it was is not known."""
        self._vectors_by_key = OrderedDict()

    def _embed(self, embed: Embed, texts: list[str]) -> list[Vector]:
        try:
            vectors = [quantised(vector) for vector in embed(texts)]
        except Exception as error:  # whatever an application's own code may raise
            raise EmbedderFault(type(error).__name__) from error
        dimensions = self.embedder.dimensions if self.embedder else None
        vector_sizes = {len(vector.numbers) for vector in vectors}
        if len(vectors) != len(texts):
            raise EmbedderFault(
                f"{counted(len(vectors), 'vector')} for {counted(len(texts), 'text')}"
            )
        if len(vector_sizes) != 1 or dimensions not in (None, *vector_sizes):
            raise EmbedderFault(f"vectors of {sorted(vector_sizes)} numbers, expected {dimensions}")
        return vectors

    def _remember(self, vector_by_key: dict[bytes, Vector]) -> None:
        cached_vectors = self._vectors_by_key
        cached_vectors.update(vector_by_key)
        mean_vector_size = sum(len(vector.numbers) for vector in vector_by_key.values()) // (
            len(vector_by_key) or 1
        )
        while (
            cached_vectors
            and len(cached_vectors) * (mean_vector_size + _LARGEST) > _MAX_CACHED_BYTES
        ):
            cached_vectors.popitem(last=False)


def quantised(vector: Sequence[float]) -> Vector:
    """A vector of any length as one of length one.

    Raises:
        ValueError: a number of it is none.
    """
    components = [float(component) for component in vector]
    vector_length = math.hypot(*components)
    if not math.isfinite(vector_length):
        raise ValueError("a vector has a number that is none")
    largest_component = max(map(abs, components), default=0.0)
    if largest_component < _LEAST:
        return Vector(0.0, array("b", bytes(len(components))))
    scale = largest_component / vector_length / _LARGEST
    return Vector(
        scale,
        array("b", [round(component / largest_component * _LARGEST) for component in components]),
    )


def passage_text(item: Item, before: Item | None) -> str:
    """What is embedded of a turn: who said it, behind what was said before."""
    previous_line = f"{_line(before.name, before.text)}\n" if before else ""
    return (previous_line[-MAX_CHARACTERS // 2 :] + _line(item.name, item.text))[:MAX_CHARACTERS]


def log_fault(fault: EmbedderFault) -> None:
    """Say that the embedder failed, without what it was asked."""
    _log.warning("the embedder failed, recall goes by words alone: %s", fault)


def _line(name: str | None, text: str) -> str:
    return f"{name}: {text}" if name else text
