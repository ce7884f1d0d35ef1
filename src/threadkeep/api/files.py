"""Metadata of the files that belong to a session; never their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from threadkeep.core import item_codec, names
from threadkeep.core.engine import Engine, async_twin
from threadkeep.core.redaction import redacted_file
from threadkeep.errors import InputError
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, File, Query
from threadkeep.types.timestamps import moment, when


class Files:
    """The files of a session, one by url, else by name; `session.files`."""

    def __init__(self, engine: Engine, door: SessionStream) -> None:
        self.engine = engine
        self._door = door

    def add(self, file: Mapping[str, Any] | File) -> File:
        """Store what is known of a file; a file of the same url (else name) is updated.

        Args:
            file: `url` or `name`, and any other JSON; `expiration_timestamp` (epoch seconds,
                ISO 8601 or a datetime) is when it vanishes.

        Raises:
            InputError: it has neither url nor name, or something in it is not JSON.
            NotOwner: the session belongs to another user.
        """
        stored = redacted_file(self.engine, _file(file))
        now = self.engine.now()
        self._door.write([item_codec.file_record(stored, now)])
        return replace(stored, created_at=moment(now))

    def list(self) -> list[File]:
        """The files that have not expired, in the order they were first added."""
        records = self._door.look(Query(self._door.stream, "file")).pages[0].records
        return [file for record in records if (file := item_codec.read_file(record)) is not None]

    def remove(self, id: str) -> None:
        """Forget a file by its id (its url, else its name); one that is not there is no error."""
        key = names.key(names.check(id, "file id"))

        def step() -> None:
            seen = self._door.look()
            if seen.info is not None:
                self._door.change(seen, drop=[Drop("file", [key])])

        self._door.settle(step)

    aadd = async_twin(add)
    alist = async_twin(list)
    aremove = async_twin(remove)


def _file(given: Mapping[str, Any] | File) -> File:
    if isinstance(given, File):
        given = given.to_dict()
    if not isinstance(given, Mapping):
        raise InputError(f"file must be a dict, got {type(given).__name__}")
    data = {key: value for key, value in given.items() if value is not None}
    url, name = (_text(data.pop(key, None), key) for key in ("url", "name"))
    id = url or name
    if id is None:
        raise InputError("file needs a url or a name; the one it has is its id")
    expiry = data.pop("expiration_timestamp", None)
    expires = None if expiry is None else when(expiry, "file.expiration_timestamp")
    return File(id, url, name, data, expires_at=expires)


def _text(value: object, key: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InputError(f"file.{key} must be a str, got {type(value).__name__}")
    return value or None
