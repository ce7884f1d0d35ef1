"""The wrappers that a Memory's settings ask for, around its store."""

from __future__ import annotations

from threadkeep.core.settings import Settings
from threadkeep.protocols import Backend


def wrapped(backend: Backend, settings: Settings) -> Backend:
    """The store, watched and encrypted as the settings say; telemetry sees it as it is stored.

    Raises:
        ConfigError: a key is none.
        MissingExtra: the package that it takes is not installed.
    """
    if settings.observe:
        from threadkeep.backends.observed import ObservedBackend

        backend = ObservedBackend(backend)
    if settings.key is not None:
        from threadkeep.backends.encrypted import EncryptedBackend

        backend = EncryptedBackend(backend, settings.key)
    return backend
