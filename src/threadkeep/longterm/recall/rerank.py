"""Meaning, for those who bring an embedder: it reorders what words have found, and finds nothing.

As an equal of words a small embedder makes recall worse; as a voice among the best hits it helps.
"""

from __future__ import annotations

import hashlib
import logging
import math
from array import array
from collections.abc import Sequence
from dataclasses import replace
from operator import mul
from typing import Final

from threadkeep.core.engine import Engine
from threadkeep.longterm.recall.hits import Hit

_WEIGHT: Final = 0.4  # of the cosine, beside the score as a share of the best one
_MAX_CHARACTERS: Final = 2_000  # characters that are embedded
_CACHE_SIZE: Final = 10_000


class EmbeddingCache:
    """Vectors of texts by this engine's embedder; those made lately are remembered. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._embedder = engine.settings.embedder
        self._cache: dict[bytes, array[float]] = {}

    def embed(self, texts: Sequence[str]) -> list[array[float]]:
        """A vector of length one for each text; all unknown ones are embedded in one call.

        Raises:
            ValueError: the embedder gave another number of vectors than it was given texts.
        """
        cache = self._cache
        keys = [hashlib.blake2b(text.encode("utf-8", "replace")).digest() for text in texts]
        unknown = {key: text for key, text in zip(keys, texts, strict=True) if key not in cache}
        if unknown and self._embedder is not None:
            vectors = self._embedder(list(unknown.values()))
            cache.update(
                (key, _unit_vector(vector)) for key, vector in zip(unknown, vectors, strict=True)
            )
        if len(cache) > _CACHE_SIZE:
            self._cache = {}
        return [cache[key] for key in keys]

    def forget_user(self, user: str) -> None:
        """Let go of everything, since whose text it was is not known."""
        self._cache = {}


def rerank_hits(engine: Engine, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits by words and meaning; as they are if the embedder fails, which is logged."""
    if not hits:
        return []
    try:
        query_vector, *hit_vectors = engine.component(EmbeddingCache).embed(
            [query, *map(_embedding_text, hits)]
        )
        similarities = [sum(map(mul, query_vector, vector)) for vector in hit_vectors]
    except Exception as error:  # whatever an application's own code may raise
        _log.warning("the embedder failed, recall goes by words alone: %s", type(error).__name__)
        return list(hits)
    best = hits[0].score
    scored = zip(hits, similarities, strict=True)
    ranked = [
        replace(hit, score=hit.score / best + _WEIGHT * similarity) for hit, similarity in scored
    ]
    return sorted(ranked, key=lambda hit: -hit.score)


def _embedding_text(hit: Hit) -> str:
    """What is embedded of a hit: who said it, behind what was said before."""
    if hit.item is None:
        return hit.text[:_MAX_CHARACTERS]
    before = f"{_line(hit.before.name, hit.before.text)}\n" if hit.before else ""
    return (before[-_MAX_CHARACTERS // 2 :] + _line(hit.item.name, hit.item.text))[:_MAX_CHARACTERS]


def _line(name: str | None, text: str) -> str:
    return f"{name}: {text}" if name else text


def _unit_vector(vector: Sequence[float]) -> array[float]:
    length = math.sqrt(sum(float(component) * float(component) for component in vector)) or 1.0
    return array("f", (float(component) / length for component in vector))


_log = logging.getLogger("threadkeep")
