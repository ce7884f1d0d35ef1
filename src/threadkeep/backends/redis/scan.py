"""Lists all streams with SCAN, one primary after the other, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from threadkeep.backends.redis import clients
from threadkeep.backends.redis.clients import Client
from threadkeep.core import cursor as cursors

_MAX_COUNT: Final = 1000
"""Keys visited in one step: about a millisecond of server time."""

_CURSOR_LIMIT: Final = 2**64
"""Above every SCAN cursor."""


class ScanPosition(NamedTuple):
    """The position of a scan, in plain values so that it can be stored as JSON.

    Attributes:
        finished_nodes: names of primaries that were scanned to the end.
        node: the primary being scanned.
        scan: its SCAN cursor; 0 = from the beginning.
        pending: names already found and not yet returned.
        finished: all primaries were scanned.
    """

    finished_nodes: tuple[str, ...] = ()
    node: str | None = None
    scan: int = 0
    pending: tuple[str, ...] = ()
    finished: bool = False


def decode(cursor: object, prefix: str) -> ScanPosition:
    """Decode a cursor, which is untrusted input.

    Raises:
        InputError: it is no cursor of a scan over this prefix.
    """
    finished_nodes, node, scan, pending, finished = cursors.parts(cursor, 5)
    scalars = type(scan) is int and 0 <= scan < _CURSOR_LIMIT and type(finished) is bool
    lists = isinstance(finished_nodes, (list, tuple)) and isinstance(pending, (list, tuple))
    if not scalars or not lists or (node is None) != (scan == 0):
        raise cursors.invalid()
    at_start, at_end = node is None and not finished_nodes, finished and not pending
    if at_start or at_end:  # no cursor is given for these
        raise cursors.invalid()
    return ScanPosition(
        tuple(map(cursors.text, finished_nodes)),
        None if node is None else cursors.text(node),
        scan,
        tuple(cursors.stream(name, prefix) for name in pending),
        finished,
    )


def step(
    position: ScanPosition, pattern: str, count: int, client: Client
) -> tuple[list[Any], ScanPosition]:
    """Return the next keys and the new position.

    When the primaries change meanwhile, those not yet finished are scanned from the beginning:
    keys may come twice, but no key that persists is missed.
    """
    nodes = clients.primaries(client)
    if position.node not in nodes or position.node in position.finished_nodes:
        unvisited = sorted(nodes.keys() - set(position.finished_nodes))
        if not unvisited:
            return [], position._replace(finished=True)
        position = position._replace(node=unvisited[0], scan=0)
    name = position.node or ""
    scan, keys = nodes[name].scan(
        position.scan, match=pattern, count=max(10, min(count, _MAX_COUNT))
    )
    if scan:
        return keys, position._replace(scan=scan)
    finished_nodes = (*position.finished_nodes, name)
    remaining = nodes.keys() - set(finished_nodes)
    return keys, ScanPosition(finished_nodes, finished=not remaining)


def pages(client: Client, pattern: str) -> Iterator[tuple[Client, list[Any]]]:
    """Yield all keys page by page, each page with a client of the server that holds it."""
    for node in clients.primaries(client).values():
        scan = 0
        while True:
            scan, keys = node.scan(scan, match=pattern, count=_MAX_COUNT)
            yield node, keys
            if not scan:
                break
