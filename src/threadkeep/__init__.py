"""Chat memory that keeps the thread."""

from __future__ import annotations

from threadkeep import errors, policies
from threadkeep.connect import connect
from threadkeep.memory import Memory
from threadkeep.protocols import Backend
from threadkeep.session import Session
from threadkeep.types import Drop, Item, Query, Record
from threadkeep.user import User
from threadkeep.window import Window

__version__ = "0.1.0"

__all__ = [
    "connect",
    "Memory",
    "Session",
    "User",
    "Item",
    "Window",
    "Record",
    "Query",
    "Drop",
    "Backend",
    "policies",
    "errors",
]
