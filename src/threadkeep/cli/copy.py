"""`threadkeep copy`: copy a store into another one of any kind."""

from __future__ import annotations

import os
from collections import Counter
from typing import Annotated, Final

import typer

from threadkeep import connect
from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import Namespace, StoreOptions, require_existing
from threadkeep.core import copy_streams, names
from threadkeep.core.clock import StoreClock
from threadkeep.errors import ConfigError
from threadkeep.printable import counted, shown
from threadkeep.protocols import Backend

SOURCE_KEY: Final = "THREADKEEP_SOURCE_KEY"
TARGET_KEY: Final = "THREADKEEP_TARGET_KEY"
_PROBLEMS: Final = {
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
    copy that was interrupted continues when the command is repeated. Exit code 1 if a stream could
    not be copied because something else is there. Encrypted stores take their keys from
    THREADKEEP_SOURCE_KEY and THREADKEEP_TARGET_KEY.
    """
    options = context.obj or StoreOptions()
    if options != StoreOptions(namespace=options.namespace):
        raise ConfigError("copy takes its two stores as arguments, not as options before it")
    with connect(source) as source_memory, connect(target) as target_memory:
        return _copy_all(
            require_existing(source_memory), target_memory, namespace or options.namespace
        )


def _copy_all(source_memory: Memory, target_memory: Memory, namespace: str | None) -> int:
    source_backend = _opened_backend(source_memory, SOURCE_KEY)
    target_backend = _opened_backend(target_memory, TARGET_KEY)
    prefix = "" if namespace is None else names.namespace_prefix(namespace)
    stream_names = copy_streams.stream_names(source_backend, prefix)
    ttl = target_memory._engine.settings.ttl
    counts: Counter[str] = Counter()
    copies = copy_streams.copy(
        source_backend,
        target_backend,
        stream_names,
        ttl=ttl,
        clock=StoreClock(lambda: target_backend).now,
    )
    for stream_copy in output.progress(copies, len(stream_names), "streams"):
        counts[stream_copy.outcome] += 1
        counts["records"] += stream_copy.records
        if stream_copy.outcome in _PROBLEMS:
            output.print_line(
                f"{shown(stream_copy.stream)} {_PROBLEMS[stream_copy.outcome]}", err=True
            )
    failures = sum(counts[outcome] for outcome in _PROBLEMS)
    output.print_line(
        f"{counted(counts['copied'], 'stream')} copied with "
        f"{counted(counts['records'], 'record')} and compared, "
        f"{counts['there']} there already, {failures} not copied",
        err=True,
    )
    return int(failures > 0)


def _opened_backend(memory: Memory, variable: str) -> Backend:
    """The backend, decrypted if the variable holds keys; other records are not copied."""
    backend, encryption_key = memory._engine.backend, os.environ.get(variable)
    if not encryption_key:
        return backend
    from threadkeep.backends.encrypted import EncryptedBackend  # takes an extra

    return EncryptedBackend(backend, encryption_key, strict=True)
