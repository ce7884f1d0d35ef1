"""Blind ids: ids that reveal content are stored as HMACs, with a secret per namespace."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import replace

from threadkeep.backends.encrypted.cipher import KEY, AuthenticationFailed
from threadkeep.backends.encrypted.envelope import open_record, seal_record
from threadkeep.backends.encrypted.keys import KeyRing, derive
from threadkeep.core import store_record
from threadkeep.errors import CorruptRecord, WrongKey
from threadkeep.printable import shown
from threadkeep.protocols import Backend
from threadkeep.types import Record


class IdBlinder:
    """Computes the blind ids of one namespace.

    Its secret outlives the keys: it is encrypted like any record, and rewrapped by `rekey`.

    Attributes:
        keyring: the id of the keyring, derived from the secret without revealing it.
    """

    __slots__ = ("_secret", "keyring")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.keyring = derive(secret, "threadkeep keyring 1")[:8].hex()

    def blind(self, kind: str, id: str) -> str:
        """The HMAC to store instead of an id."""
        digest = hmac.digest(self._secret, f"{kind}\0{id}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest)[:43].decode()


class IdBlinders:
    """The id blinders of a store's namespaces, each read once; detects wrong keys."""

    def __init__(self, backend: Backend, ring: KeyRing) -> None:
        self._backend = backend
        self._ring = ring
        self._by_namespace: dict[str, IdBlinder] = {}

    def find(self, stream: str, now: float) -> IdBlinder | None:
        """The id blinder of a stream's namespace; `None` = nothing was ever written there.

        Raises:
            WrongKey: it is plain text, is being encrypted, or is under another key.
        """
        keyring_stream_name = store_record.store_stream(stream)
        if keyring_stream_name not in self._by_namespace:
            store_state = store_record.read(self._backend, stream, now)
            if store_state.is_absent:
                return None
            if store_state.unfinished:
                raise store_record.rekey_unfinished(stream)
            self._by_namespace[keyring_stream_name] = self.open(stream, store_state)
        return self._by_namespace[keyring_stream_name]

    def get_or_create(self, stream: str, now: float) -> IdBlinder:
        """The id blinder of a stream's namespace, created if it has none.

        Raises:
            WrongKey: see `find`.
        """
        blinder = self.find(stream, now)
        if blinder is None:
            blinder = self._create_first(stream, now)
        if blinder is None:
            raise store_record.contention_error(stream)
        self._by_namespace[store_record.store_stream(stream)] = blinder
        return blinder

    def _create_first(self, stream: str, now: float) -> IdBlinder | None:
        if not store_record.in_use(self._backend, stream, now):
            blinder = self.create(stream, store_record.StoreState(0), now)
            return blinder or self.find(stream, now)
        # A writer records the keyring before its first data: it may have done both just now.
        blinder = self.find(stream, now)
        if blinder is None:  # plain text, older than the `store` record
            raise store_record.unexpected_key(stream)
        return blinder

    def create(
        self, stream: str, state: store_record.StoreState, now: float, *, unfinished: bool = False
    ) -> IdBlinder | None:
        """Create a keyring for the namespace; `None` = another process did so first."""
        keyring_stream_name, secret = store_record.store_stream(stream), os.urandom(KEY)
        keyring = Record(store_record.KEYRING, store_record.KEYRING_ID, secret.hex(), now)
        sealed_body = seal_record(self._ring, keyring_stream_name, keyring, keyring.id, None)
        blinder = IdBlinder(secret)
        store_entry = store_record.record(blinder.keyring, now, unfinished=unfinished)
        records = [replace(keyring, body=sealed_body), store_entry]
        return blinder if store_record.put(self._backend, stream, state, records, now) else None

    def open(self, stream: str, state: store_record.StoreState) -> IdBlinder:
        """Open the keyring of a namespace.

        Raises:
            WrongKey: it is plain text, or under another key.
            CorruptRecord: the keyring was changed without the key, or removed.
        """
        if state.mode == store_record.PLAIN:
            raise store_record.unexpected_key(stream)
        keyring_name = store_record.store_stream(stream)
        if state.keyring is None:
            raise _tampered_keyring(keyring_name)
        try:
            blinder = IdBlinder(
                bytes.fromhex(open_record(self._ring, keyring_name, state.keyring, None)[1])
            )
        except AuthenticationFailed:
            raise _tampered_keyring(keyring_name) from None
        if state.mode not in (None, blinder.keyring):
            raise WrongKey(
                f"{shown(keyring_name)} holds another keyring than its records were written with"
            )
        return blinder


def _tampered_keyring(keyring_stream: str) -> CorruptRecord:
    return CorruptRecord(
        f"the keyring {shown(keyring_stream)} was changed by somebody without the key: "
        "restore it from a copy of the store"
    )
