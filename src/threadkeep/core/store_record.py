"""The `store` record: whether a namespace is plain text or encrypted, and by which keyring.

It is in the keyring's stream, `<namespace>/keyring/ids`, so that one compare-and-set decides
between a plain first writer and an encrypting one. An engine checks it at its first write. Stores
older than this record count as encrypted if they have a keyring, else as plain.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from threadkeep.core import body, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.errors import BackendError, Conflict, CorruptRecord, WrongKey
from threadkeep.printable import shown
from threadkeep.protocols import Backend
from threadkeep.types import Page, Query, Record

KIND: Final = "store"
ID: Final = "encryption"
KEYRING: Final = "keyring"
KEYRING_ID: Final = "ids"
PLAIN: Final = "plain"
SEALED: Final = ("tk1:", "tk2:")
"""The prefixes of encrypted bodies; no JSON begins with one."""

_SUFFIX: Final = "/keyring/ids"
_LONGEST: Final = 512 - len(_SUFFIX)  # bytes of a stream's name
_PAGE: Final = 1_000
_TRIES: Final = 16


class StoreState(NamedTuple):
    """Whether a namespace is plain or encrypted.

    Attributes:
        version: of the stream that holds the record.
        mode: `PLAIN`, or the id of its keyring; `None` = there is no `store` record.
        unfinished: `rekey` is encrypting it and has not finished.
        keyring: the record with the sealed keyring, if there is one.
    """

    version: int
    mode: str | None = None
    unfinished: bool = False
    keyring: Record | None = None

    @property
    def is_absent(self) -> bool:
        """Whether there is no record: an empty namespace, or an old one in plain text."""
        return self.mode is None and self.keyring is None

    @property
    def encrypted(self) -> bool:
        """Whether plain text must not be written."""
        return not self.is_absent and self.mode != PLAIN


def store_stream(stream: str) -> str:
    """The stream that holds the `store` record and the keyring of a stream's namespace."""
    namespace = stream.partition("/")[0]
    if len(namespace.encode()) > _LONGEST:  # no name that the engine makes
        import hashlib  # rarely needed, and slow to import

        namespace = "=" + hashlib.sha256(namespace.encode()).hexdigest()
    return namespace + _SUFFIX


def is_store_stream(stream: str) -> bool:
    """Return True if a stream holds the `store` record, and no data."""
    return stream.endswith(_SUFFIX)


def queries(stream: str) -> tuple[Query, Query]:
    """The queries for the `store` record and the keyring of a namespace."""
    stream_name = store_stream(stream)
    return Query(stream_name, KIND, ids=[ID]), Query(stream_name, KEYRING, ids=[KEYRING_ID])


def record(mode: str, now: float, *, unfinished: bool = False) -> Record:
    """A `store` record."""
    body_fields = {"encryption": mode, **({"unfinished": True} if unfinished else {})}
    return Record(KIND, ID, json.dumps(body_fields), now)


def read(backend: Backend, stream: str, now: float) -> StoreState:
    """Whether the namespace of a stream is plain or encrypted.

    Raises:
        CorruptRecord: this version cannot read the record.
    """
    return _state(store_stream(stream), backend.read(*queries(stream), now=now))


def put(
    backend: Backend, stream: str, state: StoreState, records: Sequence[Record], now: float
) -> bool:
    """Write records if the state did not change since it was read. Returns True if it did not."""
    commit_token = os.urandom(8).hex()
    with suppress(Conflict):
        backend.commit(
            store_stream(stream),
            put=records,
            expect=state.version,
            token=commit_token,
            ttl=None,
            now=now,
        )
        return True
    return False


def claim(backend: Backend, stream: str, now: float) -> None:
    """Record that this namespace is plain text, so that no writer encrypts it.

    Raises:
        WrongKey: the namespace is encrypted, and this backend does not encrypt.
    """
    for _ in range(_TRIES):
        state = read(backend, stream, now)
        if state.encrypted:
            raise missing_key(stream)
        if state.mode == PLAIN or put(backend, stream, state, [record(PLAIN, now)], now):
            return
    raise contention_error(stream)


def in_use(backend: Backend, stream: str, now: float) -> bool:
    """Return True if the namespace of a stream has a live stream; used before its first write."""
    namespace_prefix, cursor = f"{stream.partition('/')[0]}/", None
    while True:
        stream_names, cursor = backend.streams(namespace_prefix, cursor=cursor, limit=_PAGE)
        version_queries = [
            Query(stream_name, "session", limit=0)
            for stream_name in stream_names
            if not is_store_stream(stream_name)
        ]
        if version_queries and any(
            version_page.version for version_page in backend.read(*version_queries, now=now)
        ):
            return True
        if cursor is None:
            return False


def missing_key(stream: str) -> WrongKey:
    """The error for using an encrypted namespace without a key."""
    return WrongKey(
        f"{_namespace_label(stream)} is encrypted, and no key was given: pass key= "
        "(on the command line THREADKEEP_KEY)"
    )


def unexpected_key(stream: str) -> WrongKey:
    """The error for using a key with a plain namespace."""
    return WrongKey(
        f"{_namespace_label(stream)} was written without a key, and a key was given: encrypt what "
        "is there by `threadkeep rekey`, or open it without key="
    )


def rekey_unfinished(stream: str) -> WrongKey:
    """The error for using a namespace while it is being encrypted."""
    return WrongKey(
        f"{_namespace_label(stream)} is being encrypted and is closed until that is done: "
        "if `threadkeep rekey` was broken off, run it again"
    )


def contention_error(stream: str) -> BackendError:
    """The error for losing every compare-and-set to other writers."""
    return BackendError(
        f"{_namespace_label(stream)}: the `store` record was changed by others at each of "
        f"{_TRIES} tries; try again"
    )


def _state(stream: str, pages: Sequence[Page]) -> StoreState:
    store_record, keyring_record = (page.records[0] if page.records else None for page in pages)
    if store_record is None:
        return StoreState(pages[0].version, keyring=keyring_record)
    try:
        body_fields = body.decode(store_record, record_shapes.STORE)
    except UnreadableRecord as error:
        raise _unreadable(stream) from error
    encryption_mode = body_fields["encryption"]
    is_rekey_unfinished = body_fields.get("unfinished", False)
    return StoreState(pages[0].version, encryption_mode, is_rekey_unfinished, keyring_record)


def _unreadable(stream: str) -> CorruptRecord:
    return CorruptRecord(
        f"the `store` record in {shown(stream)} cannot be read, so it is unknown whether "
        "the store is "
        "encrypted: restore it from a copy of the store"
    )


def _namespace_label(stream: str) -> str:
    return f"namespace {shown(stream.partition('/')[0])}"
