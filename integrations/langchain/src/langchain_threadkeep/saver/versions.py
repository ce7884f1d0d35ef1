"""Versions of channels: texts that sort as they follow each other, different in each branch."""

from __future__ import annotations

import os
from typing import Final

_WIDTH: Final = 8


def next_version(current: str | int | float | None) -> str:
    """The version after another one.

    Its number is as wide as the one before, so that versions of other checkpointers go on.
    """
    if current is None:
        number, width = 0, _WIDTH
    elif isinstance(current, str):
        head = current.partition(".")[0]
        number, width = int(head), max(len(head), _WIDTH)
    else:
        number, width = int(current), _WIDTH
    return f"{number + 1:0{width}}.{os.urandom(3).hex()}"
