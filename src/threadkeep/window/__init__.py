"""What the model sees of a session: chosen newest first, sound for every provider."""

from __future__ import annotations

from threadkeep.window.select import (
    LOOKBACK,
    Fetch,
    choose,
    first_page,
    promises,
)
from threadkeep.window.window import Window, shown

__all__ = ["LOOKBACK", "Fetch", "Window", "choose", "first_page", "promises", "shown"]
