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
        version_number, digit_count = 0, _WIDTH
    elif isinstance(current, str):
        version_digits = current.partition(".")[0]
        version_number, digit_count = int(version_digits), max(len(version_digits), _WIDTH)
    else:
        version_number, digit_count = int(current), _WIDTH
    return f"{version_number + 1:0{digit_count}}.{os.urandom(3).hex()}"
