"""`threadkeep copy`: all of a store into another, of whatever kind."""

from __future__ import annotations

import os
from collections import Counter
from typing import Annotated, Final

import typer

from threadkeep import connect
from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import Namespace, Store, present
from threadkeep.core import copy_streams, names
from threadkeep.errors import ConfigError
from threadkeep.protocols import Backend

SOURCE_KEY: Final = "THREADKEEP_SOURCE_KEY"
TARGET_KEY: Final = "THREADKEEP_TARGET_KEY"
_WRONG: Final = {
    "differs": "is in the target with other content: left as it is",
    "unreadable": "has a record that cannot be read: changed, or written without this key",
    "lost": "is not what was written: the source changed meanwhile, or the target lost it",
}


def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="URL of the store to read.")],
    target: Annotated[str, typer.Argument(help="URL of the store to fill.")],
    namespace: Namespace = None,
) -> int:
    """Copy a store into another, of any kind: all namespaces, or one.

    Each record is compared after it was written. What the target has already is never changed; a
    copy that was broken off goes on when the command is repeated. Exit code 1 if a stream could
    not be copied because something else is there. Encrypted stores take their keys from
    THREADKEEP_SOURCE_KEY and THREADKEEP_TARGET_KEY.
    """
    before = context.obj or Store()
    if before != Store(namespace=before.namespace):
        raise ConfigError("copy takes its two stores as arguments, not as options before it")
    with connect(source) as mine, connect(target) as theirs:
        return _copied(present(mine), theirs, namespace or before.namespace)


def _copied(mine: Memory, theirs: Memory, namespace: str | None) -> int:
    source, target = _backend(mine, SOURCE_KEY), _backend(theirs, TARGET_KEY)
    prefix = "" if namespace is None else names.home(namespace)
    found = copy_streams.streams(source, prefix)
    ttl = theirs.engine.settings.ttl
    count: Counter[str] = Counter()
    done = copy_streams.copy(source, target, found, ttl=ttl)
    for one in output.progress(done, len(found), "streams"):
        count[one.outcome] += 1
        count["records"] += one.records
        if one.outcome in _WRONG:
            output.line(f"{one.stream!r} {_WRONG[one.outcome]}", err=True)
    failed = sum(count[outcome] for outcome in _WRONG)
    output.line(
        f"{count['copied']} streams copied with {count['records']} records and compared, "
        f"{count['there']} there already, {failed} not copied",
        err=True,
    )
    return int(failed > 0)


def _backend(memory: Memory, variable: str) -> Backend:
    """The store, opened with its keys if there are any; what they do not open is not copied."""
    backend, key = memory.engine.backend, os.environ.get(variable)
    if not key:
        return backend
    from threadkeep.backends.encrypted import EncryptedBackend  # takes an extra

    return EncryptedBackend(backend, key, strict=True)
