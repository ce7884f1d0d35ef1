"""The `store` record: whether a namespace is kept as plain text, or under which keyring.

It lies in the stream of the keyring, `<namespace>/keyring/ids`, so that one compare-and-set decides
between a plain first writer and an encrypting one. The first write of an engine agrees with it;
stores older than the record are taken for what they are: with a keyring encrypted, else plain.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from threadkeep.errors import BackendError, Conflict, CorruptRecord, WrongKey
from threadkeep.protocols import Backend
from threadkeep.types import Page, Query, Record

KIND: Final = "store"
ID: Final = "encryption"
KEYRING: Final = "keyring"
KEYRING_ID: Final = "ids"
PLAIN: Final = "plain"
SEALED: Final = "tk1:"
"""What an encrypted body begins with, and no JSON does."""

_END: Final = "/keyring/ids"
_LONGEST: Final = 512 - len(_END)  # bytes of a stream's name
_PAGE: Final = 1_000
_TRIES: Final = 16


class State(NamedTuple):
    """How a namespace is kept.

    Attributes:
        version: of the stream that says so.
        mode: `PLAIN`, or the id of its keyring; `None` = there is no `store` record.
        unfinished: `rekey` is encrypting it, and was not at its end yet.
        keyring: the record with the sealed keyring, if there is one.
    """

    version: int
    mode: str | None = None
    unfinished: bool = False
    keyring: Record | None = None

    @property
    def absent(self) -> bool:
        """Whether nothing was agreed on: an empty namespace, or plain text of old."""
        return self.mode is None and self.keyring is None

    @property
    def encrypted(self) -> bool:
        """Whether plain text must not be written."""
        return not self.absent and self.mode != PLAIN


def home(stream: str) -> str:
    """The stream that holds the `store` record and the keyring of a stream's namespace."""
    namespace = stream.partition("/")[0]
    if len(namespace.encode()) > _LONGEST:  # none that the engine makes
        namespace = "=" + hashlib.sha256(namespace.encode()).hexdigest()
    return namespace + _END


def is_home(stream: str) -> bool:
    """Whether a stream is such a one, and nobody's data."""
    return stream.endswith(_END)


def queries(stream: str) -> tuple[Query, Query]:
    """What to read of a namespace to know how it is kept."""
    name = home(stream)
    return Query(name, KIND, ids=[ID]), Query(name, KEYRING, ids=[KEYRING_ID])


def record(mode: str, now: float, *, unfinished: bool = False) -> Record:
    """The record that says so."""
    body = {"encryption": mode, **({"unfinished": True} if unfinished else {})}
    return Record(KIND, ID, json.dumps(body), now)


def read(backend: Backend, stream: str, now: float) -> State:
    """How the namespace of a stream is kept.

    Raises:
        CorruptRecord: the record says nothing that this version knows.
    """
    return _state(home(stream), backend.read(*queries(stream), now=now))


def put(backend: Backend, stream: str, state: State, records: Sequence[Record], now: float) -> bool:
    """Write records to where the state was read, if it is as it was; whether it was."""
    token = os.urandom(8).hex()
    with suppress(Conflict):
        backend.commit(
            home(stream), put=records, expect=state.version, token=token, ttl=None, now=now
        )
        return True
    return False


def claim(backend: Backend, stream: str, now: float) -> None:
    """Agree with all other writers that what goes through this backend may be written as it is.

    Raises:
        WrongKey: the namespace is encrypted, and nothing here encrypts.
    """
    for _ in range(_TRIES):
        state = read(backend, stream, now)
        if state.encrypted:
            raise keyless(stream)
        if state.mode == PLAIN or put(backend, stream, state, [record(PLAIN, now)], now):
            return
    raise restless(stream)


def in_use(backend: Backend, stream: str, now: float) -> bool:
    """Whether anything lives in the namespace of a stream; for the first of all writes."""
    prefix, cursor = f"{stream.partition('/')[0]}/", None
    while True:
        names, cursor = backend.streams(prefix, cursor=cursor, limit=_PAGE)
        versions = [Query(name, "session", limit=0) for name in names if not is_home(name)]
        if versions and any(page.version for page in backend.read(*versions, now=now)):
            return True
        if cursor is None:
            return False


def keyless(stream: str) -> WrongKey:
    """The error of who writes plain text into an encrypted namespace, or reads it without a key."""
    return WrongKey(
        f"{_named(stream)} is encrypted, and no key was given: pass key= "
        "(on the command line THREADKEEP_KEY)"
    )


def plain(stream: str) -> WrongKey:
    """The error of who opens plain text with a key."""
    return WrongKey(
        f"{_named(stream)} was written without a key, and a key was given: encrypt what is there "
        "by `threadkeep rekey`, or open it without key="
    )


def unfinished(stream: str) -> WrongKey:
    """The error of who comes while a namespace is being encrypted."""
    return WrongKey(
        f"{_named(stream)} is being encrypted and is closed until that is done: "
        "if `threadkeep rekey` was broken off, run it again"
    )


def restless(stream: str) -> BackendError:
    """The error of who was never alone with the record."""
    return BackendError(
        f"{_named(stream)}: the `store` record was changed by others at each of {_TRIES} tries; "
        "try again"
    )


def _state(name: str, pages: Sequence[Page]) -> State:
    own, keyring = (page.records[0] if page.records else None for page in pages)
    if own is None:
        return State(pages[0].version, keyring=keyring)
    try:
        body = json.loads(own.body)
        mode, unfinished = body["encryption"], body.get("unfinished", False)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _unreadable(name) from error
    if not isinstance(mode, str) or type(unfinished) is not bool:
        raise _unreadable(name)
    return State(pages[0].version, mode, unfinished, keyring)


def _unreadable(name: str) -> CorruptRecord:
    return CorruptRecord(
        f"the `store` record in {name!r} cannot be read, so it is unknown whether the store is "
        "encrypted: restore it from a copy of the store"
    )


def _named(stream: str) -> str:
    return f"namespace {stream.partition('/')[0]!r}"
