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
_LONGEST: Final = 2_000  # characters that are embedded
_REMEMBERED: Final = 10_000


class Vectors:
    """Vectors of texts by this engine's embedder; those made lately are remembered. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._embedder = engine.settings.embedder
        self._known: dict[bytes, array[float]] = {}

    def of(self, texts: Sequence[str]) -> list[array[float]]:
        """A vector of length one for each text; all unknown ones are embedded in one call.

        Raises:
            ValueError: the embedder gave another number of vectors than it was given texts.
        """
        known = self._known
        keys = [hashlib.blake2b(text.encode("utf-8", "replace")).digest() for text in texts]
        unknown = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if unknown and self._embedder is not None:
            made = self._embedder(list(unknown.values()))
            known.update((key, _unit(one)) for key, one in zip(unknown, made, strict=True))
        if len(known) > _REMEMBERED:
            self._known = {}
        return [known[key] for key in keys]

    def forget_user(self, user: str) -> None:
        """Let go of everything, since whose text it was is not known."""
        self._known = {}


def reordered(engine: Engine, query: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits by words and meaning; as they are if the embedder fails, which is logged."""
    if not hits:
        return []
    try:
        asked, *told = engine.part(Vectors).of([query, *map(_told, hits)])
        near = [sum(map(mul, asked, vector)) for vector in told]
    except Exception as error:  # whatever an application's own code may raise
        _log.warning("the embedder failed, recall goes by words alone: %s", type(error).__name__)
        return list(hits)
    best = hits[0].score
    scored = zip(hits, near, strict=True)
    ranked = [replace(hit, score=hit.score / best + _WEIGHT * much) for hit, much in scored]
    return sorted(ranked, key=lambda hit: -hit.score)


def _told(hit: Hit) -> str:
    """What is embedded of a hit: who said it, behind what was said before."""
    if hit.item is None:
        return hit.text[:_LONGEST]
    before = f"{_line(hit.before.name, hit.before.text)}\n" if hit.before else ""
    return (before[-_LONGEST // 2 :] + _line(hit.item.name, hit.item.text))[:_LONGEST]


def _line(name: str | None, text: str) -> str:
    return f"{name}: {text}" if name else text


def _unit(vector: Sequence[float]) -> array[float]:
    length = math.sqrt(sum(float(one) * float(one) for one in vector)) or 1.0
    return array("f", (float(one) / length for one in vector))


_log = logging.getLogger("threadkeep")
