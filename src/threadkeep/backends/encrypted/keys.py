"""Encryption keys: their formats, the secrets derived from them, and the key ring."""

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

_KEY_FORMAT: Final = (
    "key: each must be 32 random bytes, or their base64 as new_key() makes it; "
    "a password is not a key"
)


def new_key() -> str:
    """A new random 256-bit key, as URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(KEY)).decode()


class Key:
    """The secrets derived from one key; its repr shows only its name."""

    __slots__ = ("name", "wrap")

    def __init__(self, secret: bytes) -> None:
        self.wrap = derive(secret, "threadkeep wrap 1")
        self.name = derive(secret, "threadkeep name 1")[:4].hex()

    def __repr__(self) -> str:
        return f"<Key {self.name}>"


class KeyRing:
    """The configured keys: the first encrypts, all decrypt."""

    __slots__ = ("by_name", "first")

    def __init__(self, keys: Keys) -> None:
        ring_keys = [Key(secret) for secret in _parse_keys(keys)]
        if not ring_keys:
            raise ConfigError("key: none was given; new_key() makes one")
        self.first = ring_keys[0]
        self.by_name = {key.name: key for key in ring_keys}

    def __repr__(self) -> str:
        return f"<KeyRing {' '.join(self.by_name)}>"


def derive(secret: bytes, label: str) -> bytes:
    """Derive a secret for one purpose; `secret` is uniformly random, so one HMAC is enough."""
    return hmac.digest(secret, label.encode(), hashlib.sha256)


def _parse_keys(keys: Keys) -> list[bytes]:
    if isinstance(keys, str):
        return [_parse_key(key_text) for key_text in re.split(r"[\s,]+", keys.strip()) if key_text]
    if isinstance(keys, bytes):
        return [_parse_key(keys)]
    if not isinstance(keys, Sequence):
        raise ConfigError(_KEY_FORMAT)
    return [_parse_key(key) for key in keys]


def _parse_key(key: object) -> bytes:
    """Parse a key to its 32 bytes; errors never quote it."""
    secret = key
    if isinstance(key, str):
        try:
            secret = base64.b64decode(key.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigError(_KEY_FORMAT) from None
    if not isinstance(secret, bytes) or len(secret) != KEY:
        raise ConfigError(_KEY_FORMAT)
    return secret
