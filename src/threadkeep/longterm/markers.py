"""How text that memory put into a prompt is known again, so that nothing is learned from it."""

from __future__ import annotations

from typing import Final

MARK_START: Final = "<threadkeep-notes>"
MARK_END: Final = "</threadkeep-notes>"
"""Around everything that long-term memory shows a model; nothing remembered can contain them."""


def is_injected(text: str) -> bool:
    """Whether a text holds what memory itself put there: to be neither learned from nor found."""
    return MARK_START in text or MARK_END in text


def enclosed(text: str) -> str:
    """The text between the marks."""
    return f"{MARK_START}\n{text}\n{MARK_END}"
