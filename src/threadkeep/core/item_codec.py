"""Items as records: strict on write, tolerant on read."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Final

from threadkeep.core import body, names, part_split, parts, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.json_text import MAX_BODY, checked, dumps, too_large
from threadkeep.core.parts import Blob
from threadkeep.types import Item, Json, Record, is_plain
from threadkeep.types.fast_init import fast_constructor
from threadkeep.types.timestamps import utc_datetime

BRANCH: Final = "threadkeep_branch"
"""The key in the metadata of an item that is hidden because another branch is shown."""
_quote = json.encoder.encode_basestring
_item, _record = fast_constructor(Item), fast_constructor(Record)
_set_id, _set_seq, _set_created_at = (
    getattr(Item, name).__set__ for name in ("id", "seq", "created_at")
)
_MAX_WHOLE: Final = 4 * parts.MAX_MESSAGE  # a raw payload may say everything twice
_ITEM_FIELDS = (
    "name", "tool_calls", "tool_call_id", "status", "model", "usage", "metadata", "raw",
)  # fmt: skip


def item_record(item: Item, id: str, at: float, location: str = "message") -> Record:
    """As `encode_item`, without the blobs: for comparisons, and for parts that are stored."""
    return encode_item(item, id, at, location)[0]


def encode_item(
    item: Item, id: str, at: float, location: str = "message"
) -> tuple[Record, list[Blob]]:
    """The record of an item of that id, written at `at` (epoch seconds), and its large parts.

    Raises:
        InputError: a field is not JSON, or the item is too large; both are named.
    """
    key = names.key(id)
    if key == id and (text := _plain_body(item)):
        return _record("item", key, text, at, None, 0), []
    fields = _fields(item, id, key, at)
    unread = parts.FIELD in fields
    text = checked(fields, record_shapes.ITEM, location, _MAX_WHOLE)
    blobs: list[Blob] = []
    if not unread and parts.is_large(text):
        text, blobs = _without_blobs(fields, location)
    return _record("item", key, text, at, None, 0), blobs


def _fields(item: Item, id: str, key: str, at: float) -> dict[str, Json]:
    """The JSON of an item that is no plain message."""
    fields: dict[str, Json] = {"role": item.role, "content": item.content}
    if item.type != "message":
        fields["type"] = item.type
    if key != id:
        fields["id"] = id
    for field in _ITEM_FIELDS:
        if value := getattr(item, field):
            fields[field] = value
    if item.created_at is not None:
        created_at = item.created_at.timestamp()
        if created_at != at:
            fields["created_at"] = created_at
    if item.hidden:
        fields["hidden"] = True
    if unread := parts.references_of(item):
        fields[parts.FIELD] = [reference.as_json() for reference in unread]
    return fields


def _without_blobs(fields: dict[str, Json], location: str) -> tuple[str, list[Blob]]:
    """The body of an item without its large parts, and these."""
    stub, blobs = part_split.split(
        fields, lambda value: dumps(value, location, _MAX_WHOLE), MAX_BODY
    )
    text = dumps(stub, location)
    size = len(text) + sum(blob.size for blob in blobs)
    if size > parts.MAX_MESSAGE:
        raise too_large(location, size, parts.MAX_MESSAGE)
    return text, blobs


def _plain_body(item: Item) -> str | None:
    """The body of a plain message, as `dumps` writes it, in a fifth of the time; else `None`."""
    if item.type != "message" or item.tool_calls or item.metadata or not is_plain(item):
        return None
    if item.status or item.model or item.usage or item.hidden or item.created_at is not None:
        return None
    text = f'{{"role":{_quote(item.role)},"content":{_quote(str(item.content))}}}'
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        return None
    return text if size <= parts.LARGE else None


def read_item(record: Record) -> Item:
    """The item of a record; an unreadable one gets the type `opaque`, and is logged once."""
    try:
        return decode_item(record)
    except UnreadableRecord as error:
        body.skip(record, error)
        return Item(
            id=record.id,
            seq=record.seq,
            type="opaque",
            role="unknown",
            metadata={"unreadable": error.reason},
            created_at=utc_datetime(record.at),
        )


def decode_item(record: Record) -> Item:
    """The item of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    fields = body.parse(record.body, "item")
    content, role = fields.get("content"), fields.get("role")
    if len(fields) == 2 and type(content) is str and type(role) is str and role:
        return _item(
            record.id, record.seq, "message", role, None, content,
            [], None, None, None, None, {}, utc_datetime(record.at), False, None,
        )  # fmt: skip
    if (fault := record_shapes.ITEM(fields)) is not None:
        raise UnreadableRecord("item", fault)
    get = fields.get
    metadata: dict[str, Json] = get("metadata") or {}
    if entries := get(parts.FIELD):
        metadata = parts.PartialMetadata(metadata, parts.parse(entries))
    return _item(
        get("id") or record.id,
        record.seq,
        get("type", "message"),
        fields["role"],
        get("name"),
        fields["content"],
        get("tool_calls") or [],
        get("tool_call_id"),
        get("status"),
        get("model"),
        get("usage"),
        metadata,
        utc_datetime(get("created_at", record.at)),
        get("hidden") is True,
        get("raw"),
    )


def with_seq(record: Record, seq: int) -> Record:
    """A written record with its seq, as it will be read."""
    return _record(record.kind, record.id, record.body, record.at, record.expires, seq)


def stamp(item: Item, id: str, seq: int, created_at: datetime) -> Item:
    """Set the stored id, seq and date of a new item, in place: nobody else has it yet."""
    _set_id(item, id)
    _set_seq(item, seq)
    if item.created_at is None:
        _set_created_at(item, created_at)
    return item


def forked_record(record: Record) -> Record:
    """An item's or file's record for a fork, with the date of its first write."""
    if record.kind != "item":
        return record
    try:
        fields = body.decode(record, record_shapes.ITEM)
    except UnreadableRecord:
        return record  # stays unreadable in the fork
    fields.setdefault("created_at", record.at)
    return dataclasses.replace(record, body=dumps(fields, "item"))


def with_hidden(record: Record, hidden: bool, at: float) -> Record | None:
    """An item's record, written anew as hidden or not, with its date.

    Returns `None` if it is so already, or cannot be read.
    """
    try:
        fields = body.decode(record, record_shapes.ITEM)
    except UnreadableRecord:
        return None
    if fields.pop("hidden", False) is hidden:
        return None
    fields.setdefault("created_at", record.at)
    if hidden:
        fields["hidden"] = True
    elif BRANCH in (fields.get("metadata") or {}):
        fields["metadata"] = {k: v for k, v in fields["metadata"].items() if k != BRANCH}
    return dataclasses.replace(record, body=dumps(fields, "item"), at=at)


def with_branch(record: Record, branch: str | None, at: float) -> Record | None:
    """An item's record, written anew as hidden on a branch, or as shown, with its date.

    Returns `None` if it cannot be read.
    """
    try:
        fields = body.decode(record, record_shapes.ITEM)
    except UnreadableRecord:
        return None
    fields.setdefault("created_at", record.at)
    metadata = {**(fields.pop("metadata", None) or {})}
    metadata.pop(BRANCH, None)
    fields.pop("hidden", None)
    if branch is not None:
        fields["hidden"], metadata[BRANCH] = True, branch
    if metadata:
        fields["metadata"] = metadata
    return dataclasses.replace(record, body=dumps(fields, "item"), at=at)
