"""Walking all streams: SCAN, one primary after the other, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from threadkeep.backends.redis import clients
from threadkeep.backends.redis.clients import Client
from threadkeep.core import cursor as cursors

_MOST: Final = 1000
"""Keys looked at in one step: about a millisecond of the server's."""

_SCANS: Final = 2**64
"""Beyond every cursor of SCAN."""


class Place(NamedTuple):
    """Where a walk stands. Plain values, so that a cursor can be kept as JSON.

    Attributes:
        done: names of primaries that were walked to the end.
        node: the one that is walked now.
        scan: its own cursor; 0 = from its beginning.
        left: what was found already and not given out.
        over: everything was walked.
    """

    done: tuple[str, ...] = ()
    node: str | None = None
    scan: int = 0
    left: tuple[str, ...] = ()
    over: bool = False


def decode(cursor: object, prefix: str) -> Place:
    """The place that a cursor stands for, which may come from anywhere.

    Raises:
        InputError: it is none of a walk over this prefix.
    """
    done, node, scan, left, over = cursors.parts(cursor, 5)
    plain = type(scan) is int and 0 <= scan < _SCANS and type(over) is bool
    lists = isinstance(done, (list, tuple)) and isinstance(left, (list, tuple))
    if not plain or not lists or (node is None) != (scan == 0):
        raise cursors.invalid()
    if (node is None and not done) or (over and not left):  # the beginning, or the end
        raise cursors.invalid()
    return Place(
        tuple(map(cursors.text, done)),
        None if node is None else cursors.text(node),
        scan,
        tuple(cursors.stream(name, prefix) for name in left),
        over,
    )


def step(place: Place, pattern: str, count: int, client: Client) -> tuple[list[Any], Place]:
    """The next keys, and where to go on.

    When the primaries change meanwhile, those not yet walked are walked from their beginning, so
    that keys may come twice, and none that stays is missed.
    """
    nodes = clients.primaries(client)
    if place.node not in nodes or place.node in place.done:
        rest = sorted(nodes.keys() - set(place.done))
        if not rest:
            return [], place._replace(over=True)
        place = place._replace(node=rest[0], scan=0)
    name = place.node or ""
    scan, keys = nodes[name].scan(place.scan, match=pattern, count=max(10, min(count, _MOST)))
    if scan:
        return keys, place._replace(scan=scan)
    done = (*place.done, name)
    more = nodes.keys() - set(done)
    return keys, Place(done, over=not more)


def pages(client: Client, pattern: str) -> Iterator[tuple[Client, list[Any]]]:
    """All keys, each page with a client of the server that holds it."""
    for node in clients.primaries(client).values():
        scan = 0
        while True:
            scan, keys = node.scan(scan, match=pattern, count=_MOST)
            yield node, keys
            if not scan:
                break
