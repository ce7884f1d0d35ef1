"""The lives of a stream, told apart by its versions, and what a commit may expect of one."""

from __future__ import annotations

from typing import Final

LIFE: Final = 1 << 20
"""A new life of a stream starts at a random multiple of this, and a commit adds one."""


def generation_of(version: int) -> int:
    """Which life of its stream a version is of."""
    return version // LIFE


class Generation(int):
    """As an `expect`: this version, or any later one of the same life.

    So writers that only add pass each other by, and still never write into another life. To a
    store that knows no more than versions it is the version: then its writer meets a `Conflict`,
    and looks again.
    """


def reach(expect: int) -> int:
    """How many versions beyond the one expected will do."""
    return LIFE - 1 if isinstance(expect, Generation) else 0


def matches(expect: int | None, version: int) -> bool:
    """Whether a stream at a version (0 = there is none) is as expected."""
    return expect is None or 0 <= version - expect <= reach(expect)
