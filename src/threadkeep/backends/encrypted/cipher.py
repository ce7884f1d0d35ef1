"""AES-256-GCM; the only module that uses the `cryptography` package."""

from __future__ import annotations

import os
from typing import Final

from threadkeep.errors import MissingExtra

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError as error:
    raise MissingExtra(
        'encryption needs a package that is not installed: pip install "threadkeep[crypto]"'
    ) from error

KEY: Final = 32
NONCE: Final = 12
TAG: Final = 16


class AuthenticationFailed(Exception):
    """The ciphertext was not made with this key and associated data, or was changed."""


def seal(key: bytes, plain: bytes, associated_data: bytes) -> bytes:
    """Encrypt; returns nonce and ciphertext. `associated_data` is authenticated, not stored."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, associated_data)


def unseal(key: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    """Decrypt what `seal` returned.

    Raises:
        Forged: another key or associated data, or the data was changed.
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], associated_data)
    except (InvalidTag, ValueError) as error:
        raise AuthenticationFailed from error
