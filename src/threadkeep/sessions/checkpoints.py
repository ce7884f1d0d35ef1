"""The streams of checkpoints beside a session: `checkpoint/<thread>/<namespace>`.

What is in them is the business of the adapter that writes them. The root stream of a thread, that
of the empty namespace, lists the other namespaces, so that a thread is deleted and exported
without a walk over the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from threadkeep.core import body, item_codec, names, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.types import KEEP, Drop, Query, Record

NOUN: Final = "checkpoint"
NAMESPACE: Final = "namespace"
"""The kind of the records that list the namespaces of a thread."""

ROOT: Final = ""
_PAGE: Final = 500


def stream(engine: Engine, thread: str, namespace: str) -> str:
    """The stream of a namespace of a thread."""
    return names.thread_stream(engine.settings.namespace, NOUN, thread, namespace)


def namespace_record(namespace: str, now: float) -> Record:
    """The record that lists a namespace in the root stream of its thread."""
    text = item_codec.dumps({"namespace": namespace}, "namespace")
    return Record(NAMESPACE, names.key(namespace), text, now)


def namespaces(engine: Engine, thread: str) -> Iterator[str]:
    """The namespaces of a thread, the root first, then in the order of their first write."""
    yield ROOT
    root, after = stream(engine, thread, ROOT), None
    while True:
        page = engine.read(Query(root, NAMESPACE, limit=_PAGE, after=after))[0].records
        for record in page:
            yield namespace_of(record)
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def namespace_of(record: Record) -> str:
    """The namespace that a record lists."""
    try:
        return str(body.decode(record, record_shapes.NAMESPACE)["namespace"])
    except UnreadableRecord:
        return record.id


def delete(engine: Engine, thread: str) -> int:
    """Delete all checkpoints of a thread, the root stream last. Returns the number of streams."""
    root = stream(engine, thread, ROOT)
    page = engine.read(Query(root, NAMESPACE, limit=1))[0]
    if not page.version:
        return 0
    listed = [name for name in namespaces(engine, thread) if name != ROOT] if page.records else []
    for namespace in listed:
        engine.commit(stream(engine, thread, namespace), drop=[Drop()], ttl=KEEP)
    engine.commit(root, drop=[Drop()], ttl=KEEP)
    return 1 + len(listed)
