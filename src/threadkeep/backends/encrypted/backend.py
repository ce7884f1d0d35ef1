"""The wrapper: encrypts records on the way in, decrypts them on the way out."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from threadkeep.backends.common.wrapper import BackendWrapper
from threadkeep.backends.encrypted.blind_ids import IdBlinder, IdBlinders
from threadkeep.backends.encrypted.cipher import AuthenticationFailed
from threadkeep.backends.encrypted.envelope import open_record, seal_record
from threadkeep.backends.encrypted.keys import KeyRing, Keys
from threadkeep.core import store_record
from threadkeep.errors import CorruptRecord
from threadkeep.printable import shown
from threadkeep.protocols import Backend, SupportsDescribe, SupportsViews
from threadkeep.types import Commit, Drop, Page, Query, Record

HIDDEN: Final = frozenset(
    {"file", "fact", "instruction", "forgotten", "element", "value", "blob", "piece"}
)
"""Kinds whose ids are derived from content: a URL, the text of a fact, a hash of a value."""

UNREADABLE: Final = "?"
"""The body of a record that cannot be decrypted: no valid JSON, so no reader accepts it."""

_LOG = logging.getLogger("threadkeep")


class EncryptedBackend(BackendWrapper):
    """Wraps a store and encrypts record bodies: AES-256-GCM, with one data key per record.

    Keyring, stream, kind, id, `at` and `expires` are authenticated with each body. So a record that
    was changed, dated anew, or moved to another stream, id or database is not decrypted: it is
    logged, and returned as unreadable. Order (`seq`), the life of a stream and deletion are not
    authenticated.

    Args:
        inner: the store. This object owns it and closes it.
        key: 32 bytes, or their base64 from `new_key()`, or several keys: the first one encrypts,
            all of them decrypt.
        hidden: kinds whose ids are stored as HMACs, since the ids reveal content; `None` = all
            kinds. It must not change during the lifetime of the store.
        strict: raise `CorruptRecord` for an unreadable record.

    Raises:
        ConfigError: a key is not valid.
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
        super().__init__(inner, withheld=[SupportsViews])  # they would see nothing
        self.ring = KeyRing(key)
        self._hidden = hidden
        self._strict = strict
        self.blinders = IdBlinders(inner, self.ring)

    def describe(self) -> dict[str, str]:
        """Describe the store and name the key that encrypts."""
        description = self.inner.describe() if isinstance(self.inner, SupportsDescribe) else {}
        return {**description, "encryption": f"AES-256-GCM, key {self.ring.first.name}"}

    def read(self, *queries: Query, now: float) -> list[Page]:
        if queries and all(store_record.is_store_stream(query.stream) for query in queries):
            return [self._store_page(query, now) for query in queries]
        stored_queries = [self._stored_query(query, now) for query in queries]
        pages = super().read(*stored_queries, now=now)
        return [
            self._opened_page(query.stream, page, now)
            for query, page in zip(queries, pages, strict=True)
        ]

    def commit(
        self, stream: str, *, put: Sequence[Record] = (), drop: Sequence[Drop] = (), **how: Any
    ) -> Commit:
        now = how["now"]
        if store_record.is_store_stream(stream):
            return self._claim(stream, put, now)
        blinder = (
            self.blinders.get_or_create(stream, now) if put else self.blinders.find(stream, now)
        )
        sealed_records = [self.seal(stream, record, blinder) for record in put] if blinder else []
        stored_drops = [self._stored_drop(deletion, blinder) for deletion in drop]
        return super().commit(stream, put=sealed_records, drop=stored_drops, **how)

    def streams(self, prefix: str, **how: Any) -> tuple[list[str], Any]:
        names, next_cursor = super().streams(prefix, **how)
        return [name for name in names if not store_record.is_store_stream(name)], next_cursor

    def _is_hidden(self, kind: str | None) -> bool:
        return self._hidden is None or kind in self._hidden

    def _store_page(self, query: Query, now: float) -> Page:
        """The `store` record as the layer above sees it: plain text, if our keyring opens."""
        if query.kind != store_record.KIND or self.blinders.find(query.stream, now) is None:
            return Page(0, [])
        return Page(1, [store_record.record(store_record.PLAIN, now)])

    def _claim(self, stream: str, put: Sequence[Record], now: float) -> Commit:
        """Accept the `store` record of the layer above, which is not encrypted twice."""
        if any(record.kind != store_record.KIND for record in put):
            raise store_record.missing_key(stream)
        self.blinders.get_or_create(stream, now)
        return Commit(1, [1] * len(put))

    def _stored_query(self, query: Query, now: float) -> Query:
        # even if no id is hidden: it checks the key
        blinder = self.blinders.find(query.stream, now)
        return query._replace(ids=self._stored_ids(query.kind, query.ids, blinder))

    def _stored_drop(self, drop: Drop, blinder: IdBlinder | None) -> Drop:
        return drop._replace(ids=self._stored_ids(drop.kind, drop.ids, blinder))

    def _stored_ids(
        self, kind: str | None, ids: Sequence[str] | None, blinder: IdBlinder | None
    ) -> Sequence[str] | None:
        if ids is None or kind is None or not self._is_hidden(kind):
            return ids
        return [blinder.blind(kind, id) for id in ids] if blinder else []

    def seal(self, stream: str, record: Record, blinder: IdBlinder) -> Record:
        """Encrypt a record for storage."""
        stored_record = record
        if self._is_hidden(record.kind):
            stored_record = replace(record, id=blinder.blind(record.kind, record.id))
        sealed_body = seal_record(self.ring, stream, stored_record, record.id, blinder.keyring)
        return replace(stored_record, body=sealed_body)

    def _opened_page(self, stream: str, page: Page, now: float) -> Page:
        blinder = self.blinders.find(stream, now) if page.records else None
        keyring = None if blinder is None else blinder.keyring
        return Page(page.version, [self._open(stream, record, keyring) for record in page.records])

    def _open(self, stream: str, record: Record, keyring: str | None) -> Record:
        try:
            record_id, body = open_record(self.ring, stream, record, keyring)
        except AuthenticationFailed:
            return self._unreadable(stream, record)
        return replace(record, id=record_id, body=body)

    def _unreadable(self, stream: str, record: Record) -> Record:
        location = f"record {record.kind}/{shown(record.id)} of {shown(stream)}"
        if self._strict:
            raise CorruptRecord(
                f"{location} was changed, or was not written by EncryptedBackend: "
                "restore it from a copy of the store, or delete it"
            )
        _LOG.warning("%s was changed, or was not written by EncryptedBackend", location)
        return replace(record, body=UNREADABLE)
