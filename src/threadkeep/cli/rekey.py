"""`threadkeep rekey`: an encrypted store under a new key."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import KEY, present
from threadkeep.core import names
from threadkeep.errors import ConfigError


def rekey(
    memory: Memory,
    every: Annotated[bool, typer.Option("--all", help="All namespaces there are.")] = False,
) -> int:
    """Put a store under the first key of THREADKEEP_KEY; the others only read.

    Afterwards the old keys are not needed any more. May be broken off and repeated, and
    applications that know all the keys may go on meanwhile. A store without encryption is
    encrypted: end the applications that write to it before.
    """
    if not os.environ.get(KEY):
        raise ConfigError(f"{KEY} must hold the new key, a comma, and the keys in use until now")
    from threadkeep.backends.encrypted import EncryptedBackend, rekey  # takes an extra

    backend = present(memory).engine.backend
    assert isinstance(backend, EncryptedBackend)  # noqa: S101 - by the key
    prefix = "" if every else names.home(memory.engine.settings.namespace)
    done = list(rekey(backend, prefix))
    unreadable = [one for one in done if one.unreadable]
    for one in unreadable:
        output.line(f"{one.stream!r}: {one.unreadable} records cannot be read, left as they are")
    renewed, current = sum(one.renewed for one in done), sum(one.current for one in done)
    output.line(
        f"{renewed} records under key {backend.ring.first.name} now, {current} already were"
    )
    if any(one.encrypted for one in done):
        places = "; ".join(memory.purge())
        output.line(f"the store was plain text until now; where that may be left: {places}")
    return int(bool(unreadable))
