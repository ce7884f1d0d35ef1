"""An embedder: what makes vectors of texts, for search by meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Embed = Callable[[list[str]], Sequence[Sequence[float]]]
"""From texts to a vector for each."""

_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Embedder:
    """A model that makes vectors of texts: `connect(embedder=Embedder(...))`.

    Args:
        query: embeds questions.
        passage: embeds what was said; `None` = as questions.
        name: of the model and its version. With a name, vectors are kept in the store beside the
            search index, made in the background, and made anew under another name. Without one
            they are made when a question needs them, and remembered by the process.
        dimensions: numbers in a vector; `None` = as many as the model gives.

    Raises:
        ValueError: the name is empty or too long, or there is no dimension.
        TypeError: what should be called cannot be.
    """

    query: Embed
    passage: Embed | None = None
    name: str | None = None
    dimensions: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.query) or not (self.passage is None or callable(self.passage)):
            raise TypeError("query and passage must be callables of a list of texts")
        if self.name is not None and not (
            isinstance(self.name, str) and 0 < len(self.name) <= _MAX_NAME
        ):
            raise ValueError(f"name must be a str of 1 to {_MAX_NAME} characters")
        if self.dimensions is not None and (
            type(self.dimensions) is not int or self.dimensions < 1
        ):
            raise ValueError("dimensions must be a whole number of at least 1")


def as_embedder(value: Embedder | Embed | None) -> Embedder | None:
    """An option's value as an embedder: a callable embeds questions and passages alike."""
    return value if value is None or isinstance(value, Embedder) else Embedder(value)
