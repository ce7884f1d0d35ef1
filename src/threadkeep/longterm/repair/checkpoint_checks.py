"""Checks the streams of checkpoints: each is of a thread, which lists all its namespaces."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from threadkeep.core import body, names
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.record_shapes import CHECKPOINT_THREAD
from threadkeep.longterm.repair.problem import StoreFinding, is_old, orphaned_stream
from threadkeep.sessions import checkpoints
from threadkeep.sessions.checkpoints import CONTENTS, NAMESPACE, ROOT, THREAD
from threadkeep.types import KEEP, Page, Query

_UNREADABLE: Final = "its owner is unknown: restore it from a copy, or delete the thread"


def check(engine: Engine, stream: str) -> Iterator[StoreFinding]:
    """What is wrong in the stream of a namespace of a thread."""
    thread_page, *content_pages = engine.read(
        Query(stream, THREAD, ids=[THREAD]),
        *(Query(stream, record_kind, limit=1, newest=True) for record_kind in CONTENTS),
    )
    if not thread_page.records:
        if _is_abandoned(engine, content_pages):
            yield orphaned_stream(
                engine, stream, thread_page.version, "checkpoints without a thread"
            )
        return
    try:
        thread_fields = body.decode(thread_page.records[0], CHECKPOINT_THREAD)
    except UnreadableRecord as error:
        yield StoreFinding(stream, "unreadable thread", f"{error.reason}; {_UNREADABLE}")
        return
    thread_id, namespace = str(thread_fields["thread"]), str(thread_fields["namespace"])
    if namespace != ROOT:
        yield from _check_listing(engine, stream, thread_id, namespace, content_pages)


def _check_listing(
    engine: Engine, stream: str, thread: str, namespace: str, contents: list[Page]
) -> Iterator[StoreFinding]:
    """A namespace that its thread does not list is neither deleted nor exported with it."""
    root_name, namespace_key = checkpoints.stream(engine, thread, ROOT), names.key(namespace)
    thread_page, namespace_page = engine.read(
        Query(root_name, THREAD, ids=[THREAD]), Query(root_name, NAMESPACE, ids=[namespace_key])
    )
    if not thread_page.records:
        if _is_abandoned(engine, contents):
            yield orphaned_stream(engine, stream, contents[0].version, "checkpoints without a root")
    elif not namespace_page.records:
        fix = partial(_list, engine, root_name, namespace)
        yield StoreFinding(stream, "namespace not on its thread's list", namespace, fix)


def _is_abandoned(engine: Engine, contents: list[Page]) -> bool:
    records = [record for content_page in contents for record in content_page.records]
    return bool(records) and all(is_old(engine, record) for record in records)


def _list(engine: Engine, root: str, namespace: str) -> bool:
    engine.commit(root, put=[checkpoints.namespace_record(namespace, engine.now())], ttl=KEEP)
    return True
