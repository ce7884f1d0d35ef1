"""Envelope encryption: each body has its own data key, wrapped by a key of the key ring.

The format is `tk2:<name of the key>:<base64 of the wrapped data key, then the sealed body>`.
The sealed text is the record's true id, its dates and its body, with NULs between. Authenticated
with it and with the data key are the id of the store's keyring, the stream, the kind and the stored
id: so a record cannot be moved, not even from another database with the same key, nor dated anew.

`tk1` has neither the keyring nor the dates. Records of earlier versions have it, and `rekey` renews
them; and the keyring itself, whose id is only known once it is open.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import Final, NamedTuple

from threadkeep.backends.encrypted.cipher import KEY, NONCE, TAG, AuthenticationFailed, seal, unseal
from threadkeep.backends.encrypted.keys import Key, KeyRing
from threadkeep.errors import WrongKey
from threadkeep.types import Record

UNDATED: Final = "tk1"
DATED: Final = "tk2"
_WRAPPED: Final = NONCE + KEY + TAG
_MICROSECONDS: Final = 1e6
_TOLERANCE: Final = 10  # microseconds: stores keep dates to one, and a copy may round again


class Envelope(NamedTuple):
    """A stored body, parsed but still encrypted."""

    mark: str
    key: str
    wrapped: bytes
    sealed: bytes

    def __str__(self) -> str:
        encoded_parts = base64.b64encode(self.wrapped + self.sealed).decode()
        return f"{self.mark}:{self.key}:{encoded_parts}"


def seal_record(ring: KeyRing, stream: str, record: Record, id: str, keyring: str | None) -> str:
    """The encrypted body of a record.

    Args:
        ring: whose first key encrypts.
        stream: the stream of the record.
        record: with the stored id.
        id: its true id.
        keyring: the id of the store's keyring; `None` = it is the keyring that is sealed.
    """
    mark = UNDATED if keyring is None else DATED
    associated_data = _associated_data(mark, keyring, stream, record)
    data_key = os.urandom(KEY)
    wrapped_key = seal(ring.first.wrap, data_key, b"key" + associated_data)
    dates = [] if keyring is None else [_date(record.at), _date(record.expires)]
    plain_bytes = "\0".join([id, *dates, record.body]).encode()
    sealed_text = seal(data_key, plain_bytes, b"body" + associated_data)
    return str(Envelope(mark, ring.first.name, wrapped_key, sealed_text))


def open_record(ring: KeyRing, stream: str, record: Record, keyring: str | None) -> tuple[str, str]:
    """Decrypt a stored record to its true id and body; arguments as of `seal_record`.

    Raises:
        AuthenticationFailed: it was not sealed for this record and its dates, or is no envelope.
        WrongKey: it was sealed by a key that is not in the ring.
    """
    envelope = parse_envelope(record.body)
    associated_data = _associated_data(envelope.mark, keyring, stream, record)
    data_key = _data_key(ring, envelope, associated_data)
    plain_text = unseal(data_key, envelope.sealed, b"body" + associated_data).decode()
    record_id, _, remaining = plain_text.partition("\0")
    if envelope.mark == UNDATED:
        return record_id, remaining
    written_at_micros, expiry_micros, body = remaining.split("\0", 2)
    if not _is_date(written_at_micros, record.at) or not _is_date(expiry_micros, record.expires):
        raise AuthenticationFailed
    return record_id, body


def rewrap_record(ring: KeyRing, stream: str, record: Record, keyring: str | None) -> str:
    """The record under the ring's first key, after checking that it decrypts.

    Raises:
        AuthenticationFailed: it was not sealed for this record.
        WrongKey: it was sealed by a key that is not in the ring.
    """
    record_id, body = open_record(ring, stream, record, keyring)
    envelope = parse_envelope(record.body)
    if envelope.mark == UNDATED and keyring is not None:
        plain_record = Record(record.kind, record.id, body, record.at, record.expires)
        return seal_record(ring, stream, plain_record, record_id, keyring)
    associated_data = _associated_data(envelope.mark, keyring, stream, record)
    data_key = _data_key(ring, envelope, associated_data)
    wrapped_key = seal(ring.first.wrap, data_key, b"key" + associated_data)
    return str(Envelope(envelope.mark, ring.first.name, wrapped_key, envelope.sealed))


def is_outdated(ring: KeyRing, body: str, keyring: str | None) -> bool:
    """Return True if a record is under another key than the first, or in an earlier format.

    Raises:
        AuthenticationFailed: it is no envelope.
    """
    envelope = parse_envelope(body)
    return envelope.key != ring.first.name or (keyring is not None and envelope.mark == UNDATED)


def parse_envelope(body: str) -> Envelope:
    """Parse a stored body to an envelope.

    Raises:
        AuthenticationFailed: it is no envelope.
    """
    mark, _, key_and_parts = body.partition(":")
    key_name, colon, encoded_parts = key_and_parts.partition(":")
    if mark not in (UNDATED, DATED) or not colon:
        raise AuthenticationFailed
    try:
        part_bytes = base64.b64decode(encoded_parts, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AuthenticationFailed from error
    return Envelope(mark, key_name, part_bytes[:_WRAPPED], part_bytes[_WRAPPED:])


def _data_key(ring: KeyRing, envelope: Envelope, associated_data: bytes) -> bytes:
    return unseal(_find_key(ring, envelope.key).wrap, envelope.wrapped, b"key" + associated_data)


def _find_key(ring: KeyRing, name: str) -> Key:
    if len(name) != 8 or not name.isalnum():
        raise AuthenticationFailed
    if name not in ring.by_name:
        raise WrongKey(
            f"this was encrypted with key {name}, and the keys given are "
            f"{', '.join(ring.by_name)} (names, not the keys): pass that key as well"
        )
    return ring.by_name[name]


def _date(at: float | None) -> str:
    return "" if at is None else str(round(at * _MICROSECONDS))


def _is_date(sealed: str, at: float | None) -> bool:
    if not sealed or at is None:
        return not sealed and at is None
    return abs(int(sealed) - at * _MICROSECONDS) <= _TOLERANCE


def _associated_data(mark: str, keyring: str | None, stream: str, record: Record) -> bytes:
    id_parts = [stream, record.kind, record.id]
    return json.dumps(id_parts if mark == UNDATED else [mark, keyring, *id_parts]).encode()
