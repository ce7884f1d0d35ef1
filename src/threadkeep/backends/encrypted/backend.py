"""The wrapper: what goes in is sealed, what comes out is opened; all else is the inner store's."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from threadkeep.backends.encrypted.blind_ids import Hider, Hiders
from threadkeep.backends.encrypted.cipher import Forged
from threadkeep.backends.encrypted.envelope import opened, sealed
from threadkeep.backends.encrypted.keys import Keys, Ring
from threadkeep.core import store_record
from threadkeep.errors import CorruptRecord
from threadkeep.protocols import Backend
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

HIDDEN: Final = frozenset({"file", "fact", "instruction", "forgotten"})
"""Kinds whose ids are made of what they say: a URL, the text of a fact."""

UNREADABLE: Final = "?"
"""The body of a record that was not sealed here: no JSON, so that nobody takes it for anything."""

_LOG = logging.getLogger("threadkeep")


class EncryptedBackend:
    """Any store, with bodies encrypted: AES-256-GCM, a data key per record.

    Stream, kind and id are authenticated with each body, so a record moved to another place, or
    changed, is not read: it is logged, and stands there as unreadable.

    Args:
        inner: the store. It belongs to this object from now on, and is closed with it.
        key: 32 bytes, or their base64 as `new_key()` makes it, or several of them: the first one
            writes, all of them read.
        hidden: kinds whose ids are stored as HMACs, as they tell something; `None` = all kinds.
            It must stay the same as long as the store lives.
        strict: an unreadable record is a `CorruptRecord` instead.

    Raises:
        ConfigError: a key is none.
        WrongKey: at the first use, if the store was written with another key.
        MissingExtra: `cryptography` is not installed.
    """

    def __init__(
        self,
        inner: Backend,
        key: Keys,
        *,
        hidden: Collection[str] | None = HIDDEN,
        strict: bool = False,
    ) -> None:
        self.blocking = inner.blocking
        self.inner = inner
        self.ring = Ring(key)
        self._hidden = hidden
        self._strict = strict
        self.hiders = Hiders(inner, self.ring)

    def __repr__(self) -> str:
        return f"EncryptedBackend({self.inner!r})"

    def purge(self, now: float) -> list[str]:
        """As the store itself does."""
        purge = getattr(self.inner, "purge", None)
        return [] if purge is None else list(purge(now))

    def describe(self) -> dict[str, str]:
        """What the store says of itself, and the name of the key that writes."""
        inner = getattr(self.inner, "describe", dict)
        return {**inner(), "encryption": f"AES-256-GCM, key {self.ring.first.name}"}

    def read(self, *queries: Query, now: float) -> list[Page]:
        if queries and all(store_record.is_home(query.stream) for query in queries):
            return [self._agreement(query, now) for query in queries]
        asked = [self._asked(query, now) for query in queries]
        pages = self.inner.read(*asked, now=now)
        return [
            Page(page.version, [self._opened(query.stream, record) for record in page.records])
            for query, page in zip(queries, pages, strict=True)
        ]

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl = None,
        expect: int | None = None,
        token: str | None = None,
        now: float,
    ) -> Commit:
        if store_record.is_home(stream):
            return self._agree(stream, put, now)
        hider = self.hiders.make(stream, now) if put else self.hiders.find(stream, now)
        return self.inner.commit(
            stream,
            put=[self.sealed(stream, record, hider) for record in put],
            drop=[self._dropped(one, hider) for one in drop],
            ttl=ttl,
            expect=expect,
            token=token,
            now=now,
        )

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        names, after = self.inner.streams(prefix, cursor=cursor, limit=limit)
        return [name for name in names if not store_record.is_home(name)], after

    def sweep(self, now: float, limit: int = 1000) -> int:
        return self.inner.sweep(now, limit)

    def close(self) -> None:
        """Close the store."""
        self.inner.close()

    def _hides(self, kind: str | None) -> bool:
        return self._hidden is None or kind in self._hidden

    def _agreement(self, query: Query, now: float) -> Page:
        """What a keyring of ours is from above: leave to write what is plain there."""
        if query.kind != store_record.KIND or self.hiders.find(query.stream, now) is None:
            return Page(0, [])
        return Page(1, [store_record.record(store_record.PLAIN, now)])

    def _agree(self, stream: str, put: Sequence[Record], now: float) -> Commit:
        """Let somebody above write what is plain there; sealed records are not sealed again."""
        if any(record.kind != store_record.KIND for record in put):
            raise store_record.keyless(stream)
        self.hiders.make(stream, now)
        return Commit(1, [1] * len(put))

    def _asked(self, query: Query, now: float) -> Query:
        hider = self.hiders.find(query.stream, now)  # also where no id is hidden: is the key ours?
        return query._replace(ids=self._stored(query.kind, query.ids, hider))

    def _dropped(self, drop: Drop, hider: Hider | None) -> Drop:
        return drop._replace(ids=self._stored(drop.kind, drop.ids, hider))

    def _stored(
        self, kind: str | None, ids: Sequence[str] | None, hider: Hider | None
    ) -> Sequence[str] | None:
        if ids is None or kind is None or not self._hides(kind):
            return ids
        return [hider.hide(kind, id) for id in ids] if hider else []

    def sealed(self, stream: str, record: Record, hider: Hider | None) -> Record:
        """The record as it is stored."""
        id = hider.hide(record.kind, record.id) if hider and self._hides(record.kind) else record.id
        stored = replace(record, id=id)
        return replace(stored, body=sealed(self.ring, stream, stored, record.id))

    def _opened(self, stream: str, record: Record) -> Record:
        try:
            id, body = opened(self.ring, stream, record)
        except Forged:
            return self._unreadable(stream, record)
        return replace(record, id=id, body=body)

    def _unreadable(self, stream: str, record: Record) -> Record:
        where = f"record {record.kind}/{record.id!r} of {stream!r}"
        if self._strict:
            raise CorruptRecord(
                f"{where} was changed, or was not written by EncryptedBackend: "
                "restore it from a copy of the store, or delete it"
            )
        _LOG.warning("%s was changed, or was not written by EncryptedBackend", where)
        return replace(record, body=UNREADABLE)
