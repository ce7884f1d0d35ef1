"""Append to a session together with its metadata, if nobody else has written in between."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from threadkeep.adapters.limits import log_left_out
from threadkeep.api.session import Session
from threadkeep.core.left_out import without_large_parts
from threadkeep.core.parts import TooLarge
from threadkeep.sessions import conditional_append
from threadkeep.sessions.conditional_append import Addition, Decide, Tail
from threadkeep.types import Item
from threadkeep.types.versions import generation_of

__all__ = ["Addition", "Decide", "Tail", "aadd_if", "add_if", "generation_of"]


def add_if(chat: Session, ids: Sequence[str], decide: Decide) -> list[Item] | None:
    """Append what `decide` says of the end of the session, in one atomic step.

    More than 1,000 items or 4 MB are written in several steps, and if one fails, all of it is
    taken back. What is too large is left out, as by `limits.add`.

    Args:
        chat: the session.
        ids: of items that `decide` wants to see.
        decide: returns what to write, or `None`; raises to prevent the write. May be called again.

    Returns:
        The items as stored; `None` if `decide` returned `None`.

    Raises:
        InputError: an item cannot be stored; nothing was written.
        NotOwner: the session belongs to another user; nothing was written.
    """
    try:
        return conditional_append.add_if(chat._stream, ids, decide)
    except TooLarge as error:
        too_large = error

    def decide_fitting(tail: Tail) -> Addition | None:
        addition = decide(tail)
        if addition is None:
            return None
        shortened_items = [without_large_parts(item) for item in addition.items]
        if shortened_items == list(addition.items):
            raise too_large
        log_left_out(chat, shortened_items, too_large)
        return addition._replace(items=shortened_items)

    return conditional_append.add_if(chat._stream, ids, decide_fitting)


async def aadd_if(chat: Session, ids: Sequence[str], decide: Decide) -> list[Item] | None:
    """As `add_if`."""
    return await chat._engine.run_in_thread(functools.partial(add_if, chat, ids, decide))
