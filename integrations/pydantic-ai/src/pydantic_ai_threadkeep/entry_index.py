"""Which conversation holds an entry, and which conversations a scope has, in streams of their own.

Both are written before the conversation, so that nothing stored is missing in them; an entry
whose conversation does not hold it leads nowhere.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from threadkeep import Drop, Memory
from threadkeep.adapters.checkpoints import session_ttl
from threadkeep.adapters.session_log import Query, Record, fields_of, key
from threadkeep.adapters.shared import record_store

ENTRY: Final = "entry"
_ENTRIES: Final = "conversation_entries"
_SCOPES: Final = "conversation_scopes"
_SHARDS: Final = 16
_TIME_DIGITS: Final = 8
"""Of a version 7 UUID: entries of about a minute are in the same streams."""

_GRACE: Final = 120.0
"""Seconds that an entry of the index lives longer than its session."""

_PAGE: Final = 100
_MAX_IDS: Final = 500
_CACHED: Final = 10_000


class Location(NamedTuple):
    """Where an entry is: its conversation, and its last seq there if it is known."""

    conversation: str
    seq: int | None = None


class EntryIndex:
    """Finds entries by id, and lists the conversations of scopes.

    Args:
        memory: the store.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._store = record_store(memory)
        self._cache: OrderedDict[str, Location] = OrderedDict()

    def remember(self, entry: str, location: Location) -> None:
        """Remember where an entry is, in this process."""
        self._cache[entry] = location
        self._cache.move_to_end(entry)
        while len(self._cache) > _CACHED:
            self._cache.popitem(last=False)

    def find(self, entry: str) -> Location | None:
        """Where an entry is; `None` if it is nowhere."""
        cached_location = self._cache.get(entry)
        return cached_location if cached_location is not None else self.find_stored(entry)

    def find_stored(self, entry: str) -> Location | None:
        """As `find`, in the store alone."""
        queries = [Query(stream, ENTRY, ids=[key(entry)]) for stream in self._shards(entry)]
        for page in self._store.read(*queries):
            for record in page.records:
                if conversation := _conversation_of(record):
                    return Location(conversation)
        return None

    def add(self, entries: Sequence[str], conversation: str) -> None:
        """Write where new entries will be."""
        location_fields = {"conversation": conversation}
        for stream, ids in self._by_shard(entries, conversation).items():
            self._put(stream, [self._record(id, location_fields) for id in ids])

    def remove(self, entries: Sequence[str], conversation: str) -> None:
        """Take entries off the index."""
        for stream, ids in self._by_shard(entries, conversation).items():
            self._drop(stream, ids)
        for entry in entries:
            self._cache.pop(entry, None)

    def touch_scope(self, scope: str | None, conversation: str) -> None:
        """Make a conversation the newest of its scope."""
        stream = self._scope(scope)
        record = self._record(conversation, {"conversation": conversation})
        ttl = session_ttl(self._memory)
        self._store.commit(stream, put=[record], drop=[Drop(ENTRY, [record.id])], ttl=ttl)

    def leave_scope(self, scope: str | None, conversation: str) -> None:
        """Take a conversation off the list of a scope."""
        self._drop(self._scope(scope), [conversation])

    def conversations(self, scope: str | None) -> Iterator[str]:
        """The conversations of a scope, the latest written first; `None` = of all scopes."""
        if scope is not None:
            yield from self._listed(self._scope(scope))
            return
        prefix, cursor = self._store.stream(_SCOPES, ""), None
        while True:
            streams, cursor = self._store.streams(prefix, cursor=cursor, limit=_PAGE)
            for stream in dict.fromkeys(streams):
                yield from self._listed(stream)
            if cursor is None:
                return

    def _listed(self, stream: str) -> Iterator[str]:
        before_seq: int | None = None
        while True:
            query = Query(stream, ENTRY, limit=_PAGE, newest=True, before=before_seq)
            records = self._store.read(query)[0].records
            for record in reversed(records):
                if conversation := _conversation_of(record):
                    yield conversation
            if len(records) < _PAGE:
                return
            before_seq = records[0].seq

    def _record(self, id: str, record_fields: Mapping[str, Any]) -> Record:
        now, ttl = self._store.now(), session_ttl(self._memory)
        expires_at = None if ttl is None else now + ttl + _GRACE
        return Record(ENTRY, key(id), json.dumps(record_fields), now, expires_at)

    def _put(self, stream: str, records: Iterable[Record]) -> None:
        remaining_records = iter(records)
        while batch := list(islice(remaining_records, _MAX_IDS)):
            self._store.commit(stream, put=batch, ttl=session_ttl(self._memory))

    def _drop(self, stream: str, ids: Sequence[str]) -> None:
        for batch_start in range(0, len(ids), _MAX_IDS):
            drop = Drop(ENTRY, [key(id) for id in ids[batch_start : batch_start + _MAX_IDS]])
            self._store.commit(stream, drop=[drop], ttl=session_ttl(self._memory))

    def _scope(self, scope: str | None) -> str:
        return self._store.stream(_SCOPES, "-" if scope is None else f"/{scope}")

    def _by_shard(self, entries: Sequence[str], conversation: str) -> dict[str, list[str]]:
        shard, ids_by_stream = _hash(conversation), dict[str, list[str]]()
        for entry in entries:
            stream = self._store.stream(_ENTRIES, f"{entry[:_TIME_DIGITS]}-{shard:x}")
            ids_by_stream.setdefault(stream, []).append(entry)
        return ids_by_stream

    def _shards(self, entry: str) -> list[str]:
        digits = entry[:_TIME_DIGITS]
        return [self._store.stream(_ENTRIES, f"{digits}-{shard:x}") for shard in range(_SHARDS)]


def _conversation_of(record: Record) -> str | None:
    """The conversation that a record names; `None` if it cannot be read."""
    conversation = (fields_of(record) or {}).get("conversation")
    return conversation if isinstance(conversation, str) and conversation else None


def _hash(conversation: str) -> int:
    digest = hashlib.sha256(conversation.encode("utf-8", "surrogatepass")).digest()
    return digest[0] % _SHARDS
