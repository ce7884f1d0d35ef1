"""`threadkeep export` and `threadkeep import`: sessions as JSON lines."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output, readable_export
from threadkeep.cli.dates import Period, Since, Until, period, sessions_in
from threadkeep.cli.import_foreign import import_foreign
from threadkeep.cli.readable_export import ExportFormat
from threadkeep.cli.store import require_existing
from threadkeep.errors import ConfigError, NotFound
from threadkeep.longterm import export as exporting
from threadkeep.longterm import restore as restoring
from threadkeep.printable import counted, shown
from threadkeep.sessions import export_line, jsonl

_OWN: Final = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{\s*"threadkeep"\s*:')
_PEEKED: Final = 1_000  # bytes


def export(
    memory: Memory,
    session: Annotated[list[str] | None, typer.Argument(help="Ids; none with --all.")] = None,
    user: Annotated[str | None, typer.Option(help="All sessions of this user.")] = None,
    all_sessions: Annotated[bool, typer.Option("--all", help="All sessions.")] = False,
    target: Annotated[str, typer.Option("--output", "-o", help="A new file.")] = "-",
    as_: Annotated[
        ExportFormat, typer.Option("--format", help="jsonl can be imported; others are for people.")
    ] = ExportFormat.JSONL,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write sessions as JSON lines, exact enough to be imported again, or for people.

    With --user, what was learned of the user comes first. Dates choose the sessions that were
    written to then; for people, also the messages. In CSV, a cell that a spreadsheet would take for
    a formula begins with an apostrophe.
    """
    if (bool(session) + (user is not None) + all_sessions) != 1:
        raise ConfigError("say which sessions: their ids, or --user, or --all")
    dates = period(since, until)
    if session and as_ is ExportFormat.JSONL and dates != Period(None, None):
        raise ConfigError("--since and --until choose sessions: use them with --user or --all")
    require_existing(memory)
    ids = iter(session) if session else (info.id for info in sessions_in(memory, user, dates))
    if as_ is not ExportFormat.JSONL:
        _export_readable(memory, session or (), ids, target, as_, dates)
        return
    session_count = 0
    with _open_target(target) as file:
        _write(file, jsonl.header())
        for line_fields in exporting.lines(memory._engine, user) if user else ():
            _write(file, line_fields)
        for session_id in ids:
            line_count = sum(_write(file, line) for line in jsonl.lines(memory._engine, session_id))
            if session and not line_count:
                raise NotFound(
                    f"there is no session {shown(session_id)}; `threadkeep sessions` lists them"
                )
            session_count += line_count > 0
    output.print_line(f"{counted(session_count, 'session')} exported", err=True)


def session_ids(memory: Memory, user: str | None) -> Iterator[str]:
    """The ids of a user's sessions, or of all; those of sub-agents too."""
    return (info.id for info in sessions_in(memory, user, Period(None, None)))


def _export_readable(
    memory: Memory,
    named_ids: Sequence[str],
    ids: Iterator[str],
    target_path: str,
    as_: ExportFormat,
    within: Period,
) -> None:
    for session_id in named_ids:
        if memory.session(session_id).info() is None:
            raise NotFound(
                f"there is no session {shown(session_id)}; `threadkeep sessions` lists them"
            )
    with _open_target(target_path) as document:
        for document_part in readable_export.texts(memory, ids, as_, within):
            document.write(document_part)


def import_(
    memory: Memory,
    file: Annotated[
        str,
        typer.Argument(help="A file, folder, zip or URL; - reads our own export from a pipe."),
    ] = "-",
    user: Annotated[
        str | None, typer.Option(help="The owner of everything that is imported.")
    ] = None,
    format: Annotated[
        str | None, typer.Option("--as", help="The format, where the content does not say it.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The report for programs.")] = False,
    max_line: Annotated[
        int, typer.Option(min=1, help="Bytes of the longest line of an export that is read.")
    ] = export_line.MAX_LINE,
) -> int:
    """Import an export of threadkeep, or chats and facts of another product, also by a URL.

    The format is recognised by the content: the exports of ChatGPT and Claude, ShareGPT, OpenAI's
    fine-tuning lines, LangChain, LlamaIndex, the Agents SDK, mem0, Claude Code, Codex and so on;
    histories in the database of a URL (sqlite, postgresql, mysql, redis, mongodb).
    A bad entry is named and passed over; of an export of threadkeep a wrong line is named, and
    nothing is written. What is there already is left as it is, so that an import that broke off
    is simply repeated. Exit code 1 if an entry was passed over.
    """
    if file != "-" and not _is_own_export(file):
        return import_foreign(memory, file, user, format, dry_run, json)
    if format is not None or json:
        raise ConfigError("--as and --json are for exports of other products")
    _import_own(memory, file, user, dry_run, max_line)
    return 0


def _import_own(memory: Memory, file: str, user: str | None, dry_run: bool, max_line: int) -> None:
    session_count = entry_count = 0
    with _open_source(file) as source:
        if dry_run:
            session_count = sum(
                isinstance(entry, jsonl.CheckedSession)
                for entry in restoring.checked(_parsed_lines(source, max_line), user)
            )
            output.print_line(f"{counted(session_count, 'session')} could be imported", err=True)
            return
        for restored_part in restoring.restore(memory._engine, _validated(source, max_line, user)):
            if restored_part.session is None:
                entry_count += restored_part.new
                continue
            session_count += restored_part.new
            if not restored_part.new:
                output.print_line(
                    f"{shown(restored_part.session)} is there already, left as it is", err=True
                )
    imported_texts = [counted(session_count, "session")]
    if entry_count:
        imported_texts.append(counted(entry_count, "fact or instruction", "facts and instructions"))
    output.print_line(f"{', '.join(imported_texts)} imported", err=True)


def _is_own_export(file: str) -> bool:
    """Whether a file begins as an export of threadkeep does, or is no file of JSON at all."""
    path = Path(file)
    if not path.is_file():
        return False
    with path.open("rb") as file_stream:
        return _OWN.match(file_stream.read(_PEEKED)) is not None


def _write(target_file: IO[str], line_fields: dict[str, Any]) -> int:
    target_file.write(output.json_text(line_fields, separators=(",", ":")) + "\n")
    return 1


def _validated(
    source_file: IO[bytes], max_line: int, user: str | None
) -> Iterator[jsonl.CheckedSession | restoring.UserEntries]:
    """The records to import; a seekable source is validated completely first."""
    if source_file.seekable():
        start_offset = source_file.tell()
        for _ in restoring.checked(_parsed_lines(source_file, max_line), user):
            pass
        source_file.seek(start_offset)
    return restoring.checked(_parsed_lines(source_file, max_line), user)


def _parsed_lines(source_file: IO[bytes], max_line: int) -> Iterator[tuple[int, export_line.Line]]:
    """The lines, none of which is read further than is allowed."""
    lines = iter(lambda: source_file.readline(max_line + 1), b"")
    for line_number, line_bytes in enumerate(lines, start=1):
        yield line_number, export_line.parse(line_number, line_bytes, max_line)


@contextmanager
def _open_target(path: str) -> Iterator[IO[str]]:
    if path == "-":
        yield output.standard_output()
        return
    # never overwrites, and is its user's own
    with open(path, "x", encoding="utf-8", opener=_private) as target_file:
        try:
            yield target_file
        except BaseException:
            os.unlink(path)  # noqa: PTH108 - half an export looks like a whole one
            raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def _open_source(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with open(file, "rb") as source_file:  # noqa: PTH123 - as named
        yield source_file
