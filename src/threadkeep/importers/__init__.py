"""Imports what other products have kept: chats, facts and instructions; `threadkeep import`."""

from threadkeep.importers.report import ImportReport, Skipped
from threadkeep.importers.run import import_chats
from threadkeep.importers.secrets import redact_secrets
from threadkeep.importers.watch import Watcher

__all__ = ["ImportReport", "Skipped", "Watcher", "import_chats", "redact_secrets"]
