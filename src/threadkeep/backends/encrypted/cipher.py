"""The one place that knows the `cryptography` package: AES-256-GCM, and nothing around it."""

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


class Forged(Exception):
    """What was to be opened is not what was sealed here, with this key and these words."""


def seal(key: bytes, plain: bytes, words: bytes) -> bytes:
    """Nonce and ciphertext; `words` are authenticated and not stored."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, words)


def open_(key: bytes, sealed: bytes, words: bytes) -> bytes:
    """The plain text.

    Raises:
        Forged: key or words are others, or a bit was changed.
    """
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], words)
    except (InvalidTag, ValueError) as error:
        raise Forged from error
