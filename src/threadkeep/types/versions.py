"""Generations of a stream, encoded in its versions, and the versions a commit may expect."""

from __future__ import annotations

from typing import Final

GENERATION_SPAN: Final = 1 << 20
"""A new generation of a stream starts at a random multiple of this; each commit adds one."""


def generation_of(version: int) -> int:
    """The generation that a version belongs to."""
    return version // GENERATION_SPAN


class Generation(int):
    """An `expect` that accepts this version or any later one of the same generation.

    So concurrent writers that only append do not conflict, and still never write into another
    generation. A store that compares plain versions treats it as the version: the writer then gets
    a `Conflict` and reads again.
    """


def allowed_advance(expect: int) -> int:
    """How many versions beyond the expected one are accepted."""
    return GENERATION_SPAN - 1 if isinstance(expect, Generation) else 0


def matches(expect: int | None, version: int) -> bool:
    """Return True if a stream's version (0 = no live stream) is the expected one."""
    return expect is None or 0 <= version - expect <= allowed_advance(expect)
