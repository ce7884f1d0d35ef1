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
HIDDEN_ON_BRANCH: Final = "threadkeep_hidden"
"""The key beside it, of an item that the application hid: it is hidden on its branch as well."""
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
    record_id = names.key(id)
    if record_id == id and (body_json := _plain_body(item)):
        return _record("item", record_id, body_json, at, None, 0), []
    body_fields = _fields(item, id, record_id, at)
    has_unread_parts = parts.FIELD in body_fields
    body_json = checked(body_fields, record_shapes.ITEM, location, _MAX_WHOLE)
    blobs: list[Blob] = []
    if not has_unread_parts and parts.is_large(body_json):
        body_json, blobs = _without_blobs(body_fields, location)
    return _record("item", record_id, body_json, at, None, 0), blobs


def _fields(item: Item, id: str, record_id: str, at: float) -> dict[str, Json]:
    """The JSON of an item that is no plain message."""
    body_fields: dict[str, Json] = {"role": item.role, "content": item.content}
    if item.type != "message":
        body_fields["type"] = item.type
    if record_id != id:
        body_fields["id"] = id
    for field_name in _ITEM_FIELDS:
        if field_value := getattr(item, field_name):
            body_fields[field_name] = field_value
    if item.created_at is not None:
        created_at = item.created_at.timestamp()
        if created_at != at:
            body_fields["created_at"] = created_at
    if item.hidden:
        body_fields["hidden"] = True
    if unread_references := parts.references_of(item):
        body_fields[parts.FIELD] = [reference.as_json() for reference in unread_references]
    return body_fields


def _without_blobs(item_fields: dict[str, Json], location: str) -> tuple[str, list[Blob]]:
    """The body of an item without its large parts, and these."""
    slim_fields, blobs = part_split.split(
        item_fields, lambda value: dumps(value, location, _MAX_WHOLE), MAX_BODY
    )
    body_json = dumps(slim_fields, location)
    size_with_blobs = len(body_json) + sum(blob.size for blob in blobs)
    if size_with_blobs > parts.MAX_MESSAGE:
        raise too_large(location, size_with_blobs, parts.MAX_MESSAGE)
    return body_json, blobs


def _plain_body(item: Item) -> str | None:
    """The body of a plain message, as `dumps` writes it, in a fifth of the time; else `None`."""
    if item.type != "message" or item.tool_calls or item.metadata or not is_plain(item):
        return None
    if item.status or item.model or item.usage or item.hidden or item.created_at is not None:
        return None
    body_json = f'{{"role":{_quote(item.role)},"content":{_quote(str(item.content))}}}'
    try:
        byte_size = len(body_json) if body_json.isascii() else len(body_json.encode())
    except UnicodeEncodeError:
        return None
    return body_json if byte_size <= parts.LARGE else None


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
    body_fields = body.parse(record.body, "item")
    raw_content, role = body_fields.get("content"), body_fields.get("role")
    if len(body_fields) == 2 and type(raw_content) is str and type(role) is str and role:
        return _item(
            record.id, record.seq, "message", role, None, raw_content,
            [], None, None, None, None, {}, utc_datetime(record.at), False, None,
        )  # fmt: skip
    if (fault := record_shapes.ITEM(body_fields)) is not None:
        raise UnreadableRecord("item", fault)
    get_field = body_fields.get
    metadata: dict[str, Json] = get_field("metadata") or {}
    if blob_entries := get_field(parts.FIELD):
        metadata = parts.PartialMetadata(metadata, parts.parse(blob_entries))
    return _item(
        get_field("id") or record.id,
        record.seq,
        get_field("type", "message"),
        body_fields["role"],
        get_field("name"),
        body_fields["content"],
        get_field("tool_calls") or [],
        get_field("tool_call_id"),
        get_field("status"),
        get_field("model"),
        get_field("usage"),
        metadata,
        utc_datetime(get_field("created_at", record.at)),
        get_field("hidden") is True,
        get_field("raw"),
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
        body_fields = body.decode(record, record_shapes.ITEM)
    except UnreadableRecord:
        return record  # stays unreadable in the fork
    body_fields.setdefault("created_at", record.at)
    return dataclasses.replace(record, body=dumps(body_fields, "item"))


def with_hidden(record: Record, hidden: bool, at: float) -> Record | None:
    """An item's record, written anew as hidden or not, whatever branch is shown, with its date.

    Returns `None` if it is so already, or cannot be read.
    """
    try:
        body_fields = body.decode(record, record_shapes.ITEM)
    except UnreadableRecord:
        return None
    if body_fields.pop("hidden", False) is hidden:
        return None
    body_fields.setdefault("created_at", record.at)
    if hidden:
        body_fields["hidden"] = True
    elif BRANCH in (body_fields.get("metadata") or {}):
        body_fields["metadata"] = {
            key: value
            for key, value in body_fields["metadata"].items()
            if key not in (BRANCH, HIDDEN_ON_BRANCH)
        }
    return dataclasses.replace(record, body=dumps(body_fields, "item"), at=at)


def with_branch(
    record: Record, branch: str | None, at: float, hidden: bool | None = None
) -> Record | None:
    """An item's record, written anew as of a branch that is not shown, or that is, with its date.

    Returns `None` if it cannot be read.

    Args:
        record: of the item.
        branch: the item's, if another one is shown; `None` = it is the shown one.
        at: the time of writing.
        hidden: whether the application hides it on its branch; `None` = as it does so far.
    """
    try:
        body_fields = body.decode(record, record_shapes.ITEM)
    except UnreadableRecord:
        return None
    body_fields.setdefault("created_at", record.at)
    metadata = {**(body_fields.pop("metadata", None) or {})}
    was_hidden, old_branch = body_fields.pop("hidden", False), metadata.pop(BRANCH, None)
    hidden_mark = metadata.pop(HIDDEN_ON_BRANCH, False)
    hidden_on_branch = was_hidden and (hidden_mark or old_branch is None)
    is_hidden = bool(hidden_on_branch if hidden is None else hidden)
    if branch is not None:
        metadata[BRANCH] = branch
        metadata.update({HIDDEN_ON_BRANCH: True} if is_hidden else {})
    if branch is not None or is_hidden:
        body_fields["hidden"] = True
    if metadata:
        body_fields["metadata"] = metadata
    return dataclasses.replace(record, body=dumps(body_fields, "item"), at=at)
