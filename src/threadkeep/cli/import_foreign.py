"""The part of `threadkeep import` that reads what other products have written."""

from __future__ import annotations

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.importers import ImportReport, import_chats
from threadkeep.printable import counted

_NAMED = 20  # bad entries that are printed


def import_foreign(
    memory: Memory, file: str, user: str | None, format: str | None, dry_run: bool, json: bool
) -> int:
    """Import, and print the report; returns the exit code."""
    with output.byte_progress("import") as progress:
        report = import_chats(
            memory, file, user=user, format=format, dry_run=dry_run, progress=progress
        )
    if json:
        output.print_json(report.to_dict())
    else:
        _print_report(report)
    return int(report.skipped_count > 0)


def print_skipped(report: ImportReport, hint: str = "") -> None:
    """Print the first bad entries, and how many more there are, with a hint behind that."""
    for skipped_entry in report.skipped[:_NAMED]:
        output.print_line(f"{skipped_entry.location}: {skipped_entry.reason}", err=True)
    if report.skipped_count > _NAMED:
        output.print_line(f"... and {report.skipped_count - _NAMED} more{hint}", err=True)


def _print_report(report: ImportReport) -> None:
    print_skipped(report, "; --json names them")
    for label in report.ignored[:_NAMED]:
        output.print_line(f"{label}: of no known format, ignored", err=True)
    format_counts = ", ".join(f"{name} ({count})" for name, count in sorted(report.formats.items()))
    output.print_line(f"read: {format_counts or 'nothing that is known'}")
    output.print_line(
        f"{'would import' if report.is_dry_run else 'imported'}: "
        f"{counted(report.messages, 'message')} in {counted(report.sessions, 'session')} "
        f"({report.new_sessions} new), {counted(report.facts, 'fact')}, "
        f"{counted(report.instructions, 'instruction')} to be approved, "
        f"{counted(report.files, 'file')}; "
        f"{report.existing} there already, {report.skipped_count} passed over"
    )
