"""What a path holds: a file, the files of a folder, or the members of a zip; nothing is unpacked.

A document is read from where it is. No path inside of a zip is ever written to, and how much a zip
may grow is bounded.
"""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final, NamedTuple

from threadkeep.errors import ConfigError, InputError
from threadkeep.importers.values import Skip
from threadkeep.importers.zip_members import opened_member, zip_errors
from threadkeep.printable import shown

MAX_RATIO: Final = 200
"""How many times its packed size a member of a zip may be; texts pack to a tenth."""

MAX_TOTAL: Final = 16 * 2**30
"""Bytes of all members of a zip that are read."""

MAX_MEMBERS: Final = 100_000
_SMALL: Final = 10 * 2**20  # bytes that no ratio forbids
_SUFFIXES: Final = (
    ".json",
    ".jsonl",
    ".ndjson",
    ".db",
    ".sqlite",
    ".sqlite3",
    ".af",
    ".zip",
    ".pkl",
    ".pickle",
)


class SourceDocument(NamedTuple):
    """Something to be read.

    Attributes:
        label: as errors name it.
        path: of the file; that of the zip for a member.
        size: bytes.
        open: opens it for reading, any number of times.
    """

    label: str
    path: Path
    size: int
    open: Callable[[], IO[bytes]]

    @property
    def name(self) -> str:
        """The name without folders."""
        return self.label.rpartition("/")[2]


def documents(path: Path, skip: Skip) -> Iterator[SourceDocument]:
    """The documents at a path, in the order of their names.

    Raises:
        ConfigError: there is nothing at the path.
    """
    if _is_dir(path):
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.is_symlink():
                yield from _in_folder(file, path, skip)
        return
    if not path.is_file():
        raise ConfigError(f"there is no file or folder {_named(path)} to import from")
    yield from _file(path, path.name, skip)


def _named(path: Path) -> str:
    """A path as an error may name it: a URL that is written wrong may hold a password."""
    if ":" in str(path).rpartition("@")[0]:
        return "of this name (a URL begins with its scheme and ://)"
    return shown(str(path))


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # as for a name that is too long
        raise ConfigError(f"cannot import from {shown(str(path))}: {error.strerror}") from error


def _in_folder(file: Path, folder: Path, skip: Skip) -> Iterator[SourceDocument]:
    relative_path = file.relative_to(folder).as_posix()
    if file.suffix.lower() in _SUFFIXES or not file.suffix:
        yield from _file(file, relative_path, skip)


def _file(path: Path, label: str, skip: Skip) -> Iterator[SourceDocument]:
    if zipfile.is_zipfile(path):
        yield from _members(path, skip)
        return
    try:
        size = path.stat().st_size
    except OSError as error:  # it is gone meanwhile
        skip(label, f"it cannot be read: {error}")
    else:
        yield SourceDocument(label, path, size, partial(_opened_file, path))


def _members(path: Path, skip: Skip) -> Iterator[SourceDocument]:
    total_bytes = 0
    try:
        with zip_errors(), zipfile.ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
    except InputError as error:
        skip(path.name, str(error))
        return
    if len(members) > MAX_MEMBERS:
        skip(path.name, f"the zip has more than {MAX_MEMBERS:,} members")
        return
    for member in members:
        if member.is_dir() or not member.filename.lower().endswith((".json", ".jsonl", ".ndjson")):
            continue
        label = f"{path.name}/{member.filename}"
        total_bytes += member.file_size
        if (obstacle := _obstacle(member, total_bytes)) is not None:
            skip(label, obstacle)
            continue
        yield SourceDocument(label, path, member.file_size, partial(opened_member, path, member))


def _obstacle(member: zipfile.ZipInfo, total_bytes: int) -> str | None:
    if member.flag_bits & 1:
        return "the member is encrypted: unpack it first"
    if member.file_size > _SMALL and member.file_size > MAX_RATIO * member.compress_size:
        return f"the member grows more than {MAX_RATIO} times: no text does"
    if total_bytes > MAX_TOTAL:
        return f"the zip holds more than {MAX_TOTAL:,} bytes: unpack it, and import the folder"
    return None


def _opened_file(path: Path) -> IO[bytes]:
    return path.open("rb")


@contextmanager
def opened(document: SourceDocument) -> Iterator[IO[bytes]]:
    """The document's bytes, closed at the end."""
    document_file = document.open()
    try:
        yield document_file
    finally:
        document_file.close()
