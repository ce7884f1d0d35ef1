"""Maps system errors to threadkeep errors that name the file and a remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from threadkeep.backends.file.locks import LockTimeout
from threadkeep.errors import BackendError, BackendTimeout

_WRITABLE: Final = "allow this user to read and write the folder and all that is in it"
_REMEDY: Final = {
    errno.ENOSPC: "free space on the disk",
    errno.EFBIG: "raise the limit for the size of files (`ulimit -f`)",
    errno.EDQUOT: "raise the quota, or delete what is not needed",
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
    errno.EROFS: "mount the disk for writing, or name a folder elsewhere",
    errno.ENOTDIR: "name a folder, not a file",
    errno.EEXIST: "name a folder, not a file",
    errno.ENOENT: "the folder went away: create it again, or open a new backend",
    errno.EMFILE: "raise the limit for open files (`ulimit -n`)",
    errno.ENFILE: "the whole system has too many files open: end what holds them",
    errno.EIO: "look at the disk: it fails",
    errno.ENOLCK: "put the folder on a local disk: this one cannot lock files",
    errno.EOPNOTSUPP: "put the folder on a local disk: this one cannot lock files",
}


@contextmanager
def map_errors(location: str, timeout: float) -> Iterator[None]:
    """Raise `BackendError` or `BackendTimeout` instead of the system's errors."""
    try:
        yield
    except OSError as error:
        raise _map_error(error, location) from error
    except LockTimeout:
        raise BackendTimeout(
            f"{location}: a stream was locked by others for more than {timeout:g} s: "
            "end what holds it (a process that was stopped?), or raise `timeout`"
        ) from None


def _map_error(error: OSError, location: str) -> BackendError:
    name = errno.errorcode.get(error.errno or 0, "unknown")
    file = f" at {error.filename}" if error.filename else ""
    remedy = _REMEDY.get(error.errno or 0, "see the system's manual on this error")
    return BackendError(f"{location}: {error.strerror} ({name}){file}: {remedy}")
