"""Checkpoints of a thread as lines of an export, and back: each record with its namespace."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from threadkeep.core import json_text
from threadkeep.core.engine import Engine
from threadkeep.core.pages import all_records
from threadkeep.errors import InputError
from threadkeep.sessions import checkpoints, export_line
from threadkeep.sessions.checkpoints import NAMESPACE, ROOT, THREAD
from threadkeep.sessions.export_line import Line
from threadkeep.types import Drop, Query, Record
from threadkeep.types.batching import batches

FIELD: Final = "checkpoint"
"""The field of a line that holds the namespace."""

KINDS: Final = ("run", "value", "element", "write", "checkpoint", THREAD)
"""The kinds that are exported; leases and lists of namespaces belong to a store."""

_COPIED_FIELDS: Final = {"unordered": bool, "newest": str}
"""What a `thread` record may say beside whose it is."""


class CheckpointRecord(NamedTuple):
    """A record of a namespace of a thread."""

    namespace: str
    record: Record


def records(engine: Engine, thread: str) -> Iterator[CheckpointRecord]:
    """The records of a thread's checkpoints; one read if there are none."""
    root = checkpoints.stream(engine, thread, ROOT)
    if not engine.read(Query(root, THREAD, limit=0))[0].version:
        return
    for namespace in checkpoints.namespaces(engine, thread):
        name = checkpoints.stream(engine, thread, namespace)
        for kind in KINDS:
            for record in all_records(engine, name, kind):
                yield CheckpointRecord(namespace, record)


def read(number: int, line: Line) -> CheckpointRecord:
    """The record of a line.

    Raises:
        InputError: the line is not valid; its number is named.
    """
    namespace = line[FIELD]
    if not isinstance(namespace, str):
        raise InputError(f"line {number}: {FIELD} must be a text")
    return CheckpointRecord(namespace, export_line.read(number, line, KINDS))


def write(
    engine: Engine, thread: str, user: str | None, entries: Sequence[CheckpointRecord]
) -> None:
    """Write the checkpoints of a thread that has none; leftovers of an attempt before are dropped.

    The `thread` record of the root, which makes them a thread, is written last.

    Args:
        engine: of the thread.
        thread: its id.
        user: its owner.
        entries: what was exported.
    """
    root = checkpoints.stream(engine, thread, ROOT)
    if not entries or engine.read(Query(root, THREAD, ids=[THREAD]))[0].records:
        return
    by_namespace: dict[str, list[Record]] = {ROOT: []}
    for entry in entries:
        by_namespace.setdefault(entry.namespace, []).append(entry.record)
    listed = [checkpoints.namespace_record(n, engine.now()) for n in by_namespace if n != ROOT]
    _put(engine, root, [*listed, *_others(by_namespace[ROOT])])
    for namespace, records in by_namespace.items():
        if namespace != ROOT:
            thread_record = _thread_record(engine, thread, namespace, user, records)
            _put(
                engine,
                checkpoints.stream(engine, thread, namespace),
                [*_others(records), thread_record],
            )
    thread_record = _thread_record(engine, thread, ROOT, user, by_namespace[ROOT])
    engine.commit(root, put=[thread_record], ttl=engine.settings.ttl)


def _put(engine: Engine, name: str, records: Sequence[Record]) -> None:
    drop = [Drop()]
    for batch in batches(records):
        engine.commit(name, put=batch, drop=drop, ttl=engine.settings.ttl)
        drop = []


def _others(records: Sequence[Record]) -> list[Record]:
    return [replace(r, seq=0) for r in records if r.kind not in (THREAD, NAMESPACE)]


def _thread_record(
    engine: Engine, thread: str, namespace: str, user: str | None, records: Sequence[Record]
) -> Record:
    """Whose the stream is, by the session and not by the line."""
    body: dict[str, Any] = {"thread": thread, "namespace": namespace}
    if user is not None:
        body["user"] = user
    for record in records:
        fields = json.loads(record.body) if record.kind == THREAD else {}
        for name, kind in _COPIED_FIELDS.items():
            if isinstance(fields, dict) and isinstance(fields.get(name), kind):
                body[name] = fields[name]
    return Record(THREAD, THREAD, json_text.dumps(body, "thread"), engine.now())
