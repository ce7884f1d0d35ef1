"""Metadata of the files that belong to a session; never their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from threadkeep.core import file_codec, names
from threadkeep.core.async_twin import async_twin
from threadkeep.core.call_limit import reads
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_file
from threadkeep.core.suggestions import name_unknown_attributes
from threadkeep.core.wrong_calls import explain_wrong_calls
from threadkeep.errors import InputError
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, File, Query
from threadkeep.types.timestamps import parse_time, utc_datetime


@name_unknown_attributes
@explain_wrong_calls
class Files:
    """The files of a session, one by url, else by name; `session.files`."""

    def __init__(self, engine: Engine, stream: SessionStream) -> None:
        self._engine = engine
        self._stream = stream

    def add(self, file: Mapping[str, Any] | File) -> File:
        """Store metadata of a file; a file with the same url (else name) is updated.

        Args:
            file: `url` or `name`, and any other JSON; `expiration_timestamp` (epoch seconds,
                ISO 8601 or a datetime) is when it vanishes.

        Raises:
            InputError: it has neither url nor name, or something in it is not JSON.
            NotOwner: the session belongs to another user.
        """
        stored_file = redacted_file(self._engine, _file(file))
        now = self._engine.now()
        self._stream.append([file_codec.file_record(stored_file, now)])
        return replace(stored_file, created_at=utc_datetime(now))

    @reads
    def list(self) -> list[File]:
        """The files that have not expired, in the order they were first added."""
        records = self._stream.read(Query(self._stream.stream_name, "file")).pages[0].records
        return [file for record in records if (file := file_codec.read_file(record)) is not None]

    def remove(self, id: str) -> None:
        """Forget a file by its id (its url, else its name); one that is not there is no error."""
        record_key = names.key(names.check(id, "file id"))

        def step() -> None:
            snapshot = self._stream.read()
            if snapshot.info is not None:
                self._stream.compare_and_set(snapshot, drop=[Drop("file", [record_key])])

        self._stream.retry(step)

    aadd = async_twin(add)
    alist = async_twin(list)
    aremove = async_twin(remove)


def _file(file: Mapping[str, Any] | File) -> File:
    raw_fields = file.to_dict() if isinstance(file, File) else file
    if not isinstance(raw_fields, Mapping):
        raise InputError(f"file must be a dict, got {type(raw_fields).__name__}")
    file_fields = {key: value for key, value in raw_fields.items() if value is not None}
    url, name = (_text(file_fields.pop(key, None), key) for key in ("url", "name"))
    file_id = url or name
    if file_id is None:
        raise InputError("file needs a url or a name; the one it has is its id")
    raw_expiry = file_fields.pop("expiration_timestamp", None)
    expires_at = None if raw_expiry is None else parse_time(raw_expiry, "file.expiration_timestamp")
    return File(file_id, url, name, file_fields, expires_at=expires_at)


def _text(value: object, key: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InputError(f"file.{key} must be a str, got {type(value).__name__}")
    return value or None
