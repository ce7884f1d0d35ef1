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
        stream_hash = sha256(stream.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return f"{self.folder}/{stream_hash[:2]}/{stream_hash}.log"

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
                file_names = sorted(_names(f"{self.folder}/{subfolder}"))
                log_names = (file_name for file_name in file_names if _LOG.fullmatch(file_name))
                for file_name in log_names:
                    if file_name > after:
                        yield file_name, f"{self.folder}/{subfolder}/{file_name}"

    def describe(self) -> dict[str, str]:
        """Describe the folder without creating it."""
        if not self._has_marker():
            if self._is_foreign():
                raise self._foreign_error()
            return {"exists": "no"}
        log_paths = [log_path for _, log_path in self.walk()]
        file_paths = (
            file_path
            for log_path in log_paths
            for file_path in (log_path, f"{log_path.removesuffix('.log')}.idx")
        )
        total_bytes = sum(map(_file_size, file_paths))
        return {
            "exists": "yes",
            "streams": f"{len(log_paths):,}",
            "bytes": f"{total_bytes:,}",
            "schema": str(FORMAT),
        }

    def _foreign_error(self) -> BackendError:
        return BackendError(
            f"{self.location} holds other things and was left as it is: "
            "name an empty folder, or one that does not exist yet"
        )

    def _has_marker(self) -> bool:
        try:
            marker_text = Path(self.folder, MARKER).read_text("utf-8")
        except FileNotFoundError:
            return False
        format_version = _parse_format(marker_text)
        if format_version is None:
            raise BackendError(
                f"{self.location}: {MARKER} is damaged, and all was left as it is: "
                f'if this is a store of threadkeep, make it {{"threadkeep": {FORMAT}}} again'
            )
        if format_version > FORMAT:
            raise BackendError(
                f"{self.location} has format {format_version}, this threadkeep knows {FORMAT}: "
                "upgrade threadkeep"
            )
        return True

    def _is_foreign(self) -> bool:
        return any(not file_name.startswith(f"{MARKER}.") for file_name in _names(self.folder))

    def _write_marker(self) -> None:
        """Write the marker atomically; concurrent writers write the same content."""
        temporary_path = Path(self.folder, f"{MARKER}.{secrets.token_hex(4)}")
        try:
            with open(temporary_path, "w", encoding="utf-8", opener=open_private) as file:
                file.write(f'{{"threadkeep": {FORMAT}}}\n')
                file.flush()
                os.fsync(file.fileno())
            temporary_path.replace(Path(self.folder, MARKER))
        finally:
            temporary_path.unlink(missing_ok=True)
        sync_folder(self.folder)


def open_log(path: str, *, write: bool = False, create: bool = False) -> int | None:
    """Open a log and return its descriptor; `None` = there is no such file."""
    open_flags = (_WRITE if write else _READ) | (os.O_CREAT if create else 0)
    try:
        return os.open(path, open_flags, PRIVATE_FILE)
    except FileNotFoundError:
        if not create:
            return None
    with suppress(FileExistsError):
        os.mkdir(os.path.dirname(path), PRIVATE_FOLDER)  # noqa: PTH102, PTH120 (the hot path has strings)
    return os.open(path, open_flags, PRIVATE_FILE)


def open_private(path: str, flags: int) -> int:
    """As `opener` of `open`: a new file is its user's own."""
    return os.open(path, flags, PRIVATE_FILE)


def same_file(fd: int, path: str) -> bool:
    """Return True if the path still refers to the open file."""
    try:
        path_stat = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return False
    descriptor_stat = os.fstat(fd)
    return descriptor_stat.st_ino == path_stat.st_ino and descriptor_stat.st_dev == path_stat.st_dev


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
    missing_folders = [
        folder_path for folder_path in (folder, *folder.parents) if not folder_path.exists()
    ]
    folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    for folder_path in missing_folders:
        sync_folder(str(folder_path.parent))


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
        format_version = json.loads(text)["threadkeep"]
    except (ValueError, KeyError, TypeError):
        return None
    return format_version if isinstance(format_version, int) else None
