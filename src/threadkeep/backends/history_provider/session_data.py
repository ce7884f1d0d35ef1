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
    name = "".join(chr(byte) if chr(byte) in _PLAIN else f"_{byte:02x}" for byte in stream.encode())
    if len(name) <= _MAX_LENGTH:
        return _PREFIX + name
    return _HASHED + hashlib.sha256(stream.encode()).hexdigest()


def is_ours(session: object) -> bool:
    """Whether a session holds a stream; a provider may have other sessions, too."""
    return isinstance(session, str) and session.startswith((_PREFIX, _HASHED))


def stream_name(session: str) -> str | None:
    """The stream of a session's id; `None` = only its data tell."""
    if not session.startswith(_PREFIX):
        return None
    encoded = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), session.removeprefix(_PREFIX))
    try:
        return encoded.encode("latin-1").decode()
    except UnicodeError:
        return None


def encode(name: str, stream: Stream, now: float) -> dict[str, Any]:
    """The data of a session: the shape of Solace Agent Mesh's, with the stream as one entry.

    A provider may have a column for each key of that shape. All text is ASCII.
    """
    text = json.dumps(
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
        "history": [{"role": _ROLE, "content": text}],
        "files": [],
        "summary": "",
        "last_active_time": now,
        "num_characters": len(text),
        "num_turns": 1,
        "version": secrets.token_hex(16),
    }


def decode(session: str, data: object) -> tuple[str, Stream]:
    """The name and the content of a stream.

    Raises:
        CorruptRecord: the session holds something else.
    """
    try:
        (entry,) = data["history"]  # type: ignore[index]
        fields = json.loads(entry["content"])
        name, records = str(fields.pop("stream")), fields.pop("records")
        stream = Stream(**fields)
        for record in records:
            stream.restore(Record(*record))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise CorruptRecord(
            f"the history provider's session {shown(session)} does not hold what threadkeep stored "
            "there: restore it, or delete it to begin anew"
        ) from error
    return name, stream


def version(data: Mapping[str, Any] | None) -> str | None:
    """What `compare_and_set` has to expect."""
    return data.get("version") if data else None
