"""All of a store under the first key: data keys are wrapped anew, bodies stay as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from threadkeep.backends.encrypted.backend import EncryptedBackend
from threadkeep.backends.encrypted.cipher import Forged
from threadkeep.backends.encrypted.sealing import parsed, rewrapped
from threadkeep.batches import batches
from threadkeep.errors import Conflict
from threadkeep.kinds import KINDS
from threadkeep.types import KEEP, Page, Query, Record

_PAGE: Final = 500
_TRIES: Final = 20


class Rekeyed(NamedTuple):
    """What was done to a stream: records wrapped anew, under the first key before, unreadable."""

    stream: str
    renewed: int = 0
    current: int = 0
    unreadable: int = 0


def rekey(
    backend: EncryptedBackend,
    prefix: str = "",
    *,
    kinds: Sequence[str] = KINDS,
    clock: Callable[[], float] = time.time,
) -> Iterator[Rekeyed]:
    """Put each record under the first key; yields what was done, stream by stream.

    May be broken off and repeated, and others may write meanwhile: with both keys given and the
    new one first. No life is prolonged.

    Args:
        backend: with the new key first, and all keys that were in use.
        prefix: of the streams, such as a namespace and a slash.
        kinds: of the records to look at.
        clock: epoch seconds.

    Raises:
        WrongKey: a record needs a key that was not given.
        BackendError: a stream changed so often that no try succeeded.
    """
    cursor = None
    while True:
        names, cursor = backend.inner.streams(prefix, cursor=cursor)
        for name in names:
            yield _stream(backend, name, kinds, clock())
        if cursor is None:
            return


def _stream(backend: EncryptedBackend, stream: str, kinds: Sequence[str], now: float) -> Rekeyed:
    done = Rekeyed(stream)
    for kind in kinds:
        after: int | None = 0
        while after is not None:
            done, after = _page(backend, done, Query(stream, kind, _PAGE, after=after), now)
    return done


def _page(
    backend: EncryptedBackend, done: Rekeyed, query: Query, now: float
) -> tuple[Rekeyed, int | None]:
    """One page, as often as somebody else is faster; and from where to go on."""
    for attempt in range(1, _TRIES + 1):
        (page,) = backend.inner.read(query, now=now)
        old, unreadable = _old(backend, query.stream, page)
        try:
            _write(backend, query.stream, page.version, old, now)
        except Conflict:
            if attempt == _TRIES:
                raise
            continue
        break
    current = len(page.records) - len(old) - unreadable
    counted = Rekeyed(
        done.stream, done.renewed + len(old), done.current + current, done.unreadable + unreadable
    )
    return counted, page.records[-1].seq if len(page.records) == _PAGE else None


def _old(backend: EncryptedBackend, stream: str, page: Page) -> tuple[list[Record], int]:
    """Records under other keys, wrapped anew; and how many are not ours to open."""
    old: list[Record] = []
    unreadable = 0
    for record in page.records:
        try:
            if parsed(record.body).key != backend.ring.first.name:
                old.append(replace(record, body=rewrapped(backend.ring, stream, record)))
        except Forged:
            unreadable += 1
    return old, unreadable


def _write(
    backend: EncryptedBackend, stream: str, version: int, records: list[Record], now: float
) -> None:
    for batch in batches(records):
        done = backend.inner.commit(stream, put=batch, ttl=KEEP, expect=version, now=now)
        version = done.version
