"""Envelopes: each body under a key of its own, which is wrapped by a key of the ring.

`tk1:<name of the key>:<base64 of the wrapped data key, then the sealed body>`.
What is sealed is the record's true id, a NUL, and the body; stream, kind and the id as stored are
authenticated with it and with the data key, so that neither can stand in another's place.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import Final, NamedTuple

from threadkeep.backends.encrypted.cipher import KEY, NONCE, TAG, Forged, open_, seal
from threadkeep.backends.encrypted.keys import Key, Ring
from threadkeep.errors import WrongKey
from threadkeep.types import Record

_MARK: Final = "tk1"
_WRAPPED: Final = NONCE + KEY + TAG


class Envelope(NamedTuple):
    """A stored body, taken apart and not yet opened."""

    key: str
    wrapped: bytes
    sealed: bytes

    def __str__(self) -> str:
        coded = base64.b64encode(self.wrapped + self.sealed).decode()
        return f"{_MARK}:{self.key}:{coded}"


def sealed(ring: Ring, stream: str, record: Record, id: str) -> str:
    """The body to store for a record of this true id; `record.id` is what is stored."""
    words = _words(stream, record)
    data_key = os.urandom(KEY)
    wrapped = seal(ring.first.wrap, data_key, b"key" + words)
    plain = f"{id}\0{record.body}".encode()
    return str(Envelope(ring.first.name, wrapped, seal(data_key, plain, b"body" + words)))


def opened(ring: Ring, stream: str, record: Record) -> tuple[str, str]:
    """The true id and the body.

    Raises:
        Forged: it was not sealed for this place, or is no envelope at all.
        WrongKey: it was sealed by a key that is not in the ring.
    """
    envelope, words = parsed(record.body), _words(stream, record)
    data_key = open_(_key(ring, envelope.key).wrap, envelope.wrapped, b"key" + words)
    plain = open_(data_key, envelope.sealed, b"body" + words).decode()
    id, _, body = plain.partition("\0")
    return id, body


def rewrapped(ring: Ring, stream: str, record: Record) -> str:
    """The same envelope under the ring's first key; it is opened once, to be sure of it.

    Raises:
        Forged: it was not sealed for this place.
        WrongKey: it was sealed by a key that is not in the ring.
    """
    opened(ring, stream, record)
    envelope, words = parsed(record.body), _words(stream, record)
    data_key = open_(_key(ring, envelope.key).wrap, envelope.wrapped, b"key" + words)
    wrapped = seal(ring.first.wrap, data_key, b"key" + words)
    return str(Envelope(ring.first.name, wrapped, envelope.sealed))


def parsed(body: str) -> Envelope:
    """An envelope's parts.

    Raises:
        Forged: this is none.
    """
    mark, _, rest = body.partition(":")
    key, colon, coded = rest.partition(":")
    if mark != _MARK or not colon:
        raise Forged
    try:
        parts = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forged from error
    return Envelope(key, parts[:_WRAPPED], parts[_WRAPPED:])


def _key(ring: Ring, name: str) -> Key:
    if len(name) != 8 or not name.isalnum():
        raise Forged
    if name not in ring.known:
        raise WrongKey(
            f"this was encrypted with key {name}, and the keys given are "
            f"{', '.join(ring.known)} (names, not the keys): pass that key as well"
        )
    return ring.known[name]


def _words(stream: str, record: Record) -> bytes:
    return json.dumps([stream, record.kind, record.id]).encode()
