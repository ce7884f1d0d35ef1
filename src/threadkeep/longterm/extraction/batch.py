"""What of a session is read with one call: real turns of user and assistant, and not too much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.longterm.transcript import readable, said
from threadkeep.types import Item, Page, Query

AT_ONCE: Final = 200
"""Items that are looked at, at most: turns with many tool calls are many items."""


WHOLE: Final = 24_000
"""Characters that are read with one call."""


@dataclass(frozen=True, slots=True)
class Line:
    """One item as the model reads it.

    Attributes:
        number: what the model calls it.
        item: as stored.
        text: what is read of it.
        is_users: whether the session's user said it.
    """

    number: int
    item: Item
    text: str
    is_users: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """A piece of a session.

    Attributes:
        lines: what is read.
        seq: of the last item that it covers, read or passed over.
        items: how many it covers.
        more: whether there is more behind it.
        first: the seq of the first item that it covers.
        messages: how many of them are turns, also those that a redactor keeps from the model.
    """

    lines: tuple[Line, ...]
    seq: int
    items: int
    more: bool
    first: int = 0
    messages: int = 0

    def line(self, number: object) -> Line | None:
        """The item of a number, if it is one of these."""
        if type(number) is not int or not 1 <= number <= len(self.lines):
            return None
        return self.lines[number - 1]


def query(stream: str, after: int) -> Query:
    """What asks for the items of a batch."""
    return Query(stream, "item", after=after, limit=AT_ONCE)


def of_page(engine: Engine, page: Page, turns: int, user: str | None) -> Batch | None:
    """The first batch of a page of items, of at most so many turns; `None` if there is no item.

    Where several people speak as users, only the one who has the name of the session's user, or
    none, is that user.
    """
    items = [item_codec.read_item(record) for record in page.records]
    if not items:
        return None
    taken = _taken(engine, items, turns)
    speakers = {item.name for item, text in taken if text and item.role == "user"}
    theirs = speakers if len(speakers) == 1 else {None, user}
    lines = tuple(
        Line(number, item, text, item.role == "user" and item.name in theirs)
        for number, (item, text) in enumerate(((i, t) for i, t in taken if t), 1)
    )
    more = len(taken) < len(items) or len(items) == AT_ONCE
    messages = sum(bool(said(item)) for item, _ in taken)
    return Batch(lines, taken[-1][0].seq, len(taken), more, taken[0][0].seq, messages)


def _taken(engine: Engine, items: Sequence[Item], turns: int) -> list[tuple[Item, str]]:
    """Items from the first on, with what is read of them, until it is enough."""
    taken: list[tuple[Item, str]] = []
    speaker, count, size = "", 0, 0
    for item in items:
        text = readable(engine, item)
        if text:
            count += item.role != speaker
            size += len(text)
            if taken and (count > turns or size > WHOLE):
                break
            speaker = item.role
        taken.append((item, text))
    return taken
