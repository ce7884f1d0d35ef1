"""The history service: chat histories driven by configuration alone."""

from __future__ import annotations

from threadkeep.backends.history_provider import BaseHistoryProvider
from threadkeep.service.history import HistoryService
from threadkeep.service.import_solace import SolaceImport, import_solace

__all__ = ["BaseHistoryProvider", "HistoryService", "SolaceImport", "import_solace"]
