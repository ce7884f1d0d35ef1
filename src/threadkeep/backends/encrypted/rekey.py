"""All of a store under the first key: data keys are wrapped anew, and plain text is encrypted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from threadkeep.backends.encrypted.backend import EncryptedBackend
from threadkeep.backends.encrypted.blind_ids import Hider
from threadkeep.backends.encrypted.cipher import Forged
from threadkeep.backends.encrypted.envelope import parsed, rewrapped
from threadkeep.core import store_record
from threadkeep.errors import Conflict
from threadkeep.types import KEEP, Drop, Page, Query, Record
from threadkeep.types.batching import batches
from threadkeep.types.record_kinds import KINDS

_PAGE: Final = 500
_TRIES: Final = 20


class Rekeyed(NamedTuple):
    """What was done to a stream.

    Attributes:
        stream: its name.
        renewed: how many records were wrapped anew, or encrypted.
        current: how many were under the first key before.
        unreadable: how many are not ours to open, and were left as they are.
        encrypted: how many of the renewed were plain text before.
    """

    stream: str
    renewed: int = 0
    current: int = 0
    unreadable: int = 0
    encrypted: int = 0


def rekey(
    backend: EncryptedBackend,
    prefix: str = "",
    *,
    kinds: Sequence[str] = KINDS,
    clock: Callable[[], float] = time.time,
) -> Iterator[Rekeyed]:
    """Put each record under the first key; yields what was done, stream by stream.

    May be broken off and repeated. Others may write meanwhile: with both keys given and the new
    one first. A namespace that is plain text is closed to all until all of it is encrypted: end
    the processes that write without a key before. No life is prolonged.

    Args:
        backend: with the new key first, and all keys that were in use.
        prefix: of the streams, such as a namespace and a slash.
        kinds: of the records to look at.
        clock: epoch seconds.

    Raises:
        WrongKey: a record needs a key that was not given.
        BackendError: a stream changed so often that no try succeeded.
    """
    walk = _Walk(backend, [kind for kind in kinds if kind != store_record.KIND], clock)
    plain: dict[str, Hider | None] = {}
    for name in _names(backend, prefix):
        namespace = name.partition("/")[0]
        if namespace not in plain:
            plain[namespace] = _opened(backend, name, clock())
        yield _stream(walk, name, plain[namespace])
    for namespace, hider in plain.items():
        if hider is not None:
            yield from _finished(walk, namespace, hider)


class _Walk(NamedTuple):
    """What a walk over streams needs."""

    backend: EncryptedBackend
    kinds: Sequence[str]
    clock: Callable[[], float]


def _names(backend: EncryptedBackend, prefix: str) -> Iterator[str]:
    cursor = None
    while True:
        names, cursor = backend.inner.streams(prefix, cursor=cursor)
        yield from names
        if cursor is None:
            return


def _opened(backend: EncryptedBackend, stream: str, now: float) -> Hider | None:
    """The hider of a namespace that is plain text, and closed from now on; `None` = it is not."""
    for _ in range(_TRIES):
        state = store_record.read(backend.inner, stream, now)
        if state.encrypted:
            return backend.hiders.opened(stream, state) if state.unfinished else None
        hider = backend.hiders.begin(stream, state, now, unfinished=True)
        if hider is not None:
            return hider
    raise store_record.restless(stream)


def _finished(walk: _Walk, namespace: str, hider: Hider) -> Iterator[Rekeyed]:
    """Walk a namespace until no plain text is met, and then open it to who has the key."""
    backend, home = walk.backend, store_record.home(namespace)
    for _ in range(_TRIES):
        names = (name for name in _names(backend, namespace) if store_record.home(name) == home)
        renewed = [one for name in names if (one := _stream(walk, name, hider)).renewed]
        yield from renewed
        if renewed:
            continue
        now = walk.clock()
        state = store_record.read(backend.inner, home, now)
        own = store_record.record(hider.keyring, now)
        if not state.unfinished or store_record.put(backend.inner, home, state, [own], now):
            return
    raise store_record.restless(home)


def _stream(walk: _Walk, stream: str, hider: Hider | None) -> Rekeyed:
    done = Rekeyed(stream)
    for kind in walk.kinds:
        after: int | None = 0
        while after is not None:
            query = Query(stream, kind, _PAGE, after=after)
            done, after = _page(walk, done, query, hider)
    return done


def _page(
    walk: _Walk, done: Rekeyed, query: Query, hider: Hider | None
) -> tuple[Rekeyed, int | None]:
    """One page, as often as somebody else is faster; and from where to go on."""
    backend, now = walk.backend, walk.clock()
    for attempt in range(1, _TRIES + 1):
        (page,) = backend.inner.read(query, now=now)
        old, unreadable = _old(backend, query.stream, page, hider)
        try:
            _write(backend, query.stream, page.version, old, now)
        except Conflict:
            if attempt == _TRIES:
                raise
            continue
        break
    current = len(page.records) - len(old) - unreadable
    plain = len(old) if hider else 0
    counted = Rekeyed(
        done.stream,
        done.renewed + len(old),
        done.current + current,
        done.unreadable + unreadable,
        done.encrypted + plain,
    )
    return counted, page.records[-1].seq if len(page.records) == _PAGE else None


def _old(
    backend: EncryptedBackend, stream: str, page: Page, hider: Hider | None
) -> tuple[list[tuple[str, Record]], int]:
    """Records to be written anew, each after its id; and how many are not ours to open."""
    old: list[tuple[str, Record]] = []
    unreadable = 0
    for record in page.records:
        try:
            if hider is not None and not record.body.startswith(store_record.SEALED):
                old.append((record.id, backend.sealed(stream, record, hider)))
            elif parsed(record.body).key != backend.ring.first.name:
                new = replace(record, body=rewrapped(backend.ring, stream, record))
                old.append((record.id, new))
        except Forged:
            unreadable += 1
    return old, unreadable


def _write(
    backend: EncryptedBackend,
    stream: str,
    version: int,
    old: list[tuple[str, Record]],
    now: float,
) -> None:
    """Replace the records; one whose id is hidden from now on moves to the end of its kind."""
    before = {(new.kind, new.id): id for id, new in old}
    for batch in batches(new for _, new in old):
        moved = [one for one in batch if before[one.kind, one.id] != one.id]
        drop = [Drop(one.kind, [before[one.kind, one.id]]) for one in moved]
        done = backend.inner.commit(stream, put=batch, drop=drop, ttl=KEEP, expect=version, now=now)
        version = done.version
