"""`threadkeep doctor`: checks that the store is the expected one and that it works."""

from __future__ import annotations

import platform
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

import threadkeep
from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.check import Check, failure
from threadkeep.cli.doctor_checkpoints import checkpoints_check
from threadkeep.cli.store import describe_store
from threadkeep.core.clock import LARGE, describe_offset
from threadkeep.errors import ThreadkeepError
from threadkeep.longterm.extraction.status import extraction_status
from threadkeep.longterm.repair import store_findings
from threadkeep.printable import counted
from threadkeep.window import tokens

_ROUNDS: Final = 20
_SLOW_MS: Final = 50.0  # milliseconds
_WITH_REMEDY: Final = frozenset({"eviction", "role"})
_SESSION: Final = "threadkeep-doctor"
_MAX_STREAMS: Final = 200  # of each kind, so that the answer comes soon


def doctor(
    memory: Memory,
    write: Annotated[
        bool, typer.Option("--write", help="Also write and delete a session of its own.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> int:
    """Look at the store: is it understood, reachable, fast, writable? Each finding says what to do.

    Exit code 1 if something fails.
    """
    checks = list(_checks(memory, write))
    if json:
        output.print_json([_check_json(check) for check in checks])
    else:
        for check in checks:
            remedy = f" -> {check.remedy}" if check.remedy else ""
            output.print_line(f"{check.state:5} {check.about:12} {check.finding}{remedy}")
    return int(any(check.state == "fail" for check in checks))


def _check_json(check: Check) -> dict[str, str]:
    check_dump = asdict(check)
    return {"found" if name == "finding" else name: text for name, text in check_dump.items()}


def _checks(memory: Memory, write: bool) -> Iterator[Check]:
    versions = f"threadkeep {threadkeep.__version__}, Python {platform.python_version()}"
    yield Check("ok", "version", versions)
    yield Check("ok", "store", repr(memory).strip("<>"))
    store_checks = list(_store_checks(memory))
    yield from store_checks
    if write:
        yield _timed_check("write", lambda: _write_session(memory))
    yield _retention_check(memory)
    if all(check.state != "fail" for check in store_checks):
        yield from _learning_check(memory)
        yield from checkpoints_check(memory, _MAX_STREAMS)
        yield from _contents_check(memory)
    settings = memory._engine.settings
    pool_limits = (
        f"{counted(settings.pool_size, 'call')} at once, {settings.timeout:g} s at most for each"
    )
    yield Check("ok", "limits", pool_limits)
    yield _tokens_check()


def _store_checks(memory: Memory) -> Iterator[Check]:
    """Check the store without creating it: describe it before the first read."""
    try:
        description = describe_store(memory)
        if description.get("exists") == "no":
            yield _missing_store(description)
            return
        yield _timed_check("read", lambda: memory.session(_SESSION).info())
        yield from _clock_check(memory)
        description = describe_store(memory)
    except ThreadkeepError as error:
        yield failure("store", error)
        return
    for topic, topic_value in description.items():
        if topic != "exists":
            yield _description_check(topic, topic_value)


def _clock_check(memory: Memory) -> Iterator[Check]:
    """How far this machine's clock is from the server's; nothing for a store without a server."""
    offset = memory._engine.clock.offset()
    if offset is None:
        return
    if abs(offset) <= LARGE:
        yield Check("ok", "clock", f"within {max(1.0, abs(offset)):.0f} s of the server's")
        return
    finding = f"{describe_offset(offset)} the server's, whose time is used"
    yield Check("note", "clock", finding, "set the clock of this machine, best by NTP")


def _description_check(topic: str, text: str) -> Check:
    """One line of the store's description; for some topics a remedy follows the colon."""
    finding, _, remedy = text.partition(": ")
    if topic in _WITH_REMEDY and remedy:
        return Check("note", topic, finding, remedy)
    used_amount, _, max_text = text.partition(" of ")
    if topic == "connections" and max_text.isdigit() and int(used_amount) > 0.9 * int(max_text):
        return Check("note", topic, text, "lower pool_size, or raise max_connections")
    return Check("ok", topic, text)


def _missing_store(description: Mapping[str, str]) -> Check:
    """A store that does not exist yet: can it be created, and is its location the intended one?"""
    topic = next((name for name in ("tables", "collection") if name in description), "path")
    location, engine = description.get(topic, "the store"), description.get("engine", "")
    if topic == "path" and (obstacle := _folder_problem(Path(location), engine)):
        return obstacle
    finding = f"not yet: {location}" if topic == "path" else f"not yet: {location}, on {engine}"
    remedy = f"it is made at the first write; if you expected one, check the {topic}"
    return Check("note", "exists", finding, remedy)


def _folder_problem(path: Path, engine: str) -> Check | None:
    """The reason why a folder prevents creating the store, if there is one."""
    ancestor = next((folder for folder in path.parents if folder.exists()), None)
    if ancestor is not None and not ancestor.is_dir():
        return Check("fail", "exists", f"no: {ancestor} is a file, not a folder", "check the path")
    if engine.startswith("SQLite") and ancestor != path.parent:
        return Check("fail", "exists", f"no, nor its folder: {path}", "make the folder")
    return None


def _timed_check(topic: str, action: Callable[[], object]) -> Check:
    durations = []
    for _ in range(_ROUNDS):
        started_at = time.perf_counter()
        try:
            action()
        except ThreadkeepError as error:
            return failure(topic, error)
        durations.append((time.perf_counter() - started_at) * 1000)
    median_ms = statistics.median(durations)
    finding = f"works, {median_ms:.2f} ms (median of {_ROUNDS}, worst {max(durations):.2f} ms)"
    if median_ms > _SLOW_MS:
        return Check("note", topic, finding, "is the store far away, on a network drive, or busy?")
    return Check("ok", topic, finding)


def _write_session(memory: Memory) -> None:
    chat = memory.session(_SESSION)
    chat.add("Is this written?")
    chat.delete()


def _retention_check(memory: Memory) -> Check:
    ttl = memory._engine.settings.ttl
    if ttl is None:
        return Check(
            "note", "retention", "for ever, by these settings", "connect(ttl=) sets a lifetime"
        )
    return Check("ok", "retention", f"{ttl:.15g} s after the last write")


def _learning_check(memory: Memory) -> Iterator[Check]:
    """How far extraction has read the sessions; nothing if it never ran."""
    try:
        if describe_store(memory).get("exists") == "no":
            return
        progress = extraction_status(memory._engine)
    except ThreadkeepError as error:
        yield failure("learning", error)
        return
    known_sessions = counted(progress.read + progress.behind, "session")
    finding = f"{progress.read} of {known_sessions} read to the end"
    if progress.dead:
        reasons = f"{progress.dead} failed too often ({', '.join(progress.errors)})"
        yield Check("note", "learning", f"{finding}, {reasons}", "threadkeep extract --retry")
    elif progress.read or progress.errors:
        yield Check("ok", "learning", finding)


def _contents_check(memory: Memory) -> Iterator[Check]:
    """Orphans and unreadable records in some of the streams; nothing if the store is new."""
    try:
        if describe_store(memory).get("exists") == "no":
            return
        count_by_problem = Counter(
            finding.problem for finding in store_findings(memory._engine, limit=_MAX_STREAMS)
        )
    except ThreadkeepError as error:
        yield failure("contents", error)
        return
    counts = ", ".join(f"{count} x {problem}" for problem, count in count_by_problem.items())
    if counts:
        yield Check("note", "contents", counts, "threadkeep repair names each, --fix mends them")
    else:
        yield Check("ok", "contents", f"no orphans in {_MAX_STREAMS} streams of each kind")


def _tokens_check() -> Check:
    if tokens.default() is tokens.estimate:
        remedy = 'pip install "threadkeep[tokens]" counts exactly'
        return Check("note", "tokens", "estimated", remedy)
    return Check("ok", "tokens", "counted by tiktoken")
