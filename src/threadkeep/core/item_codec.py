"""Items, files and sessions as records: strict on write, tolerant on read."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from threadkeep.core import body, names, parts, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.parts import Blob
from threadkeep.core.shape import Check
from threadkeep.errors import InputError
from threadkeep.printable import shown, shown_key
from threadkeep.types import File, Item, Json, Record, SessionInfo, is_plain
from threadkeep.types.branches import Branch
from threadkeep.types.fast_init import fast_constructor
from threadkeep.types.timestamps import utc_datetime

MAX_BODY: Final = 4_000_000
"""Bytes one record may take; the size of a whole commit."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
BRANCH: Final = "threadkeep_branch"
"""The key in the metadata of an item that is hidden because another branch is shown."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_quote = json.encoder.encode_basestring
_item, _record = fast_constructor(Item), fast_constructor(Record)
_set_id, _set_seq, _set_created_at = (
    getattr(Item, name).__set__ for name in ("id", "seq", "created_at")
)
_MAX_WHOLE: Final = 4 * parts.MAX_MESSAGE  # a raw payload may say everything twice
_EXACT: Final = frozenset({str, int, float, bool, type(None)})
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
    stub, blobs = parts.split(fields, lambda value: dumps(value, location, _MAX_WHOLE), MAX_BODY)
    text = dumps(stub, location)
    size = len(text) + sum(blob.size for blob in blobs)
    if size > parts.MAX_MESSAGE:
        raise _too_large(location, size, parts.MAX_MESSAGE)
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
    data = body.parse(record.body, "item")
    content, role = data.get("content"), data.get("role")
    if len(data) == 2 and type(content) is str and type(role) is str and role:
        return _item(
            record.id, record.seq, "message", role, None, content,
            [], None, None, None, None, {}, utc_datetime(record.at), False, None,
        )  # fmt: skip
    if (fault := record_shapes.ITEM(data)) is not None:
        raise UnreadableRecord("item", fault)
    get = data.get
    metadata: dict[str, Json] = get("metadata") or {}
    if entries := get(parts.FIELD):
        metadata = parts.PartialMetadata(metadata, parts.parse(entries))
    return _item(
        get("id") or record.id,
        record.seq,
        get("type", "message"),
        data["role"],
        get("name"),
        data["content"],
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


def copy_json(value: Json) -> Json:
    """A deep copy of stored JSON."""
    return json.loads(dumps(value, "metadata"))


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


def file_record(file: File, at: float) -> Record:
    """The record of a file's metadata; it expires when the file does.

    Raises:
        InputError: something in the metadata is not JSON.
    """
    expires = None if file.expires_at is None else file.expires_at.timestamp()
    fields = {"id": file.id, "url": file.url, "name": file.name, "metadata": file.metadata}
    return Record("file", names.key(file.id), dumps(fields, "file"), at, expires)


def read_file(record: Record) -> File | None:
    """The file of a record, or `None` (logged once) if it cannot be read."""
    try:
        return decode_file(record)
    except UnreadableRecord as error:
        body.skip(record, error)
        return None


def decode_file(record: Record) -> File:
    """The file of a record.

    Raises:
        UnreadableRecord: it cannot be read.
    """
    data = body.decode(record, record_shapes.FILE)
    expires = None if record.expires is None else utc_datetime(record.expires)
    get = data.get
    return File(
        data["id"],
        get("url"),
        get("name"),
        get("metadata") or {},
        utc_datetime(record.at),
        expires,
    )


def session_record(info: SessionInfo, at: float) -> Record:
    """The one `session` record of a session: owner, title, metadata.

    Raises:
        InputError: something in the metadata is not JSON.
    """
    created = at if info.created_at is None else info.created_at.timestamp()
    fields = {
        "id": info.id,
        "user": info.user,
        "agent": info.agent,
        "title": info.title,
        "metadata": info.metadata,
        "created_at": created,
        "forked_from": info.forked_from,
        "branches": [_branch_fields(branch) for branch in info.branches],
    }
    non_empty = {key: value for key, value in fields.items() if value not in (None, {}, [])}
    return Record("session", "session", dumps(non_empty, "session"), at)


def read_session(record: Record, updated_at: float | None = None) -> SessionInfo:
    """The `SessionInfo` of a `session` record.

    Raises:
        UnreadableRecord: it cannot be read; its owner is then unknown.
    """
    data = body.decode(record, record_shapes.SESSION)
    return SessionInfo(
        id=data["id"],
        user=data.get("user"),
        agent=data.get("agent"),
        title=data.get("title"),
        metadata=data.get("metadata") or {},
        created_at=utc_datetime(data["created_at"]),
        updated_at=utc_datetime(record.at if updated_at is None else updated_at),
        forked_from=data.get("forked_from"),
        branches=tuple(_branch(entry) for entry in data.get("branches") or ()),
    )


def _branch_fields(branch: Branch) -> dict[str, Json]:
    fields = {
        "name": branch.name,
        "parent": branch.parent,
        "at": branch.at,
        "shown": branch.is_shown or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _branch(fields: Mapping[str, Json]) -> Branch:
    get = fields.get
    return Branch(fields["name"], get("parent"), get("at"), bool(get("shown")))


def owner(record: Record) -> str | None:
    """The owner in a `session` record, even if the rest of it cannot be read."""
    return text_field(record, "user")


def text_field(record: Record, name: str) -> str | None:
    """A text of a body that is not empty, even if the rest of it has not the shape of its kind."""
    try:
        fields = json.loads(record.body)
    except (ValueError, RecursionError):
        return None
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, str) and value else None


def with_owner(record: Record, user: str) -> Record:
    """A `session` record with this owner."""
    fields = {**body.decode(record, record_shapes.SESSION), "user": user}
    return dataclasses.replace(record, body=dumps(fields, "session"))


def checked(fields: dict[str, Json], check: Check, location: str, most: int = MAX_BODY) -> str:
    """The body of a record, if it has the shape of its kind, so that it can be read again.

    Raises:
        InputError: it has not, or is no JSON; the field is named.
    """
    text = dumps(fields, location, most)
    if (fault := check(fields)) is not None and (fault := check(json.loads(text))) is not None:
        raise InputError(
            f"{location}.{fault.path} must be {fault.expected}, got {shown(fault.found)}"
        )
    return text


def dumps(value: Json, location: str, most: int = MAX_BODY) -> str:
    """Compact JSON for every store: NUL and lone surrogates are escaped.

    Raises:
        InputError: something is not JSON (named by its path), or it is larger than `most` bytes.
    """
    try:
        if not _is_exact(value):
            check_json(value, location)
        text = _encode(value)
    except RecursionError as error:
        raise InputError(f"{location} is nested too deeply to be stored as JSON") from error
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{location} cannot be stored as JSON: {error}") from error
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:  # lone surrogates
        text = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
        size = len(text.encode())
    if size > most:
        raise _too_large(location, size, most)
    if text.count("[") + text.count("{") > body.MAX_DEPTH and body.is_too_deep(value):
        raise InputError(
            f"{location} is nested more than {body.MAX_DEPTH} deep, which could not be read again "
            "everywhere; store what is deeper as a text of JSON"
        )
    return text


def _too_large(location: str, size: int, most: int) -> parts.TooLarge:
    return parts.TooLarge(
        f"{location} is {size:,} bytes, at most {most:,} can be stored; "
        "keep large files elsewhere and store their URL"
    )


def _is_exact(value: Json) -> bool:
    """Return True if all values have exact JSON types: the fast path, which builds no paths."""
    if type(value) is dict:
        for key, entry in value.items():
            if type(key) is not str or not (type(entry) is str or _is_exact(entry)):
                return False
        return True
    if type(value) is list:
        return all(map(_is_exact, value))
    return type(value) in _EXACT


def check_json(value: Json, location: str) -> None:
    """Refuse a value that would not come back from JSON unchanged.

    Raises:
        InputError: a value is of another type; its path and type are named.
    """
    kind = type(value)
    if kind is str or value is None or kind is int or kind is bool or kind is float:
        return
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if not isinstance(key, str):
                raise InputError(f"{location}: keys must be str, got {shown(key)}")
            if type(entry) is not str:
                check_json(entry, f"{location}.{shown_key(key)}")
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(value):
            check_json(entry, f"{location}[{index}]")
    elif not isinstance(value, (str, int, float)):
        raise InputError(
            f"{location} is a {kind.__name__}; only str, numbers, bool, None, lists and dicts "
            "can be stored"
        )
