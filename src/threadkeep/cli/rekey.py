"""`threadkeep rekey`: re-encrypt a store with a new key."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import require_existing
from threadkeep.config.setting_options import KEY_VARIABLE
from threadkeep.core import names
from threadkeep.core.clock import StoreClock
from threadkeep.errors import ConfigError
from threadkeep.printable import counted, shown


def rekey(
    memory: Memory,
    all_namespaces: Annotated[bool, typer.Option("--all", help="All namespaces.")] = False,
) -> int:
    """Put a store under the first key of THREADKEEP_KEY; the others only read.

    Afterwards the old keys are not needed any more. It may be interrupted and repeated, and
    applications that know all the keys may go on meanwhile. A store without encryption is
    encrypted: end the applications that write to it before.
    """
    if not os.environ.get(KEY_VARIABLE):
        raise ConfigError(
            f"{KEY_VARIABLE} must hold the new key, a comma, and the keys in use until now"
        )
    from threadkeep.backends.encrypted import EncryptedBackend, rekey  # takes an extra

    backend = require_existing(memory)._engine.backend
    assert isinstance(backend, EncryptedBackend)  # noqa: S101 - by the key
    stream_prefix = (
        "" if all_namespaces else names.namespace_prefix(memory._engine.settings.namespace)
    )
    reports = list(rekey(backend, stream_prefix, clock=StoreClock(lambda: backend).now))
    problem_reports = [report for report in reports if report.unreadable]
    for report in problem_reports:
        output.print_line(
            f"{shown(report.stream)}: {counted(report.unreadable, 'record')} cannot be read, "
            "left as before"
        )
    renewals = sum(report.renewed for report in reports)
    current = sum(report.current for report in reports)
    output.print_line(
        f"{counted(renewals, 'record')} under key {backend.ring.first.name} now, {current} already "
        "were"
    )
    if any(report.encrypted for report in reports):
        locations = "; ".join(memory.purge())
        output.print_line(
            f"the store was plain text until now; where that may be left: {locations}"
        )
    return int(bool(problem_reports))
