"""`ThreadkeepStore`: what `create_agent(store=)` and `compile(store=)` take."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)

from langchain_threadkeep.store import codec
from langchain_threadkeep.store.addressing import (
    Namespace,
    Places,
    checked,
    record_id,
)
from langchain_threadkeep.store.operations import Verbs
from threadkeep import Drop, Memory, Query, Record
from threadkeep.adapters.shared import shared
from threadkeep.errors import Conflict

_AT_ONCE: Final = 500
"""Streams, or records, in one read or commit."""

Found = tuple[str, Namespace | None, int, list[Record]]
"""A stream, the namespace its name says, its version, and its records."""


class ThreadkeepStore(Verbs):
    """A LangGraph store in any store of threadkeep, for what agents know across threads.

    Each `put` is one atomic step per namespace. Labels of namespaces may have dots and `@`.
    A `query` is not understood: searches go by prefix and filter.

    Args:
        memory: a `Memory`, or a URL; its namespace (the tenant) is this store's. No I/O yet.
        ttl: `default_ttl` in minutes, and `refresh_on_read`; space is reclaimed by `memory.sweep`.
    """

    supports_ttl = True

    def __init__(self, memory: Memory | str, *, ttl: TTLConfig | None = None) -> None:
        self.memory = shared(memory)
        self.ttl_config = ttl
        self._engine = self.memory.engine
        self._places = Places(self.memory)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do all operations: what is read is as it was before what is written.

        Raises:
            InvalidNamespaceError: a label is no text, or empty.
            InputError: a value is not JSON; nothing was written to its namespace.
        """
        ops = list(ops)
        results: list[Result] = [self._answer(op) for op in ops]
        puts = {(op.namespace, op.key): op for op in ops if isinstance(op, PutOp)}
        by_namespace: dict[Namespace, list[PutOp]] = {}
        for op in puts.values():
            if not op.namespace:
                raise InvalidNamespaceError("Namespace cannot be empty.")
            by_namespace.setdefault(checked(op.namespace), []).append(op)
        for namespace, wanted in by_namespace.items():
            for start in range(0, len(wanted), _AT_ONCE):
                self._put(namespace, wanted[start : start + _AT_ONCE])
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`."""
        found: list[Result] = await self._engine.hop(functools.partial(self.batch, list(ops)))
        return found

    def sweep_ttl(self) -> int:
        """Reclaim the space of what has expired, here and in the sessions; how many."""
        return self.memory.sweep()

    def _answer(self, op: Op) -> Result:
        match op:
            case GetOp():
                return self._get(op)
            case SearchOp():
                return self._search(op)
            case ListNamespacesOp():
                return self._namespaces(op)
            case PutOp():
                return None
        raise ValueError(f"Unknown operation type: {type(op)}")

    def _get(self, op: GetOp) -> Item | None:
        namespace = checked(op.namespace)
        stream = self._places.stream(namespace)
        page = self._engine.read(Query(stream, codec.KIND, ids=[record_id(op.key)]))[0]
        if op.refresh_ttl:
            self._prolong(stream, page.version, page.records)
        return codec.to_item(page.records[0], namespace) if page.records else None

    def _search(self, op: SearchOp) -> list[SearchItem]:
        found = list(islice(self._matching(op), op.offset, op.offset + op.limit))
        if op.refresh_ttl:
            by_stream: dict[str, tuple[int, list[Record]]] = {}
            for stream, version, record, _ in found:
                by_stream.setdefault(stream, (version, []))[1].append(record)
            for stream, (version, records) in by_stream.items():
                self._prolong(stream, version, records)
        return [codec.to_found(item) for _, _, _, item in found]

    def _matching(self, op: SearchOp) -> Iterator[tuple[str, int, Record, Item]]:
        """What a search finds, namespace by namespace, in each the first written first."""
        prefix = checked(op.namespace_prefix)
        enough = None if op.filter else op.offset + op.limit
        for stream, namespace, version, records in self._below(prefix, enough):
            for record in records:
                item = codec.to_item(record, namespace)
                if item.namespace[: len(prefix)] != prefix:
                    break
                if not op.filter or codec.matches(item.value, op.filter):
                    yield stream, version, record, item

    def _namespaces(self, op: ListNamespacesOp) -> list[Namespace]:
        conditions = op.match_conditions or ()
        paths = [(c.match_type, checked(c.path)) for c in conditions]
        heads = [path for kind, path in paths if kind == "prefix" and "*" not in path]
        prefix = max(heads, key=lambda path: len(path), default=())
        found = {
            codec.namespace_of(records[0], namespace)
            for _, namespace, _, records in self._below(prefix, 1)
        }
        wanted = (ns for ns in found if all(codec.fits(ns, c) for c in conditions))
        cut = sorted({namespace[: op.max_depth] for namespace in wanted})
        return cut[op.offset : op.offset + op.limit]

    def _below(self, prefix: Namespace, limit: int | None) -> list[Found]:
        """The streams of a prefix that hold anything, with their oldest records."""
        places = dict(self._places.below(prefix))
        found: list[Found] = []
        names = list(places)
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            pages = self._engine.read(*(Query(name, codec.KIND, limit=limit) for name in part))
            found += [
                (name, places[name], page.version, page.records)
                for name, page in zip(part, pages, strict=True)
                if page.records
            ]
        return sorted(found, key=lambda one: (one[3][0].at, one[0]))

    def _put(self, namespace: Namespace, ops: Sequence[PutOp]) -> None:
        stream, now = self._places.stream(namespace), self._engine.now()
        ids = [record_id(op.key) for op in ops]
        page = self._engine.read(Query(stream, codec.KIND, ids=ids))[0]
        before = {record.id: record for record in page.records}
        named = self._places.is_hashed(namespace)
        put = [
            codec.to_record(op, now, before.get(record_id(op.key)), named=named)
            for op in ops
            if op.value is not None
        ]
        gone = [record_id(op.key) for op in ops if op.value is None]
        drop = [Drop(codec.KIND, gone)] if gone else []
        self._engine.commit(stream, put=put, drop=drop, ttl=None)

    def _prolong(self, stream: str, version: int, records: Iterable[Record]) -> None:
        """Begin the lives of what was read anew, unless others write meanwhile."""
        now = self._engine.now()
        put = [longer for record in records if (longer := codec.prolonged(record, now))]
        if put:
            try:
                self._engine.commit(stream, put=put, ttl=None, expect=version)
            except Conflict:
                return  # what was written since has a life of its own

    def __repr__(self) -> str:
        return f"<ThreadkeepStore of {self.memory!r}>"
