"""`threadkeep doctor`: is the store what you think it is, and does it work?"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

import threadkeep
from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import described
from threadkeep.errors import ThreadkeepError
from threadkeep.longterm.extraction.status import status
from threadkeep.window import tokens

_ROUNDS: Final = 20
_SLOW: Final = 50.0  # milliseconds
_REMEDIED: Final = frozenset({"eviction", "role"})
_SESSION: Final = "threadkeep-doctor"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        state: `ok`, `note` or `fail`.
        about: what was looked at.
        found: what was seen.
        remedy: what to do about it; empty if nothing is to be done.
    """

    state: str
    about: str
    found: str
    remedy: str = ""


def doctor(
    memory: Memory,
    write: Annotated[
        bool, typer.Option("--write", help="Also write and delete a session of its own.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> int:
    """Look at the store: is it understood, reachable, fast, writable? Each finding says what to do.

    Exit code 1 if something fails.
    """
    checks = list(_checks(memory, write))
    if json:
        output.as_json([asdict(check) for check in checks])
    else:
        for check in checks:
            remedy = f" -> {check.remedy}" if check.remedy else ""
            output.line(f"{check.state:5} {check.about:12} {check.found}{remedy}")
    return int(any(check.state == "fail" for check in checks))


def _checks(memory: Memory, write: bool) -> Iterator[Check]:
    python = f"threadkeep {threadkeep.__version__}, Python {platform.python_version()}"
    yield Check("ok", "version", python)
    yield Check("ok", "store", repr(memory).strip("<>"))
    looked = list(_store(memory))
    yield from looked
    if write:
        yield _timed("write", lambda: _write(memory))
    yield _retention(memory)
    if all(check.state != "fail" for check in looked):
        yield from _learning(memory)
    settings = memory.engine.settings
    limits = f"{settings.pool_size} calls at once, {settings.timeout:g} s of patience for each"
    yield Check("ok", "limits", limits)
    yield _counting()


def _store(memory: Memory) -> Iterator[Check]:
    """Looked at from outside before it is read: a doctor makes no store."""
    try:
        said = described(memory)
        if said.get("exists") == "no":
            yield _missing(said)
            return
        yield _timed("read", lambda: memory.session(_SESSION).info())
        said = described(memory)
    except ThreadkeepError as error:
        yield _failed("store", error)
        return
    for about, found in said.items():
        if about != "exists":
            yield _told(about, found)


def _told(about: str, found: str) -> Check:
    """What the store says of itself; behind a colon of these it says what to do."""
    said, _, remedy = found.partition(": ")
    if about in _REMEDIED and remedy:
        return Check("note", about, said, remedy)
    used, _, most = found.partition(" of ")
    if about == "connections" and most.isdigit() and int(used) > 0.9 * int(most):
        return Check("note", about, found, "lower pool_size, or raise max_connections")
    return Check("ok", about, found)


def _missing(said: Mapping[str, str]) -> Check:
    """A store that is not there: can it be made, and is this the place that was meant?"""
    about = next((name for name in ("tables", "collection") if name in said), "path")
    place, engine = said.get(about, "the store"), said.get("engine", "")
    if about == "path" and (fault := _no_folder(Path(place), engine)):
        return fault
    found = f"not yet: {place}" if about == "path" else f"not yet: {place}, on {engine}"
    remedy = f"it is made at the first write; if you expected one, check the {about}"
    return Check("note", "exists", found, remedy)


def _no_folder(path: Path, engine: str) -> Check | None:
    """What stands in the way of making it."""
    above = next((folder for folder in path.parents if folder.exists()), None)
    if above is not None and not above.is_dir():
        return Check("fail", "exists", f"no: {above} is a file, not a folder", "check the path")
    if engine.startswith("SQLite") and above != path.parent:
        return Check("fail", "exists", f"no, nor its folder: {path}", "make the folder")
    return None


def _timed(about: str, act: Callable[[], object]) -> Check:
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        try:
            act()
        except ThreadkeepError as error:
            return _failed(about, error)
        times.append((time.perf_counter() - start) * 1000)
    median = statistics.median(times)
    found = f"works, {median:.2f} ms (median of {_ROUNDS}, worst {max(times):.2f} ms)"
    if median > _SLOW:
        return Check("note", about, found, "is the store far away, on a network drive, or busy?")
    return Check("ok", about, found)


def _failed(about: str, error: ThreadkeepError) -> Check:
    """An error says what to do behind its last colon."""
    found, _, remedy = str(error).rpartition(": ")
    return Check("fail", about, found or str(error), remedy if found else "")


def _write(memory: Memory) -> None:
    chat = memory.session(_SESSION)
    chat.add("Is this written?")
    chat.delete()


def _retention(memory: Memory) -> Check:
    ttl = memory.engine.settings.ttl
    if ttl is None:
        return Check("note", "retention", "for ever, from here", "connect(ttl=) sets a life")
    return Check("ok", "retention", f"{ttl:.15g} s after the last write")


def _learning(memory: Memory) -> Iterator[Check]:
    """How far sessions were read, if any was, or if that failed."""
    try:
        if described(memory).get("exists") == "no":
            return
        found = status(memory.engine)
    except ThreadkeepError as error:
        yield _failed("learning", error)
        return
    said = f"{found.read} of {found.read + found.behind} sessions read to their end"
    if found.dead:
        reasons = f"{found.dead} failed too often ({', '.join(found.errors)})"
        yield Check("note", "learning", f"{said}, {reasons}", "threadkeep extract --retry")
    elif found.read or found.errors:
        yield Check("ok", "learning", said)


def _counting() -> Check:
    if tokens.default() is tokens.estimate:
        remedy = 'pip install "threadkeep[tokens]" counts exactly'
        return Check("note", "tokens", "estimated", remedy)
    return Check("ok", "tokens", "counted by tiktoken")
