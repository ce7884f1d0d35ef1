"""What of a session is read with one call: real turns of user and assistant, and not too much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from threadkeep.core import item_codec
from threadkeep.core.engine import Engine
from threadkeep.longterm.extraction.languages.fold import fold
from threadkeep.longterm.extraction.watermark import Watermark, digest_of
from threadkeep.longterm.transcript import readable_text, spoken_text
from threadkeep.types import Item, Page, Query

MAX_ITEMS: Final = 200
"""Items that are looked at, at most: turns with many tool calls are many items."""


MAX_AGAIN: Final = 10
"""Edited items that are read again with one call."""

MAX_CHARACTERS: Final = 24_000
"""Characters that are read with one call."""


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One item as the model reads it.

    Attributes:
        number: what the model calls it.
        item: as stored.
        text: what is read of it.
        by_user: whether the session's user said it.
    """

    number: int
    item: Item
    text: str
    by_user: bool = False


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
        last: the key of the last item that it covers.
        digest: of that item.
        again: ids of the items, if they were read before and edited since.
    """

    lines: tuple[TranscriptLine, ...]
    seq: int
    items: int
    more: bool
    first: int = 0
    messages: int = 0
    last: str = ""
    digest: str = ""
    again: tuple[str, ...] = ()

    def line(self, number: object) -> TranscriptLine | None:
        """The item of a number, if it is one of these."""
        if type(number) is not int or not 1 <= number <= len(self.lines):
            return None
        return self.lines[number - 1]


def items_query(stream: str, after: int) -> Query:
    """What asks for the items of a batch."""
    return Query(stream, "item", after=after, limit=MAX_ITEMS)


def from_page(engine: Engine, page: Page, turns: int, user: str | None) -> Batch | None:
    """The first batch of a page of items, of at most so many turns; `None` if there is no item.

    Where several people speak as users, only the one who has the name of the session's user, or
    none, is that user.
    """
    items = [item_codec.read_item(record) for record in page.records]
    if not items:
        return None
    item_text_pairs = _take_turns(engine, items, turns)
    speakers = {item.name for item, text in item_text_pairs if text and item.role == "user"}
    user_names = speakers if len(speakers) == 1 else {None, *_names_of(user, speakers)}
    transcript_lines = tuple(
        TranscriptLine(line_number, item, text, item.role == "user" and item.name in user_names)
        for line_number, (item, text) in enumerate(
            ((item, text) for item, text in item_text_pairs if text), 1
        )
    )
    has_more = len(item_text_pairs) < len(items) or len(items) == MAX_ITEMS
    message_count = sum(bool(spoken_text(item)) for item, _ in item_text_pairs)
    last_record = page.records[len(item_text_pairs) - 1]
    return Batch(
        transcript_lines,
        item_text_pairs[-1][0].seq,
        len(item_text_pairs),
        has_more,
        item_text_pairs[0][0].seq,
        message_count,
        last_record.id,
        digest_of(last_record),
    )


def edited_batch(
    engine: Engine, page: Page, watermark: Watermark, turns: int, user: str | None
) -> Batch:
    """Items that were edited after they had been read; what was read so far stays read."""
    batch = from_page(engine, page, turns, user) or Batch((), 0, 0, more=True)
    return replace(
        batch,
        seq=watermark.seq,
        more=True,
        first=0,
        messages=0,
        last=watermark.item,
        digest=watermark.digest,
        again=watermark.again[:MAX_AGAIN],
    )


def _names_of(user: str | None, speakers: Iterable[str | None]) -> list[str]:
    """The speakers that have the user's name: the id, or what stands in it before the @."""
    user_names = {fold(user), fold(user.partition("@")[0])} if user else set()
    return [speaker for speaker in speakers if speaker is not None and fold(speaker) in user_names]


def _take_turns(engine: Engine, items: Sequence[Item], turns: int) -> list[tuple[Item, str]]:
    """Items from the first on, with what is read of them, until it is enough."""
    item_text_pairs: list[tuple[Item, str]] = []
    previous_role, turn_count, character_count = "", 0, 0
    for item in items:
        item_text = readable_text(engine, item)
        if item_text:
            turn_count += item.role != previous_role
            character_count += len(item_text)
            if item_text_pairs and (turn_count > turns or character_count > MAX_CHARACTERS):
                break
            previous_role = item.role
        item_text_pairs.append((item, item_text))
    return item_text_pairs
