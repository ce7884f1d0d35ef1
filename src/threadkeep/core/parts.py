"""Large parts of items: taken out of an item's record, and put back.

A text of more than 64 kB in an item, such as the base64 of an image or the output of a tool, is
stored in pieces beside the session; the item's record says which. What is stored where, and when
it is deleted, is the business of `threadkeep.sessions.blobs`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from threadkeep.errors import InputError
from threadkeep.types import Item, Json

LARGE: Final = 64_000
"""Bytes of UTF-8 above which a text is stored beside the record."""

HEAD: Final = 16_000
"""Bytes of such a text that are in the record too: what policies and extraction see of it."""

PIECE: Final = 1_000_000
"""Bytes of a piece, about."""

MAX_MESSAGE: Final = 64_000_000
"""Bytes of one message, large parts included."""

FIELD: Final = "blobs"
"""The field of an item's record that says which of its parts are stored elsewhere."""

MARK: Final = f'"{FIELD}":['
"""What the text of such a record contains; other records may contain it as well."""

ITEM_FIELDS: Final = ("content", "tool_calls", "metadata", "raw")
_SAID: Final = ("content", "tool_calls")
TEXT_KEYS: Final = ("content", "text")
_ESCAPED_SIZE: Final = 6  # bytes of a character in JSON, at most

Path = tuple[str | int, ...]


class TooLarge(InputError):
    """A message, or the large parts of a session, exceed a limit; nothing was written."""


class Blob(NamedTuple):
    """A large text, by the hash of its content, and the characters of its pieces."""

    id: str
    text: str
    piece_length: int

    @classmethod
    def of(cls, text: str) -> Blob:
        """The blob of a text without halves of characters."""
        import hashlib  # for large parts only, and slow to import

        text_hash = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return cls(text_hash, text, PIECE // (_ESCAPED_SIZE if _may_grow(text) else 1))

    @property
    def size(self) -> int:
        """Bytes of UTF-8."""
        return size_of(self.text)

    def pieces(self) -> list[str]:
        """The text in pieces of about 1 MB of JSON each, the last one shorter."""
        piece_starts = range(0, len(self.text), self.piece_length)
        return [self.text[start : start + self.piece_length] for start in piece_starts]

    @property
    def piece_count(self) -> int:
        """The number of pieces."""
        return -(-len(self.text) // self.piece_length)


class BlobReference(NamedTuple):
    """Where in an item a blob belongs.

    Attributes:
        path: keys and indexes that lead to the part.
        id: of the blob.
        length: of its text, in characters.
        pieces: how many pieces it has.
        before: what stands before it, as the beginning of a `data:` URL does.
        is_json: whether it is JSON to be parsed.
    """

    path: Path
    id: str
    length: int
    pieces: int
    before: str = ""
    is_json: bool = False

    def as_json(self) -> Json:
        """The entry of a record's `blobs`."""
        blob_entry: dict[str, Json] = {
            "path": list(self.path),
            "id": self.id,
            "length": self.length,
            "pieces": self.pieces,
        }
        if self.before:
            blob_entry["before"] = self.before
        return {**blob_entry, "json": True} if self.is_json else blob_entry


class PartialMetadata(dict[str, Json]):
    """The metadata of an item whose large parts were not read; it says which they are.

    Attributes:
        references: to the parts.
    """

    __slots__ = ("references",)

    def __init__(self, metadata: Mapping[str, Json], references: Sequence[BlobReference]) -> None:
        super().__init__(metadata)
        self.references = references


def references_of(item: Item) -> Sequence[BlobReference]:
    """The parts of an item that were not read."""
    metadata = item.metadata
    return metadata.references if type(metadata) is PartialMetadata else ()


def parse(entries: Iterable[Mapping[str, Json]]) -> list[BlobReference]:
    """The references of a record, whose shape was checked."""
    return [
        BlobReference(
            tuple(entry["path"]),
            entry["id"],
            entry["length"],
            entry["pieces"],
            entry.get("before", ""),
            entry.get("json") is True,
        )
        for entry in entries
    ]


def filled(item: Item, texts: Mapping[str, str]) -> Item:
    """The item with its large parts.

    Args:
        item: as read.
        texts: of the blobs, by id.

    Raises:
        LookupError: a blob is missing, incomplete, or has no place in the item.
        ValueError: one is no JSON, and should be.
    """
    references = references_of(item)
    item_fields: dict[str, Json] = {name: getattr(item, name) for name in ITEM_FIELDS}
    item_fields["metadata"] = dict(item.metadata)
    for reference in references:
        part_text = texts[reference.id]
        if len(part_text) != reference.length:
            raise LookupError(reference.id)
        part_value = json.loads(part_text) if reference.is_json else reference.before + part_text
        item_fields = put_at(item_fields, reference.path, part_value)
    return dataclasses.replace(item, **item_fields)


def with_heads(item: Item, texts: Mapping[str, str]) -> Item:
    """The item with as much of its large texts as was read; its other parts stay away."""
    item_fields: dict[str, Json] = {"content": item.content}
    for reference in references_of(item):
        if is_text(reference):
            text_head = reference.before + texts.get(reference.id, "")
            item_fields = (
                put_at(item_fields, reference.path, text_head) if text_head else item_fields
            )
    return dataclasses.replace(item, **item_fields)


def is_text(reference: BlobReference) -> bool:
    """Return True for a text of a message, of which the item has the beginning."""
    return reference.path[-1] in TEXT_KEYS and not reference.is_json


def is_large(text: str) -> bool:
    """Return True if a text takes more than 64 kB."""
    return len(text) * 4 > LARGE and size_of(text) > LARGE


def unread_lengths(item: Item) -> list[int]:
    """Characters of each part of what is said that is not in the item; media have none."""
    return [
        reference.length - (HEAD if reference.path[-1] in TEXT_KEYS else 0)
        for reference in references_of(item)
        if reference.path[0] in _SAID and reference.path[-1] != "base64"
    ]


def head(text: str) -> str:
    """The first 16 kB of a text."""
    text_head = text[:HEAD]
    while (head_size := size_of(text_head)) > HEAD:
        text_head = text_head[: len(text_head) * HEAD // head_size]
    return text_head


def _may_grow(text: str) -> bool:
    """Return True unless each character of a text is one byte of JSON; quick for base64."""
    return not text.isascii() or not text.isprintable() or '"' in text or "\\" in text


def size_of(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def put_at(value: Json, path: Sequence[str | int], new: Json) -> Json:
    """A copy of JSON with another value at a path."""
    if not path:
        return new
    changed_copy: Json = dict(value) if isinstance(value, Mapping) else list(value)
    changed_copy[path[0]] = put_at(changed_copy[path[0]], path[1:], new)
    return changed_copy
