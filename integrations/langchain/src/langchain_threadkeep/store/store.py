"""`ThreadkeepStore`: for `create_agent(store=)` and `compile(store=)`."""

from __future__ import annotations

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
from langchain_threadkeep.store.addresses import (
    Namespace,
    NamespaceStreams,
    record_id,
    validated,
)
from langchain_threadkeep.store.operations import StoreOperations
from langchain_threadkeep.store.ttl import checked_ttl
from threadkeep import Drop, Memory, Query, Record
from threadkeep.adapters.absent import say_instead
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.shared import record_store, shared_memory
from threadkeep.errors import Conflict

_BATCH: Final = 500
"""The maximum of streams or records in one read or commit."""

StreamRecords = tuple[str, Namespace | None, int, list[Record]]
"""A stream, its namespace (`None` = hashed), its version and its records."""


@say_instead(from_conn_string="ThreadkeepStore(url)", setup="nothing, a store needs no setup")
class ThreadkeepStore(StoreOperations):
    """A LangGraph store on any threadkeep store, for knowledge that agents share across threads.

    Puts are atomic per namespace. Labels of namespaces may contain dots and `@`. A `query` is
    ignored: searches use prefix and filter only.

    Args:
        memory: a `Memory`, or a URL; `None` = the store of `threadkeep.connect()`. Its namespace
            (the tenant) applies. No I/O yet.
        ttl: `default_ttl` in minutes, and `refresh_on_read`; space is reclaimed by `memory.sweep`.

    Raises:
        ConfigError: `ttl` is not a dict of these.
    """

    supports_ttl = True

    @strict_arguments
    def __init__(self, memory: Memory | str | None = None, *, ttl: TTLConfig | None = None) -> None:
        self.memory = shared_memory(memory)
        self.ttl_config = checked_ttl(ttl)
        self._records = record_store(self.memory)
        self._streams = NamespaceStreams(self.memory)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run all operations; reads return the state before the writes.

        Raises:
            InvalidNamespaceError: a label is empty or not a text.
            InputError: a value is not JSON; nothing was written to its namespace.
        """
        ops = list(ops)
        results: list[Result] = [self._run(op) for op in ops]
        put_by_key = {(op.namespace, op.key): op for op in ops if isinstance(op, PutOp)}
        puts_by_namespace: dict[Namespace, list[PutOp]] = {}
        for op in put_by_key.values():
            if op.namespace:
                puts_by_namespace.setdefault(validated(op.namespace), []).append(op)
            elif op.value is not None:  # a deletion has nothing to find there
                raise InvalidNamespaceError("Namespace cannot be empty.")
        for namespace, namespace_puts in puts_by_namespace.items():
            for batch_start in range(0, len(namespace_puts), _BATCH):
                self._put(namespace, namespace_puts[batch_start : batch_start + _BATCH])
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`."""
        return await self.memory.to_thread(self.batch, list(ops))

    def sweep_ttl(self) -> int:
        """Delete expired records of this store and of sessions; returns their number."""
        return self.memory.sweep()

    def _run(self, op: Op) -> Result:
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
        namespace = validated(op.namespace)
        stream = self._streams.stream(namespace)
        record_page = self._records.read(Query(stream, codec.KIND, ids=[record_id(op.key)]))[0]
        if op.refresh_ttl:
            self._renew_ttl(stream, record_page.version, record_page.records)
        return codec.to_item(record_page.records[0], namespace) if record_page.records else None

    def _search(self, op: SearchOp) -> list[SearchItem]:
        hits = list(islice(self._matching(op), op.offset, op.offset + op.limit))
        if op.refresh_ttl:
            hits_by_stream: dict[str, tuple[int, list[Record]]] = {}
            for stream, stream_version, record, _ in hits:
                hits_by_stream.setdefault(stream, (stream_version, []))[1].append(record)
            for stream, (stream_version, records) in hits_by_stream.items():
                self._renew_ttl(stream, stream_version, records)
        return [codec.to_search_item(item) for _, _, _, item in hits]

    def _matching(self, op: SearchOp) -> Iterator[tuple[str, int, Record, Item]]:
        """Yield the hits of a search by namespace, oldest first within each."""
        namespace_prefix = validated(op.namespace_prefix)
        record_limit = None if op.filter else op.offset + op.limit
        for stream, namespace, stream_version, records in self._streams_under(
            namespace_prefix, record_limit
        ):
            for record in records:
                item = codec.to_item(record, namespace)
                if item is None:
                    continue
                if item.namespace[: len(namespace_prefix)] != namespace_prefix:
                    break
                if not op.filter or codec.matches(item.value, op.filter):
                    yield stream, stream_version, record, item

    def _namespaces(self, op: ListNamespacesOp) -> list[Namespace]:
        conditions = op.match_conditions or ()
        condition_paths = [
            (condition.match_type, validated(condition.path)) for condition in conditions
        ]
        prefixes = [
            path
            for match_type, path in condition_paths
            if match_type == "prefix" and "*" not in path
        ]
        longest_prefix = max(prefixes, key=lambda path: len(path), default=())
        namespaces = {
            stored_namespace
            for _, namespace, _, records in self._streams_under(longest_prefix, 1)
            if (stored_namespace := codec.namespace_of(records[0], namespace)) is not None
        }
        listed_namespaces = {
            namespace[: op.max_depth]
            for namespace in namespaces
            if all(codec.matches_namespace(namespace, condition) for condition in conditions)
        }
        return sorted(listed_namespaces)[op.offset : op.offset + op.limit]

    def _streams_under(self, prefix: Namespace, limit: int | None) -> list[StreamRecords]:
        """The non-empty streams of a prefix, with their oldest records."""
        namespaces = dict(self._streams.under(prefix))
        stream_records: list[StreamRecords] = []
        stream_names = list(namespaces)
        for batch_start in range(0, len(stream_names), _BATCH):
            name_batch = stream_names[batch_start : batch_start + _BATCH]
            record_pages = self._records.read(
                *(Query(stream_name, codec.KIND, limit=limit) for stream_name in name_batch)
            )
            stream_records += [
                (stream_name, namespaces[stream_name], record_page.version, record_page.records)
                for stream_name, record_page in zip(name_batch, record_pages, strict=True)
                if record_page.records
            ]
        return sorted(stream_records, key=lambda stream: (stream[3][0].at, stream[0]))

    def _put(self, namespace: Namespace, ops: Sequence[PutOp]) -> None:
        stream, now = self._streams.stream(namespace), self._records.now()
        record_ids = [record_id(op.key) for op in ops]
        record_page = self._records.read(Query(stream, codec.KIND, ids=record_ids))[0]
        record_by_id = {record.id: record for record in record_page.records}
        with_namespace = self._streams.is_hashed(namespace)
        new_records = [
            codec.to_record(
                op, now, record_by_id.get(record_id(op.key)), with_namespace=with_namespace
            )
            for op in ops
            if op.value is not None
        ]
        deleted_ids = [record_id(op.key) for op in ops if op.value is None]
        drops = [Drop(codec.KIND, deleted_ids)] if deleted_ids else []
        self._records.commit(stream, put=new_records, drop=drops, ttl=None)

    def _renew_ttl(self, stream: str, version: int, records: Iterable[Record]) -> None:
        """Restart the TTL of records that were read, unless a concurrent write intervenes."""
        now = self._records.now()
        renewed_records = [
            renewed_record
            for record in records
            if (renewed_record := codec.with_renewed_ttl(record, now))
        ]
        if renewed_records:
            try:
                self._records.commit(stream, put=renewed_records, ttl=None, expect=version)
            except Conflict:
                return  # the concurrent write has set a new TTL

    def __repr__(self) -> str:
        return f"<ThreadkeepStore of {self.memory!r}>"
