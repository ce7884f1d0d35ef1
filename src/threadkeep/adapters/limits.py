"""Writing in the middle of a run: what exceeds a limit is left out, and said so, never an error."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from threadkeep.api.session import Session
from threadkeep.core.left_out import KEY, without_large_parts
from threadkeep.core.parts import TooLarge
from threadkeep.types import Item

_Write = Callable[[Sequence[Item]], list[Item]]


def add(chat: Session, *items: Item) -> list[Item]:
    """As `Session.add`. What is too large is replaced by a text that says so.

    If a message exceeds 64 MB, or the session would have more than 1 GB of parts over 64 kB, the
    new messages are stored without such parts. The metadata of these items count them, as
    `{"left_out": {"parts", "bytes"}}`, and a warning is logged.
    """
    return _write(chat, items, lambda fitting: chat.add(*fitting))


def set_items(chat: Session, *items: Item) -> list[Item]:
    """As `Session.set_items`, and `add`."""
    return _write(chat, items, lambda fitting: chat.set_items(*fitting))


async def aadd(chat: Session, *items: Item) -> list[Item]:
    """As `add`."""
    return await chat._engine.run_in_thread(functools.partial(add, chat, *items))


async def aset_items(chat: Session, *items: Item) -> list[Item]:
    """As `set_items`."""
    return await chat._engine.run_in_thread(functools.partial(set_items, chat, *items))


def _write(chat: Session, items: Sequence[Item], write: _Write) -> list[Item]:
    try:
        return write(items)
    except TooLarge as error:
        shortened_items = [without_large_parts(item) for item in items]
        if shortened_items == list(items):
            raise
        log_left_out(chat, shortened_items, error)
        return write(shortened_items)


def log_left_out(chat: Session, items: Sequence[Item], error: TooLarge) -> None:
    """Log how much was left out of new messages."""
    import logging  # rarely needed, and slow to load

    left_out_counts = [item.metadata[KEY] for item in items if KEY in item.metadata]
    logging.getLogger("threadkeep").warning(
        "%d parts (%d bytes) of new messages were left out of session %r: %s",
        sum(counts["parts"] for counts in left_out_counts),
        sum(counts["bytes"] for counts in left_out_counts),
        chat.id,
        error,
    )
