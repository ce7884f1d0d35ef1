"""Windows: the items of a session that a model sees, newest first, valid for every provider."""

from __future__ import annotations

from threadkeep.window.left_out import LeftOut, LeftOutRange
from threadkeep.window.page_reader import Fetch
from threadkeep.window.select import LOOKBACK, choose, first_page_size
from threadkeep.window.window import Window, items_table

__all__ = [
    "LOOKBACK",
    "Fetch",
    "LeftOut",
    "LeftOutRange",
    "Window",
    "choose",
    "first_page_size",
    "items_table",
]
