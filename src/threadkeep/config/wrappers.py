"""Wraps a store for metrics and encryption."""

from __future__ import annotations

from threadkeep.core.settings import Settings
from threadkeep.protocols import Backend


def wrap(backend: Backend, settings: Settings) -> Backend:
    """Wrap a store as the settings require; telemetry sees encrypted records.

    Raises:
        ConfigError: a key is not valid.
        MissingExtra: a required package is not installed.
    """
    if settings.observe:
        from threadkeep.backends.observed import ObservedBackend

        backend = ObservedBackend(backend)
    if settings.key is not None:
        from threadkeep.backends.encrypted import EncryptedBackend

        backend = EncryptedBackend(backend, settings.key)
    return backend
