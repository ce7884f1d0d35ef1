"""Ids that tell what they are of: stored as HMACs, by a secret that each namespace keeps sealed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import replace

from threadkeep.backends.encrypted.cipher import KEY, Forged
from threadkeep.backends.encrypted.envelope import opened, sealed
from threadkeep.backends.encrypted.keys import Ring, derived
from threadkeep.core import store_record
from threadkeep.errors import CorruptRecord, WrongKey
from threadkeep.protocols import Backend
from threadkeep.types import Record


class Hider:
    """The HMAC of one namespace.

    Its secret outlives the keys: it is sealed like any record, and wrapped anew by `rekey`.

    Attributes:
        keyring: the id of the keyring that the secret makes, which tells nothing of it.
    """

    __slots__ = ("_secret", "keyring")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.keyring = derived(secret, "threadkeep keyring 1")[:8].hex()

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
        """The hider of a stream's namespace; `None` = nothing was ever written there.

        Raises:
            WrongKey: it is plain text, is being encrypted, or is under another key.
        """
        home = store_record.home(stream)
        if home not in self._known:
            state = store_record.read(self._backend, stream, now)
            if state.absent:
                return None
            if state.unfinished:
                raise store_record.unfinished(stream)
            self._known[home] = self.opened(stream, state)
        return self._known[home]

    def make(self, stream: str, now: float) -> Hider:
        """The hider of a stream's namespace, which has one from now on.

        Raises:
            WrongKey: as by `find`.
        """
        found = self.find(stream, now)
        if found is None:
            if store_record.in_use(self._backend, stream, now):  # older than the `store` record
                raise store_record.plain(stream)
            found = self.begin(stream, store_record.State(0), now) or self.find(stream, now)
        if found is None:
            raise store_record.restless(stream)
        self._known[store_record.home(stream)] = found
        return found

    def begin(
        self, stream: str, state: store_record.State, now: float, *, unfinished: bool = False
    ) -> Hider | None:
        """Give the namespace a keyring; `None` = another process was first."""
        home, secret = store_record.home(stream), os.urandom(KEY)
        keyring = Record(store_record.KEYRING, store_record.KEYRING_ID, secret.hex(), now)
        body = sealed(self._ring, home, keyring, keyring.id)
        hider = Hider(secret)
        own = store_record.record(hider.keyring, now, unfinished=unfinished)
        put = [replace(keyring, body=body), own]
        return hider if store_record.put(self._backend, stream, state, put, now) else None

    def opened(self, stream: str, state: store_record.State) -> Hider:
        """The hider by the keyring of a namespace.

        Raises:
            WrongKey: it is plain text, or under another key.
            CorruptRecord: somebody without the key changed or removed the keyring.
        """
        if state.mode == store_record.PLAIN:
            raise store_record.plain(stream)
        home = store_record.home(stream)
        if state.keyring is None:
            raise _changed(home)
        try:
            hider = Hider(bytes.fromhex(opened(self._ring, home, state.keyring)[1]))
        except Forged:
            raise _changed(home) from None
        if state.mode not in (None, hider.keyring):
            raise WrongKey(f"{home!r} holds another keyring than its records were written with")
        return hider


def _changed(home: str) -> CorruptRecord:
    return CorruptRecord(
        f"the keyring {home!r} was changed by somebody without the key: "
        "restore it from a copy of the store"
    )
