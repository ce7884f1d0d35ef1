"""Reads the JSON of records; what is indispensable is refused if it cannot be read."""

from __future__ import annotations

import json
from typing import Any

from threadkeep import Record
from threadkeep.errors import CorruptRecord
from threadkeep.printable import shown


def parsed(record: Record, expected: type) -> Any:
    """The JSON of a record; `None` = it cannot be read, or is of another type."""
    try:
        decoded_value = json.loads(record.body)
    except ValueError:
        return None
    return decoded_value if isinstance(decoded_value, expected) else None


def indispensable(record: Record, expected: type) -> Any:
    """The JSON of a record without which its checkpoint is nothing.

    Raises:
        CorruptRecord: it cannot be read; the record is named.
    """
    decoded_value = parsed(record, expected)
    if decoded_value is None:
        raise CorruptRecord(
            f"the {record.kind} record {shown(record.id)} of a thread cannot be read: restore it "
            "from a copy, or delete the thread with delete_thread(id, keep_session=True)"
        )
    return decoded_value
