"""The folder: its marker file, the paths of streams, and listing them."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from threadkeep.backends.file.line_format import FORMAT
from threadkeep.core import cursor as cursors
from threadkeep.errors import BackendError

MARKER: Final = "threadkeep.json"
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
"""Of the user's own, whatever the umask: they hold what was said."""
_BINARY: Final = getattr(os, "O_BINARY", 0)
_NO_INHERIT: Final = getattr(os, "O_CLOEXEC", 0)
_READ: Final = os.O_RDONLY | _BINARY | _NO_INHERIT
_WRITE: Final = os.O_RDWR | os.O_APPEND | _BINARY | _NO_INHERIT


_LOG: Final = re.compile(r"[0-9a-f]{40}\.log")


def parse_cursor(cursor: object) -> str:
    """The name of the last listed file.

    Raises:
        InputError: the cursor is no such name.
    """
    if not isinstance(cursor, str) or not _LOG.fullmatch(cursor):
        raise cursors.invalid()
    return cursor


class Layout:
    """Paths `<folder>/<2 hex>/<40 hex>.log`: hashed names, valid on every file system."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.location = f"file store {folder}"

    def path(self, stream: str) -> str:
        """The path of a stream's log, whether or not it exists."""
        name = sha256(stream.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return f"{self.folder}/{name[:2]}/{name}.log"

    def prepare(self) -> None:
        """Create the folder and its marker if they are missing.

        Raises:
            BackendError: it belongs to another program or a newer threadkeep; it is untouched.
            OSError: from the system.
        """
        if not self._has_marker():
            _make_folder(Path(self.folder))
            if self._is_foreign() and not self._has_marker():
                raise self._foreign_error()
            self._write_marker()

    def walk(self, after: str = "") -> Iterator[tuple[str, str]]:
        """Yield every log after a name, as name and path, one subfolder at a time."""
        for subfolder in sorted(_names(self.folder)):
            if len(subfolder) == 2 and subfolder >= after[:2]:
                names = sorted(_names(f"{self.folder}/{subfolder}"))
                logs = (name for name in names if _LOG.fullmatch(name))
                for name in logs:
                    if name > after:
                        yield name, f"{self.folder}/{subfolder}/{name}"

    def describe(self) -> dict[str, str]:
        """Describe the folder without creating it."""
        if not self._has_marker():
            if self._is_foreign():
                raise self._foreign_error()
            return {"exists": "no"}
        streams = [path for _, path in self.walk()]
        files = (file for path in streams for file in (path, f"{path.removesuffix('.log')}.idx"))
        size = sum(map(_file_size, files))
        return {
            "exists": "yes",
            "streams": f"{len(streams):,}",
            "bytes": f"{size:,}",
            "schema": str(FORMAT),
        }

    def _foreign_error(self) -> BackendError:
        return BackendError(
            f"{self.location} holds other things and was left as it is: "
            "name an empty folder, or one that does not exist yet"
        )

    def _has_marker(self) -> bool:
        try:
            text = Path(self.folder, MARKER).read_text("utf-8")
        except FileNotFoundError:
            return False
        version = _parse_format(text)
        if version is None:
            raise BackendError(
                f"{self.location}: {MARKER} is damaged, and all was left as it is: "
                f'if this is a store of threadkeep, make it {{"threadkeep": {FORMAT}}} again'
            )
        if version > FORMAT:
            raise BackendError(
                f"{self.location} has format {version}, this threadkeep knows {FORMAT}: "
                "upgrade threadkeep"
            )
        return True

    def _is_foreign(self) -> bool:
        return any(not name.startswith(f"{MARKER}.") for name in _names(self.folder))

    def _write_marker(self) -> None:
        """Write the marker atomically; concurrent writers write the same content."""
        temporary = Path(self.folder, f"{MARKER}.{secrets.token_hex(4)}")
        try:
            with open(temporary, "w", encoding="utf-8", opener=open_private) as file:
                file.write(f'{{"threadkeep": {FORMAT}}}\n')
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(Path(self.folder, MARKER))
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(self.folder)


def open_log(path: str, *, write: bool = False, create: bool = False) -> int | None:
    """Open a log and return its descriptor; `None` = there is no such file."""
    flags = (_WRITE if write else _READ) | (os.O_CREAT if create else 0)
    try:
        return os.open(path, flags, PRIVATE_FILE)
    except FileNotFoundError:
        if not create:
            return None
    with suppress(FileExistsError):
        os.mkdir(os.path.dirname(path), PRIVATE_FOLDER)  # noqa: PTH102, PTH120 (the hot path has strings)
    return os.open(path, flags, PRIVATE_FILE)


def open_private(path: str, flags: int) -> int:
    """As `opener` of `open`: a new file is its user's own."""
    return os.open(path, flags, PRIVATE_FILE)


def same_file(fd: int, path: str) -> bool:
    """Return True if the path still refers to the open file."""
    try:
        current = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return False
    opened = os.fstat(fd)
    return opened.st_ino == current.st_ino and opened.st_dev == current.st_dev


def sync_folder(path: str) -> None:
    """Make file names in a folder survive a power cut; not possible on Windows."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_names(path: str) -> None:
    """Make the names of a new log and of its folder survive a power cut."""
    folder = os.path.dirname(path)  # noqa: PTH120
    sync_folder(folder)
    sync_folder(os.path.dirname(folder))  # noqa: PTH120


def remove(*paths: str) -> None:
    """Unlink files if they exist; files that others have open on Windows remain."""
    for path in paths:
        with suppress(FileNotFoundError, PermissionError):
            os.unlink(path)  # noqa: PTH108


def _make_folder(folder: Path) -> None:
    """Create a folder and its parents so that they survive a power cut."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    for path in missing:
        sync_folder(str(path.parent))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0


def _parse_format(text: str) -> int | None:
    try:
        version = json.loads(text)["threadkeep"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None
