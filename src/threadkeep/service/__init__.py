"""The history service: chat histories driven by configuration alone."""

from __future__ import annotations

from threadkeep.service.history import HistoryService

__all__ = ["HistoryService"]
