"""Items, files and sessions as records: strict on write, tolerant on read."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from threadkeep.core import names
from threadkeep.errors import InputError
from threadkeep.types import File, Item, Json, Record, SessionInfo, is_plain
from threadkeep.types.fast_init import fast_constructor
from threadkeep.types.timestamps import utc_datetime

MAX_BODY: Final = 4_000_000
"""Bytes one record may take; the size of a whole commit."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # since Python 2.7
_quote = json.encoder.encode_basestring
_item, _record = fast_constructor(Item), fast_constructor(Record)
_set_id, _set_seq, _set_created_at = (
    getattr(Item, name).__set__ for name in ("id", "seq", "created_at")
)
DECODE_ERRORS: Final = (
    ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError,
)  # fmt: skip
"""Errors raised by decoding a record that is no JSON, or JSON of another shape."""

_EXACT: Final = frozenset({str, int, float, bool, type(None)})
_ITEM_FIELDS = (
    "name", "tool_calls", "tool_call_id", "status", "model", "usage", "metadata", "raw",
)  # fmt: skip


def item_record(item: Item, id: str, at: float, location: str = "message") -> Record:
    """The record of an item of that id, written at `at` (epoch seconds).

    Raises:
        InputError: a field is not JSON, or the item is too large; both are named.
    """
    key = names.key(id)
    if key == id and (text := _plain_body(item)):
        return _record("item", key, text, at, None, 0)
    body: dict[str, Json] = {"role": item.role, "content": item.content}
    if item.type != "message":
        body["type"] = item.type
    if key != id:
        body["id"] = id
    for field in _ITEM_FIELDS:
        if value := getattr(item, field):
            body[field] = value
    if item.created_at is not None:
        created_at = item.created_at.timestamp()
        if created_at != at:
            body["created_at"] = created_at
    if item.hidden:
        body["hidden"] = True
    return _record("item", key, dumps(body, location), at, None, 0)


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
    return text if size <= MAX_BODY else None


def read_item(record: Record) -> Item:
    """The item of a record; an unreadable one gets the type `opaque`, and is logged once."""
    try:
        return decode_item(record)
    except DECODE_ERRORS as error:
        _report(record.kind, record.id, type(error).__name__)
        return Item(
            id=record.id,
            seq=record.seq,
            type="opaque",
            role="unknown",
            metadata={"unreadable": type(error).__name__},
            created_at=utc_datetime(record.at),
        )


