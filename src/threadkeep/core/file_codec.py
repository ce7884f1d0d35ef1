"""Files as records: strict on write, tolerant on read."""

from __future__ import annotations

from threadkeep.core import body, names, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.json_text import dumps
from threadkeep.types import File, Record
from threadkeep.types.timestamps import utc_datetime


def file_record(file: File, at: float) -> Record:
    """The record of a file's metadata; it expires when the file does.

    Raises:
        InputError: something in the metadata is not JSON.
    """
    expiry = None if file.expires_at is None else file.expires_at.timestamp()
    body_fields = {"id": file.id, "url": file.url, "name": file.name, "metadata": file.metadata}
    return Record("file", names.key(file.id), dumps(body_fields, "file"), at, expiry)


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
    body_fields = body.decode(record, record_shapes.FILE)
    expires_at = None if record.expires is None else utc_datetime(record.expires)
    get_field = body_fields.get
    return File(
        body_fields["id"],
        get_field("url"),
        get_field("name"),
        get_field("metadata") or {},
        utc_datetime(record.at),
        expires_at,
    )
