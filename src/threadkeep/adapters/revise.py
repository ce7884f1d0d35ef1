"""Bring stored items in step with what a framework's own state holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from threadkeep.api.session import Session
from threadkeep.core import redaction
from threadkeep.sessions import revise as sessions_revise
from threadkeep.types import Item

_PAGE: Final = 500


def revise(
    chat: Session,
    items: Sequence[Item],
    hide: Collection[str] = (),
    *,
    keep_summary: bool = False,
) -> None:
    """Replace stored items by others of their ids, and hide some, in one commit up to 500.

    Items that are stored so already, or not stored any more, are left alone. The summary of the
    session goes if it covers one of them; with `keep_summary`, only for those that are replaced.
    """
    sessions_revise.replace_items(chat._stream, items, hide, keep_summary=keep_summary)


def has_redactor(chat: Session) -> bool:
    """Return True if what is stored may differ from what was given, because it was redacted."""
    return chat._engine.settings.redactor is not None


def stored_text(chat: Session, text: str) -> str:
    """A text of a message as the store has it, which a redactor may have changed."""
    return redaction.redacted(chat._engine, text, "item") or ""


def stored_item(chat: Session, item: Item) -> Item:
    """An item as the store has it once it is added, which a redactor may have changed."""
    return redaction.redacted_item(chat._engine, item)


def all_items(chat: Session) -> Iterator[Item]:
    """All items of a session, hidden ones too, oldest first, read in pages."""
    last_seq: int | None = None
    while True:
        item_page = chat.items(after=last_seq, limit=_PAGE, hidden=True)
        yield from item_page
        if item_page.cursor is None:
            return
        last_seq = item_page.cursor
