"""Ids that tell what they are of: stored as HMACs, by a secret that each namespace keeps sealed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from contextlib import suppress
from typing import Final

from threadkeep.backends.encrypted.cipher import KEY, Forged
from threadkeep.backends.encrypted.keys import Ring
from threadkeep.backends.encrypted.sealing import opened, sealed
from threadkeep.errors import Conflict, CorruptRecord
from threadkeep.protocols import Backend
from threadkeep.types import Query, Record

KIND: Final = "keyring"
_ID: Final = "ids"
_END: Final = "/keyring/ids"
_LONGEST: Final = 512 - len(_END)  # bytes of a stream's name


class Hider:
    """The HMAC of one namespace.

    Its secret outlives the keys: it is sealed like any record, and wrapped anew by `rekey`.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def hide(self, kind: str, id: str) -> str:
        """The id to store."""
        told = hmac.digest(self._secret, f"{kind}\0{id}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(told)[:43].decode()


class Hiders:
    """The hiders of a store's namespaces, each read once; wrong keys are noticed here first."""

    def __init__(self, backend: Backend, ring: Ring) -> None:
        self._backend = backend
        self._ring = ring
        self._known: dict[str, Hider] = {}

    def find(self, stream: str, now: float) -> Hider | None:
        """The hider of a stream's namespace; `None` = nothing was ever written there."""
        home = _home(stream)
        if home not in self._known:
            (page,) = self._backend.read(Query(home, KIND, ids=[_ID]), now=now)
            if not page.records:
                return None
            self._known[home] = self._opened(home, page.records[0])
        return self._known[home]

    def make(self, stream: str, now: float) -> Hider:
        """The hider of a stream's namespace, which has one from now on."""
        found = self.find(stream, now)
        if found is None:
            self._begin(_home(stream), now)
            found = self.find(stream, now)
        return found or Hider(b"")  # a store that keeps nothing looks nothing up

    def _begin(self, home: str, now: float) -> None:
        record = Record(KIND, _ID, os.urandom(KEY).hex(), now)
        body = sealed(self._ring, home, record, _ID)
        put = [Record(KIND, _ID, body, now)]
        with suppress(Conflict):  # another process was first, and its secret is the one
            self._backend.commit(home, put=put, expect=0, ttl=None, now=now)

    def _opened(self, home: str, record: Record) -> Hider:
        try:
            return Hider(bytes.fromhex(opened(self._ring, home, record)[1]))
        except Forged:
            raise CorruptRecord(
                f"the keyring {home!r} was changed by somebody without the key: "
                "restore it from a copy of the store"
            ) from None


def is_keyring(stream: str) -> bool:
    """Whether a stream is ours, and nobody's data."""
    return stream.endswith(_END)


def _home(stream: str) -> str:
    """The stream that holds the keyring of a stream's namespace."""
    namespace = stream.partition("/")[0]
    if len(namespace.encode()) > _LONGEST:  # none that the engine makes
        namespace = "=" + hashlib.sha256(namespace.encode()).hexdigest()
    return namespace + _END
