"""Follows transcripts as they grow, and stores what is new: `threadkeep watch`."""

from threadkeep.importers.watch.watcher import Watcher, default_folders

__all__ = ["Watcher", "default_folders"]
