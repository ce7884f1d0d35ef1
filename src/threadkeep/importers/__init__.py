"""Imports what other products have kept: chats, facts and instructions; `threadkeep import`."""

from threadkeep.importers.report import ImportReport, Skipped
from threadkeep.importers.run import import_chats

__all__ = ["ImportReport", "Skipped", "import_chats"]
