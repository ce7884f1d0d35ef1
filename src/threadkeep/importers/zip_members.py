"""Opens a member of a zip; whatever is wrong with the zip is one error, which an import names."""

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final, cast

from threadkeep.errors import InputError

_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)
"""What `zipfile` raises for a zip that is damaged, or packed in a way it does not know."""


@contextmanager
def zip_errors() -> Iterator[None]:
    """Name what is wrong with a zip, so that only this part of an import is passed over."""
    try:
        yield
    except _ERRORS as error:
        raise InputError(f"the zip is damaged: {error}") from error


def opened_member(path: Path, member: zipfile.ZipInfo) -> IO[bytes]:
    """The bytes of a member, unpacked as they are read; closing it closes the zip.

    Raises:
        InputError: the zip is damaged, also from a later read.
    """
    with zip_errors(), ExitStack() as on_failure:
        archive = on_failure.enter_context(zipfile.ZipFile(path))
        zip_member = _Member(archive, archive.open(member), member.file_size)
        on_failure.pop_all()
        return cast("IO[bytes]", zip_member)


class _Member(io.BufferedIOBase):
    """A member of a zip; more than it says to hold is never read."""

    def __init__(self, archive: zipfile.ZipFile, stream: IO[bytes], limit: int) -> None:
        self._archive, self._stream, self._limit = archive, stream, limit

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        with zip_errors():
            return self._stream.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        with zip_errors():
            chunk = self._stream.read(-1 if size is None else size)
        if self._stream.tell() > self._limit:
            raise InputError("a member of the zip is larger than it says")
        return chunk

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._archive.close()
        super().close()
