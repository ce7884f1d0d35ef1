"""Classifies errors of the system."""

from __future__ import annotations

import errno
from typing import Final

from threadkeep.backends.common.faults import Fault, FaultKind
from threadkeep.backends.file.locks import LockTimeout

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


_LOCKED: Final = Fault(
    FaultKind.TIMEOUT,
    "a stream was locked by others",
    "end what holds it (a process that was stopped?)",
)
ERRORS: Final = (OSError, LockTimeout)


def classify(error: Exception) -> Fault:
    """Classify an error of the system."""
    if not isinstance(error, OSError):
        return _LOCKED
    errno_name = errno.errorcode.get(error.errno or 0, "unknown")
    file_clause = f" at {error.filename}" if error.filename else ""
    remedy = _REMEDY.get(error.errno or 0, "see the system's manual on this error")
    return Fault(FaultKind.FATAL, f"{error.strerror} ({errno_name}){file_clause}", remedy)
