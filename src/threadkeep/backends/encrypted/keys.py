"""Keys: how they are written, what is derived from them, which one writes and which may read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from typing import Final

from threadkeep.backends.encrypted.cipher import KEY
from threadkeep.errors import ConfigError

Keys = str | bytes | Sequence[str | bytes]

_WANTED: Final = (
    "key: each must be 32 random bytes, or their base64 as new_key() makes it; a password is no key"
)


def new_key() -> str:
    """A new random key of 256 bits, as base64 that needs no quoting anywhere."""
    return base64.urlsafe_b64encode(os.urandom(KEY)).decode()


class Key:
    """What one key is used for; it never shows itself."""

    __slots__ = ("name", "wrap")

    def __init__(self, secret: bytes) -> None:
        self.wrap = derived(secret, "threadkeep wrap 1")
        self.name = derived(secret, "threadkeep name 1")[:4].hex()

    def __repr__(self) -> str:
        return f"<Key {self.name}>"


class Ring:
    """The keys given: the first writes, all read."""

    __slots__ = ("first", "known")

    def __init__(self, keys: Keys) -> None:
        found = [Key(secret) for secret in _secrets(keys)]
        if not found:
            raise ConfigError("key: none was given; new_key() makes one")
        self.first = found[0]
        self.known = {key.name: key for key in found}

    def __repr__(self) -> str:
        return f"<Ring {' '.join(self.known)}>"


def derived(secret: bytes, label: str) -> bytes:
    """A secret of its own for each use; `secret` is uniform, so one HMAC is enough."""
    return hmac.digest(secret, label.encode(), hashlib.sha256)


def _secrets(keys: Keys) -> list[bytes]:
    if isinstance(keys, str):
        return [_secret(part) for part in re.split(r"[\s,]+", keys.strip()) if part]
    if isinstance(keys, bytes):
        return [_secret(keys)]
    if not isinstance(keys, Sequence):
        raise ConfigError(_WANTED)
    return [_secret(key) for key in keys]


def _secret(key: object) -> bytes:
    """The 32 bytes; no error says what was given."""
    if isinstance(key, str):
        try:
            key = base64.b64decode(key.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigError(_WANTED) from None
    if not isinstance(key, bytes) or len(key) != KEY:
        raise ConfigError(_WANTED)
    return key
