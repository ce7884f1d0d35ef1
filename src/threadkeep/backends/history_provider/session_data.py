"""Streams as the sessions of a history provider: their ids, and their data."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.backends.common.stream import Stream
from threadkeep.errors import CorruptRecord
from threadkeep.printable import shown
from threadkeep.types import Record

_PREFIX: Final = "threadkeep-"
_HASHED: Final = "threadkeep."
_MAX_LENGTH: Final = 150  # file systems take 255 bytes, with what a provider puts around it
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_ESCAPED: Final = re.compile("_([0-9a-f]{2})")
_ROLE: Final = "threadkeep"


def session_id(stream: str) -> str:
    """The id of the session that holds a stream.

    Safe as a file name and in keys, and distinct where a store ignores case or final blanks.
    """
    escaped_name = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"_{byte:02x}" for byte in stream.encode()
    )
    if len(escaped_name) <= _MAX_LENGTH:
        return _PREFIX + escaped_name
    return _HASHED + hashlib.sha256(stream.encode()).hexdigest()


def is_ours(session: object) -> bool:
    """Whether a session holds a stream; a provider may have other sessions, too."""
    return isinstance(session, str) and session.startswith((_PREFIX, _HASHED))


def stream_name(session: str) -> str | None:
    """The stream of a session's id; `None` = only its data tell."""
    if not session.startswith(_PREFIX):
        return None
    latin1_name = _ESCAPED.sub(
        lambda escape_match: chr(int(escape_match[1], 16)), session.removeprefix(_PREFIX)
    )
    try:
        return latin1_name.encode("latin-1").decode()
    except UnicodeError:
        return None


def encode(name: str, stream: Stream, now: float) -> dict[str, Any]:
    """The data of a session: the shape of Solace Agent Mesh's, with the stream as one entry.

    A provider may have a column for each key of that shape. All text is ASCII.
    """
    stream_json = json.dumps(
        {
            "stream": name,
            "version": stream.version,
            "seq": stream.seq,
            "expires": stream.expires,
            "ttl": stream.ttl,
            "token": stream.token,
            "token_version": stream.token_version,
            "records": [
                [record.kind, record.id, record.body, record.at, record.expires, record.seq]
                for record in stream.records()
            ],
        },
        separators=(",", ":"),
    )
    return {
        "history": [{"role": _ROLE, "content": stream_json}],
        "files": [],
        "summary": "",
        "last_active_time": now,
        "num_characters": len(stream_json),
        "num_turns": 1,
        "version": secrets.token_hex(16),
    }


def decode(session: str, data: object) -> tuple[str, Stream]:
    """The name and the content of a stream.

    Raises:
        CorruptRecord: the session holds something else.
    """
    try:
        (history_entry,) = data["history"]  # type: ignore[index]
        stream_fields = json.loads(history_entry["content"])
        stream_name, record_rows = str(stream_fields.pop("stream")), stream_fields.pop("records")
        stream = Stream(**stream_fields)
        for record_row in record_rows:
            stream.restore(Record(*record_row))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise CorruptRecord(
            f"the history provider's session {shown(session)} does not hold what threadkeep stored "
            "there: restore it, or delete it to begin anew"
        ) from error
    return stream_name, stream


def version(data: Mapping[str, Any] | None) -> str | None:
    """What `compare_and_set` has to expect."""
    return data.get("version") if data else None
