"""Pages of a tool result that a model read on: made, recognised, and stored as a reference.

A page begins with a line that says what it is. The store keeps that line alone; a window puts the
page behind it again, from the result that it is a part of.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from threadkeep.protocols import TokenCounter
from threadkeep.types import Item
from threadkeep.window.shorten.raw import with_texts

PREFIX: Final = "[read_more "

_HEADER: Final = re.compile(
    r"\[read_more ([0-9a-f]{1,16}-[0-9a-f]{16}): characters (\d{1,12}) to (\d{1,12}) of (\d{1,12})"
    r"(?:; the rest begins at start=\d{1,12})?\]"
)
_CHARACTERS_PER_TOKEN: Final = 4
_SHARE: Final = 0.9
"""A page takes no more of the cap of a result, so that it is never cut itself."""


class PageReference(NamedTuple):
    """Which part of which result a page is."""

    handle: str
    start: int
    end: int
    total: int


def page(text: str, handle: str, start: int, limit: int, size: TokenCounter) -> str:
    """The page of a text that begins at a character, with its first line.

    Args:
        text: the whole text.
        handle: the handle of the result.
        start: the first character, from 0 to the length of the text.
        limit: the most that a result may take, by `size`.
        size: measures a text.
    """
    page_length = max(1, limit * _CHARACTERS_PER_TOKEN)
    while True:
        end = min(len(text), start + page_length)
        page_text = f"{header(PageReference(handle, start, end, len(text)))}\n{text[start:end]}"
        page_size = size(page_text)
        if page_size <= limit * _SHARE or page_length == 1:
            return page_text
        page_length = max(1, min(page_length - 1, int(page_length * limit * _SHARE / page_size)))


def header(reference: PageReference) -> str:
    """The first line of a page, and all of it that is stored."""
    handle, start, end, total = reference
    next_hint = f"; the rest begins at start={end}" if end < total else ""
    return f"{PREFIX}{handle}: characters {start} to {end} of {total}{next_hint}]"


def read_header(line: str) -> PageReference | None:
    """What the first line of a page says; `None` = it is none."""
    match = _HEADER.fullmatch(line)
    if match is None:
        return None
    return PageReference(match[1], *(int(digits) for digits in match.groups()[1:]))


def first_lines(item: Item) -> dict[str, PageReference]:
    """The texts of a tool result that begin as a page does, with what they say."""
    reference_by_text: dict[str, PageReference] = {}
    for text in _texts(item):
        if text.startswith(PREFIX) and (reference := read_header(text.partition("\n")[0])):
            reference_by_text[text] = reference
    return reference_by_text


def written_page(reference: PageReference, result_text: str) -> str:
    """The page of a reference, from the whole text of its result."""
    return f"{header(reference)}\n{result_text[reference.start : reference.end]}"


def with_replaced(item: Item, replaced: dict[str, str]) -> Item:
    """The item with texts replaced in its content and in its writer's payload."""
    if isinstance(item.content, str):
        return with_texts(item, replaced.get(item.content, item.content), replaced)
    content_blocks = [
        {**block, "text": replaced.get(block["text"], block["text"])}
        if block["type"] == "text"
        else dict(block)
        for block in item.content
    ]
    return with_texts(item, content_blocks, replaced)


def _texts(item: Item) -> list[str]:
    if isinstance(item.content, str):
        return [item.content]
    return [block["text"] for block in item.content if block["type"] == "text"]
