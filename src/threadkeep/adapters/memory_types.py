"""The types of sessions and of what recall finds, for the signatures of adapters."""

from __future__ import annotations

from threadkeep.longterm.recall.hits import Hits
from threadkeep.types import SessionInfo
from threadkeep.types.knowledge import Fact

__all__ = ["Fact", "Hits", "SessionInfo"]
