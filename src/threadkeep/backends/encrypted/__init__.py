"""A wrapper that encrypts any store at rest; needs the extra `crypto`."""

from threadkeep.backends.encrypted.backend import HIDDEN, EncryptedBackend
from threadkeep.backends.encrypted.keys import new_key
from threadkeep.backends.encrypted.rekey import Rekeyed, rekey

__all__ = ["HIDDEN", "EncryptedBackend", "Rekeyed", "new_key", "rekey"]
