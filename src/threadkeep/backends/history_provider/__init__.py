"""Streams in the sessions of a history provider: a store of four methods, a fifth is optional."""

from threadkeep.backends.history_provider.backend import HistoryProviderBackend
from threadkeep.backends.history_provider.provider import BaseHistoryProvider

__all__ = ["BaseHistoryProvider", "HistoryProviderBackend"]
