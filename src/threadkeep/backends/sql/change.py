"""The arguments of a commit, and the row of a stream."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from threadkeep.types import Drop, Record, Ttl

Key = tuple[str, str]


class Change(NamedTuple):
    """The arguments of `Backend.commit`; of an id that comes twice only the last body is in `put`.

    Attributes:
        keys: kind and id of each record as it was given.
    """

    stream: str
    put: list[Record]
    keys: list[Key]
    drop: Sequence[Drop]
    ttl: Ttl
    expect: int | None
    token: str | None
    now: float


class Head(NamedTuple):
    """A row of the streams."""

    version: int
    seq: int
    expires: float | None
    token: str | None
    token_version: int | None


def new_change(
    stream: str,
    put: Sequence[Record],
    drop: Sequence[Drop],
    ttl: Ttl,
    expect: int | None,
    token: str | None,
    now: float,
) -> Change:
    """The arguments, with each id once."""
    keys = [(record.kind, record.id) for record in put]
    unique = dict(zip(keys, put, strict=True))
    return Change(stream, list(unique.values()), keys, drop, ttl, expect, token, now)


def birth() -> int:
    """The version a life begins at: random, so that no compare-and-set meets an older one."""
    return secrets.randbits(32) << 20 | 1
