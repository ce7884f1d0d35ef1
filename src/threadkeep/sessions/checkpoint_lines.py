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
    root_stream_name = checkpoints.stream(engine, thread, ROOT)
    if not engine.read(Query(root_stream_name, THREAD, limit=0))[0].version:
        return
    for namespace in checkpoints.namespaces(engine, thread):
        namespace_stream_name = checkpoints.stream(engine, thread, namespace)
        for record_kind in KINDS:
            for record in all_records(engine, namespace_stream_name, record_kind):
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
    root_stream_name = checkpoints.stream(engine, thread, ROOT)
    if not entries or engine.read(Query(root_stream_name, THREAD, ids=[THREAD]))[0].records:
        return
    records_by_namespace: dict[str, list[Record]] = {ROOT: []}
    for entry in entries:
        records_by_namespace.setdefault(entry.namespace, []).append(entry.record)
    namespace_records = [
        checkpoints.namespace_record(namespace, engine.now())
        for namespace in records_by_namespace
        if namespace != ROOT
    ]
    _put(engine, root_stream_name, [*namespace_records, *_others(records_by_namespace[ROOT])])
    for namespace, records in records_by_namespace.items():
        if namespace != ROOT:
            thread_record = _thread_record(engine, thread, namespace, user, records)
            namespace_stream_name = checkpoints.stream(engine, thread, namespace)
            _put(engine, namespace_stream_name, [*_others(records), thread_record])
    thread_record = _thread_record(engine, thread, ROOT, user, records_by_namespace[ROOT])
    engine.commit(root_stream_name, put=[thread_record], ttl=engine.settings.ttl)


def _put(engine: Engine, stream: str, records: Sequence[Record]) -> None:
    drops = [Drop()]
    for record_batch in batches(records):
        engine.commit(stream, put=record_batch, drop=drops, ttl=engine.settings.ttl)
        drops = []


def _others(records: Sequence[Record]) -> list[Record]:
    return [replace(record, seq=0) for record in records if record.kind not in (THREAD, NAMESPACE)]


def _thread_record(
    engine: Engine, thread: str, namespace: str, user: str | None, records: Sequence[Record]
) -> Record:
    """Whose the stream is, by the session and not by the line."""
    thread_fields: dict[str, Any] = {"thread": thread, "namespace": namespace}
    if user is not None:
        thread_fields["user"] = user
    for record in records:
        raw_fields = json.loads(record.body) if record.kind == THREAD else {}
        for field_name, field_type in _COPIED_FIELDS.items():
            if isinstance(raw_fields, dict) and isinstance(raw_fields.get(field_name), field_type):
                thread_fields[field_name] = raw_fields[field_name]
    return Record(THREAD, THREAD, json_text.dumps(thread_fields, "thread"), engine.now())
