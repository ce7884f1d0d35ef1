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
    finished_nodes, node_name, scan_cursor, pending_names, is_finished = cursors.parts(cursor, 5)
    has_valid_scalars = (
        type(scan_cursor) is int and 0 <= scan_cursor < _CURSOR_LIMIT and type(is_finished) is bool
    )
    has_valid_lists = isinstance(finished_nodes, (list, tuple)) and isinstance(
        pending_names, (list, tuple)
    )
    if not has_valid_scalars or not has_valid_lists or (node_name is None) != (scan_cursor == 0):
        raise cursors.invalid()
    is_at_start = node_name is None and not finished_nodes
    is_exhausted = is_finished and not pending_names
    if is_at_start or is_exhausted:  # no cursor is given for these
        raise cursors.invalid()
    return ScanPosition(
        tuple(map(cursors.text, finished_nodes)),
        None if node_name is None else cursors.text(node_name),
        scan_cursor,
        tuple(cursors.stream(stream_name, prefix) for stream_name in pending_names),
        is_finished,
    )


def step(
    position: ScanPosition, pattern: str, count: int, client: Client
) -> tuple[list[Any], ScanPosition]:
    """Return the next keys and the new position.

    When the primaries change meanwhile, those not yet finished are scanned from the beginning:
    keys may come twice, but no key that persists is missed.
    """
    client_by_node = clients.primaries(client)
    if position.node not in client_by_node or position.node in position.finished_nodes:
        unvisited_nodes = sorted(client_by_node.keys() - set(position.finished_nodes))
        if not unvisited_nodes:
            return [], position._replace(finished=True)
        position = position._replace(node=unvisited_nodes[0], scan=0)
    node_name = position.node or ""
    scan_cursor, stream_keys = client_by_node[node_name].scan(
        position.scan, match=pattern, count=max(10, min(count, _MAX_COUNT))
    )
    if scan_cursor:
        return stream_keys, position._replace(scan=scan_cursor)
    finished_nodes = (*position.finished_nodes, node_name)
    remaining_nodes = client_by_node.keys() - set(finished_nodes)
    return stream_keys, ScanPosition(finished_nodes, finished=not remaining_nodes)


def pages(client: Client, pattern: str) -> Iterator[tuple[Client, list[Any]]]:
    """Yield all keys page by page, each page with a client of the server that holds it."""
    for node_client in clients.primaries(client).values():
        scan_cursor = 0
        while True:
            scan_cursor, keys = node_client.scan(scan_cursor, match=pattern, count=_MAX_COUNT)
            yield node_client, keys
            if not scan_cursor:
                break
