"""`threadkeep watch`: stores what Claude Code and Codex say, while they say it."""

from __future__ import annotations

import time
from pathlib import Path as FilePath
from typing import Annotated, Final

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.import_foreign import print_skipped
from threadkeep.errors import BackendError
from threadkeep.importers import ImportReport, Watcher, redact_secrets
from threadkeep.printable import counted

_MAX_DELAY: Final = 60.0  # seconds between tries while the store does not answer


Folders = Annotated[
    list[FilePath] | None,
    typer.Argument(
        help="Folders of transcripts [default: those of Claude Code and Codex].",
        metavar="[FOLDER]...",
        show_default=False,
    ),
]
User = Annotated[str | None, typer.Option(help="Whose sessions they become.")]
Once = Annotated[bool, typer.Option("--once", help="Read what is there, and leave.")]
Interval = Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between two looks.")]
NoRedact = Annotated[
    bool, typer.Option("--no-redact", help="Store keys, tokens and passwords as they are.")
]
State = Annotated[
    FilePath | None,
    typer.Option(help="The file that keeps how far each was read.", dir_okay=False),
]


def watch(
    memory: Memory,
    folders: Folders = None,
    user: User = None,
    once: Once = False,
    interval: Interval = 2.0,
    no_redact: NoRedact = False,
    state: State = None,
) -> int:
    """Follow the transcripts of Claude Code and Codex, and store what is appended.

    Nothing is stored twice, also after it was stopped and started again. Ctrl-C stops it. Keys,
    tokens and passwords of known shapes are taken out.
    """
    redactor = None if no_redact else redact_secrets
    watcher = Watcher(memory, folders or None, user=user, redactor=redactor, state=state)
    if once:
        report = watcher.poll()
        _print_report(report)
        return int(report.skipped_count > 0)
    for folder in watcher.folders:
        output.print_line(f"watching {folder}", err=True)
    try:
        _follow(watcher, interval)
    except KeyboardInterrupt:
        output.print_line("stopped", err=True)
    return 0


def _follow(watcher: Watcher, interval: float) -> None:
    delay = interval
    while True:
        try:
            report = watcher.poll()
        except BackendError as error:
            output.print_line(f"{error}; trying again", err=True)
            delay = min(2 * delay, _MAX_DELAY)
        else:
            delay = interval
            if report.messages or report.skipped_count:
                _print_report(report)
        time.sleep(delay)


def _print_report(report: ImportReport) -> None:
    print_skipped(report)
    output.print_line(
        f"{counted(report.messages, 'message')} in {counted(report.sessions, 'session')} "
        f"({report.new_sessions} new); "
        f"{report.existing} there already"
    )
