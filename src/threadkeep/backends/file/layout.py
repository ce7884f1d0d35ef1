"""The folder: whose it is, where a stream lies in it, and how to meet all of them."""

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
_BINARY: Final = getattr(os, "O_BINARY", 0)
_NO_INHERIT: Final = getattr(os, "O_CLOEXEC", 0)
_READ: Final = os.O_RDONLY | _BINARY | _NO_INHERIT
_WRITE: Final = os.O_RDWR | os.O_APPEND | _BINARY | _NO_INHERIT


_LOG: Final = re.compile(r"[0-9a-f]{40}\.log")


def place(cursor: object) -> str:
    """The file that a walk was at.

    Raises:
        InputError: the cursor names none.
    """
    if not isinstance(cursor, str) or not _LOG.fullmatch(cursor):
        raise cursors.invalid()
    return cursor


class Layout:
    """`<folder>/<2 hex>/<40 hex>.log`: names by hash, so that any stream has one anywhere."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.where = f"file store {folder}"

    def path(self, stream: str) -> str:
        """Where a stream lies, if there is one."""
        name = sha256(stream.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return f"{self.folder}/{name[:2]}/{name}.log"

    def prepare(self) -> None:
        """Make the folder and its marker if they are missing.

        Raises:
            BackendError: it is somebody else's, or of a newer threadkeep; it is not touched.
            OSError: as the system says.
        """
        if not self._ours():
            _make(Path(self.folder))
            if self._foreign() and not self._ours():
                raise self._not_ours()
            self._mark()

    def walk(self, after: str = "") -> Iterator[tuple[str, str]]:
        """Where every stream lies, as a place to go on after and a path, one folder at a time."""
        for fan in sorted(_names(self.folder)):
            if len(fan) == 2 and fan >= after[:2]:
                names = sorted(_names(f"{self.folder}/{fan}"))
                logs = (name for name in names if _LOG.fullmatch(name))
                for name in logs:
                    if name > after:
                        yield name, f"{self.folder}/{fan}/{name}"

    def described(self) -> dict[str, str]:
        """Whether it is there, and what is in it; makes nothing."""
        if not self._ours():
            if self._foreign():
                raise self._not_ours()
            return {"exists": "no"}
        streams = [path for _, path in self.walk()]
        files = (file for path in streams for file in (path, f"{path.removesuffix('.log')}.idx"))
        size = sum(map(_size, files))
        return {
            "exists": "yes",
            "streams": f"{len(streams):,}",
            "bytes": f"{size:,}",
            "schema": str(FORMAT),
        }

    def _not_ours(self) -> BackendError:
        return BackendError(
            f"{self.where} holds other things and was left as it is: "
            "name an empty folder, or one that is still to be made"
        )

    def _ours(self) -> bool:
        try:
            text = Path(self.folder, MARKER).read_text("utf-8")
        except FileNotFoundError:
            return False
        known = _format(text)
        if known is None:
            raise BackendError(
                f"{self.where}: {MARKER} is damaged, and all was left as it is: "
                f'if this is a store of threadkeep, make it {{"threadkeep": {FORMAT}}} again'
            )
        if known > FORMAT:
            raise BackendError(
                f"{self.where} has format {known}, this threadkeep knows {FORMAT}: "
                "upgrade threadkeep"
            )
        return True

    def _foreign(self) -> bool:
        return any(not name.startswith(f"{MARKER}.") for name in _names(self.folder))

    def _mark(self) -> None:
        """Put the marker in place whole: two that do so at once write the same."""
        fresh = Path(self.folder, f"{MARKER}.{secrets.token_hex(4)}")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(f'{{"threadkeep": {FORMAT}}}\n')
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(Path(self.folder, MARKER))
        finally:
            fresh.unlink(missing_ok=True)
        sync_folder(self.folder)


def open_log(path: str, *, write: bool = False, create: bool = False) -> int | None:
    """A descriptor; `None` = there is no such file."""
    flags = (_WRITE if write else _READ) | (os.O_CREAT if create else 0)
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        if not create:
            return None
    with suppress(FileExistsError):
        os.mkdir(os.path.dirname(path))  # noqa: PTH102, PTH120 (the hot path has strings)
    return os.open(path, flags, 0o666)


def same_file(fd: int, path: str) -> bool:
    """Does the path still lead to the file that is open?"""
    try:
        now = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return False
    mine = os.fstat(fd)
    return mine.st_ino == now.st_ino and mine.st_dev == now.st_dev


def sync_folder(path: str) -> None:
    """Make names in a folder survive a power cut, where the system lets us (Windows does not)."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_names(path: str) -> None:
    """Make the name of a new log survive, and that of its folder, whoever made it just now."""
    folder = os.path.dirname(path)  # noqa: PTH120
    sync_folder(folder)
    sync_folder(os.path.dirname(folder))  # noqa: PTH120


def remove(*paths: str) -> None:
    """Unlink files that may be there; what others hold open on Windows stays."""
    for path in paths:
        with suppress(FileNotFoundError, PermissionError):
            os.unlink(path)  # noqa: PTH108


def _make(folder: Path) -> None:
    """Make a folder, and those it lies in, so that they survive a power cut."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync_folder(str(one.parent))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0


def _format(text: str) -> int | None:
    try:
        known = json.loads(text)["threadkeep"]
    except (ValueError, KeyError, TypeError):
        return None
    return known if isinstance(known, int) else None
