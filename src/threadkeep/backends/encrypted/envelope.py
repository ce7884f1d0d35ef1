"""Envelope encryption: each body has its own data key, wrapped by a key of the key ring.

The format is `tk1:<name of the key>:<base64 of the wrapped data key, then the sealed body>`.
The sealed text is the record's true id, a NUL, and the body. Stream, kind and the stored id are
authenticated with it and with the data key, so that neither can be moved to another record.
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

_MARK: Final = "tk1"
_WRAPPED: Final = NONCE + KEY + TAG


class Envelope(NamedTuple):
    """A stored body, parsed but still encrypted."""

    key: str
    wrapped: bytes
    sealed: bytes

    def __str__(self) -> str:
        coded = base64.b64encode(self.wrapped + self.sealed).decode()
        return f"{_MARK}:{self.key}:{coded}"


def seal_record(ring: KeyRing, stream: str, record: Record, id: str) -> str:
    """The encrypted body of a record; `id` is its true id, `record.id` the stored one."""
    associated_data = _associated_data(stream, record)
    data_key = os.urandom(KEY)
    wrapped = seal(ring.first.wrap, data_key, b"key" + associated_data)
    plain = f"{id}\0{record.body}".encode()
    return str(Envelope(ring.first.name, wrapped, seal(data_key, plain, b"body" + associated_data)))


def open_record(ring: KeyRing, stream: str, record: Record) -> tuple[str, str]:
    """Decrypt a stored record to its true id and body.

    Raises:
        AuthenticationFailed: it was not sealed for this record, or is no envelope.
        WrongKey: it was sealed by a key that is not in the ring.
    """
    envelope, associated_data = parse_envelope(record.body), _associated_data(stream, record)
    data_key = unseal(
        _find_key(ring, envelope.key).wrap, envelope.wrapped, b"key" + associated_data
    )
    plain = unseal(data_key, envelope.sealed, b"body" + associated_data).decode()
    id, _, body = plain.partition("\0")
    return id, body


def rewrap_record(ring: KeyRing, stream: str, record: Record) -> str:
    """Rewrap the data key with the ring's first key, after checking that the body decrypts.

    Raises:
        AuthenticationFailed: it was not sealed for this record.
        WrongKey: it was sealed by a key that is not in the ring.
    """
    open_record(ring, stream, record)
    envelope, associated_data = parse_envelope(record.body), _associated_data(stream, record)
    data_key = unseal(
        _find_key(ring, envelope.key).wrap, envelope.wrapped, b"key" + associated_data
    )
    wrapped = seal(ring.first.wrap, data_key, b"key" + associated_data)
    return str(Envelope(ring.first.name, wrapped, envelope.sealed))


def parse_envelope(body: str) -> Envelope:
    """Parse a stored body to an envelope.

    Raises:
        AuthenticationFailed: it is no envelope.
    """
    mark, _, content = body.partition(":")
    key, colon, coded = content.partition(":")
    if mark != _MARK or not colon:
        raise AuthenticationFailed
    try:
        parts = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AuthenticationFailed from error
    return Envelope(key, parts[:_WRAPPED], parts[_WRAPPED:])


def _find_key(ring: KeyRing, name: str) -> Key:
    if len(name) != 8 or not name.isalnum():
        raise AuthenticationFailed
    if name not in ring.by_name:
        raise WrongKey(
            f"this was encrypted with key {name}, and the keys given are "
            f"{', '.join(ring.by_name)} (names, not the keys): pass that key as well"
        )
    return ring.by_name[name]


def _associated_data(stream: str, record: Record) -> bytes:
    return json.dumps([stream, record.kind, record.id]).encode()
