"""`threadkeep export` and `threadkeep import`: sessions as JSON lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Annotated, Any

import typer

from threadkeep import transfer, walking
from threadkeep.cli import output
from threadkeep.cli.store import present
from threadkeep.errors import ConfigError, InputError, NotFound
from threadkeep.longterm import moving
from threadkeep.memory import Memory


def export(
    memory: Memory,
    session: Annotated[list[str] | None, typer.Argument(help="Ids; none with --all.")] = None,
    user: Annotated[str | None, typer.Option(help="All sessions of this user.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All sessions there are.")] = False,
    target: Annotated[str, typer.Option("--output", "-o", help="A new file.")] = "-",
) -> None:
    """Write sessions as JSON lines, exact enough to be imported again.

    With --user, what was learned of the user comes first.
    """
    if (bool(session) + (user is not None) + every) != 1:
        raise ConfigError("say which sessions: their ids, or --user, or --all")
    ids = iter(session) if session else all_ids(present(memory), user)
    present(memory)
    count = 0
    with _opened(target) as lines:
        _write(lines, transfer.header())
        for line in moving.lines(memory.engine, user) if user else ():
            _write(lines, line)
        for id in ids:
            written = sum(_write(lines, line) for line in transfer.lines(memory.engine, id))
            if session and not written:
                raise NotFound(f"there is no session {id!r}; `threadkeep sessions` lists them")
            count += written > 0
    output.line(f"{count} sessions exported", err=True)


def import_(
    memory: Memory,
    file: Annotated[str, typer.Argument(help="What `export` wrote; - reads standard input.")] = "-",
) -> None:
    """Write exported sessions into a store, each whole or not at all.

    A session whose id is there already is left as it is and named; so a broken import can simply
    be repeated.
    """
    new = learned = 0
    with _source(file) as source:
        for one in moving.restore(memory.engine, _read(source)):
            if one.session is None:
                learned += one.new
                continue
            new += one.new
            if not one.new:
                output.line(f"{one.session!r} is there already, left as it is", err=True)
    facts = f", {learned} facts and instructions" if learned else ""
    output.line(f"{new} sessions{facts} imported", err=True)


def all_ids(memory: Memory, user: str | None) -> Iterator[str]:
    """The ids of a user's sessions, or of all; those of sub-agents too."""
    return (info.id for _, info in walking.sessions(memory.engine, user, None))


def _write(target: IO[str], line: dict[str, Any]) -> int:
    target.write(output.json_text(line, separators=(",", ":")) + "\n")
    return 1


def _read(source: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, text in enumerate(source, start=1):
        try:
            line = json.loads(text.decode("utf-8-sig" if number == 1 else "utf-8"))
        except ValueError as error:
            raise InputError(f"line {number} is not JSON") from error
        if not isinstance(line, dict):
            raise InputError(f"line {number} is not a JSON object")
        yield number, line


@contextmanager
def _opened(path: str) -> Iterator[IO[str]]:
    if path == "-":
        yield output.stream()
        return
    with open(path, "x", encoding="utf-8") as target:  # noqa: PTH123 - refuses what is there
        try:
            yield target
        except BaseException:
            os.unlink(path)  # noqa: PTH108 - half an export looks like a whole one
            raise


@contextmanager
def _source(file: str) -> Iterator[IO[bytes]]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with open(file, "rb") as source:  # noqa: PTH123 - as named
        yield source
