"""The streams of checkpoints beside a session: `checkpoint/<thread>/<namespace>`.

What is in them is the business of the adapter that writes them. The root stream of a thread, that
of the empty namespace, lists the other namespaces, so that a thread is deleted and exported
without a walk over the store.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from threadkeep.core import body, json_text, names
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.pages import PAGE, all_records, stream_pages
from threadkeep.types import KEEP, Drop, Query, Record

NOUN: Final = "checkpoint"
NAMESPACE: Final = "namespace"
"""The kind of the records that list the namespaces of a thread."""

ELEMENT: Final = "element"
"""The kind of what no item restores: with the `item` it belongs to, or a `text`."""

THREAD: Final = "thread"
"""The kind and the id of the record that says whose stream it is."""

LEASE: Final = "lease"
"""The kind of the record of the run that is writing to a thread."""

RUN: Final = "run"
"""The kind of the records of long lists."""

CONTENTS: Final = ("checkpoint", "write", RUN, "value", ELEMENT)
"""The kinds of what a checkpoint is made of."""

REFERENCE: Final = re.compile(r"[-\w]{12}:(?P<item>.+)", re.ASCII | re.DOTALL)
"""An element of a long list that is the message of an item."""

ROOT: Final = ""


def stream(engine: Engine, thread: str, namespace: str) -> str:
    """The stream of a namespace of a thread."""
    return names.thread_stream(engine.settings.namespace, NOUN, thread, namespace)


def namespace_record(namespace: str, now: float) -> Record:
    """The record that lists a namespace in the root stream of its thread."""
    body_json = json_text.dumps({"namespace": namespace}, "namespace")
    return Record(NAMESPACE, names.key(namespace), body_json, now)


def namespaces(engine: Engine, thread: str) -> Iterator[str]:
    """The namespaces of a thread, the root first, then in the order of their first write."""
    yield ROOT
    for record in all_records(engine, stream(engine, thread, ROOT), NAMESPACE):
        yield namespace_of(record)


def namespace_of(record: Record) -> str:
    """The namespace that a record lists."""
    return _field(record, "namespace") or record.id


def forget_items(engine: Engine, thread: str, items: Collection[str], texts: set[str]) -> int:
    """Delete what checkpoints keep of removed items: earlier versions, and what they said.

    Args:
        engine: of the thread.
        thread: its id.
        items: the ids of the items.
        texts: what they said.

    Returns:
        The number of records.
    """
    deleted_count = 0
    for namespace in namespaces(engine, thread):
        namespace_stream_name = stream(engine, thread, namespace)
        element_ids = [
            record.id
            for record in all_records(engine, namespace_stream_name, ELEMENT)
            if _is_of(record, items, texts)
        ]
        for start in range(0, len(element_ids), PAGE):
            drops = [Drop(ELEMENT, element_ids[start : start + PAGE])]
            engine.commit(namespace_stream_name, drop=drops, ttl=KEEP)
        deleted_count += len(element_ids)
    return deleted_count


def delete_of_user(engine: Engine, user: str) -> int:
    """Delete the checkpoints of a user's threads that have no session; returns how many streams."""
    deleted_count = 0
    for stream_names in stream_pages(engine, names.noun_prefix(engine.settings.namespace, NOUN)):
        queries = [Query(stream_name, THREAD, ids=[THREAD]) for stream_name in stream_names]
        for stream_name, thread_page in zip(
            stream_names, engine.read(*queries) if queries else [], strict=True
        ):
            if thread_page.records and _field(thread_page.records[0], "user") == user:
                engine.commit(stream_name, drop=[Drop()], ttl=KEEP)
                deleted_count += 1
    return deleted_count


def _is_of(record: Record, items: Collection[str], texts: set[str]) -> bool:
    return _field(record, "item") in items or _field(record, "text") in texts


def _field(record: Record, name: str) -> str | None:
    """A text in a record; `None` if it is not there, or the record cannot be read."""
    try:
        field_value = body.parse(record.body, record.kind).get(name)
    except UnreadableRecord:
        return None
    return field_value if isinstance(field_value, str) else None


def delete(engine: Engine, thread: str) -> int:
    """Delete all checkpoints of a thread, the root stream last. Returns the number of streams."""
    root_stream_name = stream(engine, thread, ROOT)
    namespace_page = engine.read(Query(root_stream_name, NAMESPACE, limit=1))[0]
    if not namespace_page.version:
        return 0
    other_namespaces = (
        [namespace for namespace in namespaces(engine, thread) if namespace != ROOT]
        if namespace_page.records
        else []
    )
    for namespace in other_namespaces:
        engine.commit(stream(engine, thread, namespace), drop=[Drop()], ttl=KEEP)
    engine.commit(root_stream_name, drop=[Drop()], ttl=KEEP)
    return 1 + len(other_namespaces)
