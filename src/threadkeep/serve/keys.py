"""The file of keys: JSON lines `{"user", "sha256", "scopes"}`, made by `threadkeep serve keys`."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from starlette.requests import HTTPConnection

from threadkeep.core.user_id import user_id
from threadkeep.errors import ConfigError
from threadkeep.printable import shown
from threadkeep.serve.principal import SCOPES, Principal, bearer, new_key

_MAX_BYTES: Final = 64_000_000
_FIELDS: Final = {"user", "sha256", "scopes"}
_DIGEST_LENGTH: Final = 64
_MAX_KEY_LENGTH: Final = 512

_Stamp = tuple[int, int, int, int]


class KeyEntry(NamedTuple):
    """One line of the file."""

    digest: str
    principal: Principal


class KeyFile:
    """Keys of users, read again whenever the file changes.

    Args:
        path: the file; only its owner may read or write it.

    Raises:
        ConfigError: others may read the file, or a line is not of its form.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._entries: list[KeyEntry] = []
        self.entries()

    def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The principal of the key that a request brings."""
        api_key = bearer(connection.headers)
        return None if api_key is None or len(api_key) > _MAX_KEY_LENGTH else self.find(api_key)

    def find(self, key: str) -> Principal | None:
        """The principal of a key; all entries are compared, in constant time each."""
        key_digest = digest_of(key)
        principal: Principal | None = None
        for key_entry in self.entries():
            if hmac.compare_digest(key_entry.digest, key_digest):
                principal = key_entry.principal
        return principal

    def entries(self) -> list[KeyEntry]:
        """The entries as the file has them now.

        Raises:
            ConfigError: the file is not as it must be; then no key is valid.
        """
        with self._lock:
            file_stamp = _stamp(self._path)
            if file_stamp != self._stamp:
                self._entries, self._stamp = [], None
                self._entries, self._stamp = _read(self._path), file_stamp
            return self._entries


def add_key(path: str | os.PathLike[str], user: str, scopes: Sequence[str]) -> str:
    """Make a key for a user, append its digest to the file, and return the key.

    Raises:
        ConfigError: a scope is unknown, or others may read the file.
    """
    principal = Principal(user_id(user), _scopes(list(scopes), "scopes"))
    api_key = new_key()
    key_entry = {
        "user": principal.user,
        "sha256": digest_of(api_key),
        "scopes": [scope for scope in SCOPES if scope in principal.scopes],
    }
    open_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    descriptor = os.open(path, open_flags, 0o600)
    try:
        _check_mode(Path(path), os.fstat(descriptor))
        os.write(descriptor, f"{json.dumps(key_entry)}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return api_key


def digest_of(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal; keys are random, so that no salt is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp(path: Path) -> _Stamp:
    try:
        file_status = path.stat()
    except OSError as error:
        raise ConfigError(f"keys: {path}: {error.strerror}") from error
    _check_mode(path, file_status)
    return file_status.st_mtime_ns, file_status.st_size, file_status.st_ino, file_status.st_ctime_ns


def _check_mode(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"keys: {path} is not a file")
    if os.name == "posix" and status.st_mode & 0o077:
        raise ConfigError(f"keys: {path} can be read or written by others: chmod 600 {path}")
    if status.st_size > _MAX_BYTES:
        raise ConfigError(f"keys: {path} is larger than {_MAX_BYTES:,} bytes")


def _read(path: Path) -> list[KeyEntry]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"keys: {path} cannot be read: {type(error).__name__}") from error
    return [
        _entry(line, f"keys: line {line_number} of {path}")
        for line_number, line in enumerate(lines, 1)
        if line.strip()
    ]


def _entry(line: str, location: str) -> KeyEntry:
    """The entry of a line; errors never repeat it."""
    try:
        raw_entry: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{location} is not JSON") from error
    if not isinstance(raw_entry, dict) or set(raw_entry) != _FIELDS:
        raise ConfigError(f"{location} must be an object with user, sha256 and scopes")
    digest = raw_entry["sha256"]
    if not isinstance(digest, str) or len(digest) != _DIGEST_LENGTH or not _is_hex(digest):
        raise ConfigError(f"{location}: sha256 must be 64 hexadecimal digits")
    if not isinstance(raw_entry["user"], str):
        raise ConfigError(f"{location}: user must be a str")
    return KeyEntry(
        digest.lower(),
        Principal(user_id(raw_entry["user"]), _scopes(raw_entry["scopes"], location)),
    )


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in text)


def _scopes(scopes: object, location: str) -> frozenset[str]:
    if not isinstance(scopes, list) or not scopes:
        raise ConfigError(f"{location}: scopes must be a list of {', '.join(SCOPES)}")
    unknown_scopes = [scope for scope in scopes if scope not in SCOPES]
    if unknown_scopes:
        raise ConfigError(
            f"{location}: unknown scope {shown(unknown_scopes[0])}; known: {', '.join(SCOPES)}"
        )
    return frozenset(scopes)