def decode_item(record: Record) -> Item:
    """The item of a record.

    Raises:
        BROKEN: it cannot be read.
    """
    data = _loads(record.body)
    content = data["content"]
    if len(data) == 2 and type(content) is str:
        return _item(
            record.id, record.seq, "message", data["role"], None, content,
            [], None, None, None, None, {}, utc_datetime(record.at), False, None,
        )  # fmt: skip
    if not isinstance(content, str):
        for block in content:
            if block["type"] == "text" and not isinstance(block["text"], str):
                raise TypeError("text")
    get = data.get
    return _item(
        get("id") or record.id,
        record.seq,
        get("type", "message"),
        data["role"],
        get("name"),
        content,
        get("tool_calls") or [],
        get("tool_call_id"),
        get("status"),
        get("model"),
        get("usage"),
        get("metadata") or {},
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


def _loads(text: str) -> Json:
    """As `json.loads`, without its checks for encodings and surrounding white space."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def copy_json(value: Json) -> Json:
    """A deep copy of stored JSON."""
    return _loads(dumps(value, "metadata"))


def forked_record(record: Record) -> Record:
    """An item's or file's record for a fork, with the date of its first write."""
    if record.kind != "item":
        return record
    try:
        body = json.loads(record.body)
        body.setdefault("created_at", record.at)
        return dataclasses.replace(record, body=dumps(body, "item"))
    except (ValueError, AttributeError):
        return record  # stays unreadable in the fork


def with_hidden(record: Record, hidden: bool, at: float) -> Record | None:
    """An item's record, written anew as hidden or not, with its date.

    Returns `None` if it is so already, or cannot be read.
    """
    try:
        body = _loads(record.body)
        if body.pop("hidden", False) is hidden:
            return None
        body.setdefault("created_at", record.at)
    except DECODE_ERRORS:
        return None
    if hidden:
        body["hidden"] = True
    return dataclasses.replace(record, body=dumps(body, "item"), at=at)


def file_record(file: File, at: float) -> Record:
    """The record of a file's metadata; it expires when the file does.

    Raises:
        InputError: something in the metadata is not JSON.
    """
    expires = None if file.expires_at is None else file.expires_at.timestamp()
    body = {"id": file.id, "url": file.url, "name": file.name, "metadata": file.metadata}
    return Record("file", names.key(file.id), dumps(body, "file"), at, expires)


def read_file(record: Record) -> File | None:
    """The file of a record, or `None` (logged once) if it cannot be read."""
    try:
        return decode_file(record)
    except DECODE_ERRORS as error:
        _report(record.kind, record.id, type(error).__name__)
        return None


def decode_file(record: Record) -> File:
    """The file of a record.

    Raises:
        BROKEN: it cannot be read.
    """
    data = json.loads(record.body)
    expires = None if record.expires is None else utc_datetime(record.expires)
    return File(
        data["id"], data["url"], data["name"], data["metadata"], utc_datetime(record.at), expires
    )


def session_record(info: SessionInfo, at: float) -> Record:
    """The one `session` record of a session: owner, title, metadata.

    Raises:
        InputError: something in the metadata is not JSON.
    """
    created = at if info.created_at is None else info.created_at.timestamp()
    body = {
        "id": info.id,
        "user": info.user,
        "agent": info.agent,
        "title": info.title,
        "metadata": info.metadata,
        "created_at": created,
        "forked_from": info.forked_from,
    }
    non_empty = {key: value for key, value in body.items() if value not in (None, {})}
    return Record("session", "session", dumps(non_empty, "session"), at)


def read_session(record: Record, updated_at: float | None = None) -> SessionInfo:
    """The `SessionInfo` of a `session` record.

    Raises:
        ValueError: it cannot be read; its owner is then unknown.
    """
    try:
        return _read_session(record, updated_at)
    except DECODE_ERRORS as error:
        raise ValueError(f"the session record cannot be read ({type(error).__name__})") from error


def owner(record: Record) -> str | None:
    """The owner in a `session` record, even if the rest of it cannot be read."""
    try:
        user = _loads(record.body)["user"]
    except DECODE_ERRORS:
        return None
    return user if isinstance(user, str) and user else None


def with_owner(record: Record, user: str) -> Record:
    """A `session` record with this owner."""
    body = {**_loads(record.body), "user": user}
    return dataclasses.replace(record, body=dumps(body, "session"))


def _read_session(record: Record, updated_at: float | None) -> SessionInfo:
    data = _loads(record.body)
    for name in ("user", "agent", "title", "forked_from"):
        if not isinstance(data.get(name), str | None):
            raise TypeError(name)
    if not isinstance(data["id"], str) or not isinstance(data.get("metadata"), dict | None):
        raise TypeError("id or metadata")
    return SessionInfo(
        id=data["id"],
        user=data.get("user"),
        agent=data.get("agent"),
        title=data.get("title"),
        metadata=data.get("metadata") or {},
        created_at=utc_datetime(data["created_at"]),
        updated_at=utc_datetime(record.at if updated_at is None else updated_at),
        forked_from=data.get("forked_from"),
    )


def dumps(value: Json, location: str) -> str:
    """Compact JSON for every store: NUL and lone surrogates are escaped.

    Raises:
        InputError: something is not JSON (named by its path), or it is larger than `MAX_BODY`.
    """
    try:
        if not _is_exact(value):
            check_json(value, location)
        text = _encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{location} cannot be stored as JSON: {error}") from error
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:  # lone surrogates
        text = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
        size = len(text.encode())
    if size > MAX_BODY:
        raise InputError(
            f"{location} is {size:,} bytes, at most {MAX_BODY:,} can be stored; "
            "keep large files elsewhere and store their URL"
        )
    return text


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
                raise InputError(f"{location}: keys must be str, got {key!r}")
            if type(entry) is not str:
                check_json(entry, f"{location}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(value):
            check_json(entry, f"{location}[{index}]")
    elif not isinstance(value, (str, int, float)):
        raise InputError(
            f"{location} is a {kind.__name__}; only str, numbers, bool, None, lists and dicts "
            "can be stored"
        )


@functools.lru_cache(maxsize=1_024)
def _report(kind: str, key: str, reason: Any) -> None:
    import logging  # rarely needed, and a tenth of our import time

    logging.getLogger("threadkeep").warning(
        "skipped an unreadable %s record %r (%s)", kind, key, reason
    )
