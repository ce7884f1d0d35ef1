"""The one way to standard output and standard error: no other module of the command line prints.

What goes out is escaped here, twice over: text by the functions below, which know its layout,
and anything else (the framework's help, warnings, logs, tracebacks) by the streams themselves.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

from threadkeep.cli.escape import escaped, escaped_line

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

Styled = str | tuple[str, str]
"""A text, or a text and its style."""


def load() -> None:
    """Load what tables are made with.

    Raises:
        ModuleNotFoundError: the `cli` extra is not installed.
    """
    import rich.console  # noqa: F401


def line(text: object, *, err: bool = False) -> None:
    """Print one line; the lines that follow in the text are indented, and pose as no others."""
    block(re.sub("\r?\n(?!$)", "\n  ", str(text)), err=err)


def block(text: str, *, err: bool = False) -> None:
    """Print lines as they are, such as SQL."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{escaped(text)}\n")
    stream.flush()


def styled(*parts: Styled) -> None:
    """Print one line of texts with their styles, where the terminal has any."""
    from rich.text import Text

    texts = [(part, "") if isinstance(part, str) else part for part in parts]
    content = Text.assemble(*((escaped_line(text), style) for text, style in texts))
    _console().print(content, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings, a cell on one line."""
    from rich.table import Table
    from rich.text import Text

    content = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        content.add_column(Text(escaped_line(column)), overflow="fold")
    for row in rows:
        cells = ("" if cell is None else escaped_line(str(cell)) for cell in row)
        content.add_row(*map(Text, cells))
    _console().print(content)


def as_json(value: Any) -> None:
    """Print a value as JSON, dates in ISO 8601."""
    block(json_text(value, indent=2))


def json_text(value: Any, **layout: Any) -> str:
    """JSON that is safe on a terminal and loses nothing: printable ASCII, the rest as escapes."""
    text = json.dumps(value, ensure_ascii=True, default=_iso, **layout)
    return text.replace("\x7f", "\\u007f")  # which ASCII has, and only strings can hold


def stream() -> TextIO:
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
    with Progress(*columns, console=console, transient=True) as bar:
        yield from bar.track(steps, total=total, description=name)


def discard() -> None:
    """Send what is still to be printed nowhere: the reader of our pipe has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def failure() -> None:
    """Print the traceback of a fault of ours; it may quote what people wrote."""
    traceback.print_exc()


def when(moment: datetime | None) -> str:
    """A date and time, to the second, in local time."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


class EscapedStream:
    """A text stream that lets through visible text, newlines and tabs alone.

    Attributes:
        unescaped: the stream below, for what brings styles of its own.
    """

    def __init__(self, unescaped: TextIO) -> None:
        self.unescaped = unescaped

    def write(self, text: str) -> int:
        """Write it escaped; how much of the text that was, as for any stream."""
        self.unescaped.write(escaped(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of them escaped."""
        for text in lines:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unescaped, name)


@contextlib.contextmanager
def escaped_streams() -> Iterator[None]:
    """Let nothing unescaped out of this process, whoever prints; may be nested."""
    with contextlib.redirect_stdout(_guarded(sys.stdout)):  # noqa: SIM117 - two lines are too long
        with contextlib.redirect_stderr(_guarded(sys.stderr)):
            yield


def _guarded(to: TextIO) -> TextIO:
    return to if isinstance(to, EscapedStream) else cast("TextIO", EscapedStream(to))


def _console(*, err: bool = False) -> Console:
    """Made anew, so that tests and pipes get what is printed; it styles, so we escape before."""
    from rich.console import Console

    to = sys.stderr if err else sys.stdout
    return Console(file=getattr(to, "unescaped", to), highlight=False)


def _iso(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
