"""Standard output and standard error: no other module of the command line prints.

Output is escaped here, twice: text by the functions below, which know its layout,
and anything else (the framework's help, warnings, logs, tracebacks) by the streams themselves.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from threadkeep.printable import escaped, escaped_line

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

StyledText = str | tuple[str, str]
"""A text, or a text and its style."""


def load_rich() -> None:
    """Import rich, which tables need.

    Raises:
        ModuleNotFoundError: the `cli` extra is not installed.
    """
    import rich.console  # noqa: F401


def print_line(text: object, *, err: bool = False) -> None:
    """Print one line; further lines are indented, so that they cannot pose as others."""
    print_block(re.sub("\r?\n(?!$)", "\n  ", str(text)), err=err)


def print_block(text: str, *, err: bool = False) -> None:
    """Print lines as they are, such as SQL."""
    output_stream = sys.stderr if err else sys.stdout
    output_stream.write(f"{escaped(text)}\n")
    output_stream.flush()


def print_styled(*parts: StyledText) -> None:
    """Print one line of styled texts; without styles where the terminal has none."""
    from rich.text import Text

    styled_texts = [(part, "") if isinstance(part, str) else part for part in parts]
    styled_line = Text.assemble(*((escaped_line(text), style) for text, style in styled_texts))
    _console().print(styled_line, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings, a cell on one line."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(escaped_line(column)), overflow="fold")
    for row in rows:
        cells = ("" if cell is None else escaped_line(str(cell)) for cell in row)
        table.add_row(*map(Text, cells))
    _console().print(table)


def print_json(value: Any) -> None:
    """Print a value as JSON, dates in ISO 8601."""
    print_block(json_text(value, indent=2))


def json_text(value: Any, **layout: Any) -> str:
    """JSON that is safe on a terminal and loses nothing: printable ASCII, the rest as escapes."""
    value_json = json.dumps(value, ensure_ascii=True, default=_json_default, **layout)
    return value_json.replace("\x7f", "\\u007f")  # which ASCII has, and only strings can hold


def standard_output() -> TextIO:
    """Standard output, for lines of `json_text`."""
    return sys.stdout


def confirm(question: str) -> None:
    """Ask on standard error; leaves the command unless the answer is yes."""
    import typer

    typer.confirm(escaped_line(question), abort=True, err=True)


def progress(steps: Iterable[T], total: int, name: str) -> Iterator[T]:
    """The steps, with a bar on standard error if that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    console = _console(err=True)
    if not console.is_terminal:
        yield from steps
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=console, transient=True) as progress_bar:
        yield from progress_bar.track(steps, total=total, description=name)


@contextlib.contextmanager
def byte_progress(name: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar of bytes on standard error, and what moves it; `None` if that is no terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    console = _console(err=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    progress_bar = Progress(*columns, console=console, transient=True)
    task = progress_bar.add_task(name)

    def advance(read: int, total: int) -> None:
        progress_bar.start()  # not before there is something to show
        progress_bar.update(task, completed=read, total=total)

    try:
        yield advance
    finally:
        progress_bar.stop()


def discard_output() -> None:
    """Discard further output: the reader of the pipe has closed it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_traceback() -> None:
    """Print the traceback of an unexpected error, escaped: it may quote stored text."""
    traceback.print_exc()


def format_time(moment: datetime | None) -> str:
    """A date and time, to the second, in local time."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


class EscapedStream:
    """A text stream that lets through visible text, newlines and tabs alone.

    Attributes:
        unescaped: the wrapped stream, for output that has styles already.
    """

    def __init__(self, unescaped: TextIO) -> None:
        self.unescaped = unescaped

    def write(self, text: str) -> int:
        """Write the text escaped; returns the length of the text, as any stream does."""
        self.unescaped.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each text escaped."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unescaped, name)


@contextlib.contextmanager
def escaped_streams() -> Iterator[None]:
    """Escape all output of this process, whichever code prints it; may be nested."""
    with contextlib.redirect_stdout(_escaping(sys.stdout)):  # noqa: SIM117 - two lines are too long
        with contextlib.redirect_stderr(_escaping(sys.stderr)):
            yield


def _escaping(target: TextIO) -> TextIO:
    return target if isinstance(target, EscapedStream) else cast("TextIO", EscapedStream(target))


def _console(*, err: bool = False) -> Console:
    """A new console per call, so that redirected streams are used; its input must be escaped."""
    from rich.console import Console

    output_stream = sys.stderr if err else sys.stdout
    return Console(file=getattr(output_stream, "unescaped", output_stream), highlight=False)


def _json_default(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
