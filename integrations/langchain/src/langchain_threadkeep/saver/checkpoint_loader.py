"""Reads what checkpoints refer to, for many of them at once, in two or three round trips."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.form_references import (
    forms_of,
    id_queries,
    part_ids,
    tagged,
    unique,
)
from langchain_threadkeep.saver.list_values import RunSpan
from langchain_threadkeep.saver.record_reader import RecordReader
from langchain_threadkeep.saver.records import (
    ELEMENT,
    SPECULATIVE_CHUNKS,
    TEXT,
    VALUE,
    WRITE,
    CheckpointBody,
    WriteChunk,
    all_chunks,
    read_writes,
    write_ids,
)
from langchain_threadkeep.saver.segments import GROUP, RUN, keys_of, read_segment, segment_ids
from langchain_threadkeep.saver.segments import unmerged_ids as unmerged
from langchain_threadkeep.saver.stored_items import StoredItems
from langchain_threadkeep.saver.stored_json import parsed
from langchain_threadkeep.saver.values import Form
from threadkeep import Query, Record
from threadkeep.adapters import checkpoints
from threadkeep.adapters.checkpoints import ThreadStreams
from threadkeep.adapters.shared import RecordStore


class Loader:
    """Loads lists, large values, elements and items of a thread.

    Args:
        store: the records.
        streams: of the thread.
        namespace: the one whose checkpoints are read.

    Attributes:
        segments: the keys in each record of a run.
        large_forms: large forms, by digest.
        chunks: the writes of checkpoints, by id.
        stored_elements: elements by id; `None` = there is none.
        items: of the session.
        texts: what is stored of texts, by digest.
    """

    def __init__(self, store: RecordStore, streams: ThreadStreams, namespace: str) -> None:
        self._records = RecordReader(store)
        self._stream = streams.stream(namespace)
        self._root = streams.stream(checkpoints.ROOT)
        self._session = streams.session
        self.segments: dict[str, list[str]] = {}
        self.large_forms: dict[str, Form] = {}
        self.chunks: dict[str, list[WriteChunk]] = {}
        self.stored_elements: dict[str, dict[str, Any] | None] = {}
        self.items = StoredItems()
        self.texts: dict[str, dict[str, Any]] = {}
        self._parts: dict[str, str | None] = {}
        self._write_records: list[Record] = []

    def load(
        self,
        bodies: Sequence[CheckpointBody],
        *,
        writes: Iterable[str] = (),
        forms: Iterable[Form] = (),
    ) -> None:
        """Read all that these checkpoints refer to, and the writes of some.

        Args:
            bodies: the checkpoints.
            writes: the ids of checkpoints whose writes are read too.
            forms: more forms whose references are read.
        """
        roots = [form for body in bodies for form in forms_of(body)] + list(forms)
        roots += [write.form for body in bodies for write in body.writes]
        self._load_stream(roots, list(writes))
        pending = [
            write.form for chunks in self.chunks.values() for c in chunks for write in c.writes
        ]
        self._load_nested(roots + pending)

    def load_keys(self, spans: Sequence[Sequence[RunSpan]]) -> None:
        """Read the keys of lists, not their elements."""
        self._read_runs(spans)

    def writes(self, body: CheckpointBody) -> list[WriteChunk]:
        """The writes of a checkpoint, as read."""
        return self.writes_of(body.id, body)

    def writes_of(self, id: str, body: CheckpointBody | None) -> list[WriteChunk]:
        """The writes of a checkpoint that may not be stored yet."""
        return all_chunks(body, self.chunks.get(id, []))

    def _load_stream(self, forms: Sequence[Form], writes: Sequence[str]) -> None:
        """The first round trip: runs, writes and large values."""
        spans = [[RunSpan(*span) for span in spans] for spans in tagged(forms, "r")]
        ids = [id for name in writes for id in write_ids(name, 0, SPECULATIVE_CHUNKS)]
        queries = [
            *id_queries(self._stream, RUN, unique(segment_ids(s) for s in spans)),
            *id_queries(self._stream, WRITE, ids),
            *id_queries(self._stream, VALUE, part_ids(tagged(forms, "v"))),
        ]
        self._take(self._records.read(queries))
        self._take(self._records.read(id_queries(self._stream, RUN, self._unmerged(spans))))
        by_id = {record.id: record for record in self._write_records}
        self._write_records = []
        for name in writes:
            self.chunks[name] = self._write_chunks(name, by_id)
        self._assemble(tagged(forms, "v"))

    def _read_runs(self, spans: Sequence[Sequence[RunSpan]]) -> None:
        ids = unique(segment_ids(s) for s in spans)
        self._take(self._records.read(id_queries(self._stream, RUN, ids)))
        self._take(self._records.read(id_queries(self._stream, RUN, self._unmerged(spans))))

    def _unmerged(self, spans: Iterable[Sequence[RunSpan]]) -> list[str]:
        """The ids of segments of full groups that were not merged."""
        return unique(
            (id for id in unmerged(span) if f"{span.run}.c{_group(id)}" not in self.segments)
            for list_spans in spans
            for span in list_spans
        )

    def _write_chunks(self, name: str, by_id: dict[str, Record]) -> list[WriteChunk]:
        chunks: list[WriteChunk] = []
        ids = write_ids(name, 0, SPECULATIVE_CHUNKS)
        while True:
            present = [by_id[id] for id in ids if id in by_id]
            chunks += map(read_writes, present)
            if len(present) < len(ids):
                return chunks
            ids = write_ids(name, len(chunks), SPECULATIVE_CHUNKS)
            by_id = {r.id: r for r in self._records.read([Query(self._stream, WRITE, ids=ids)])}

    def _load_nested(self, forms: Sequence[Form]) -> None:
        """The next round trips: messages, and what large values refer to."""
        visited: set[str] = set()
        texts: list[str] = []
        while forms:
            texts += tagged(forms, "t")
            spans = [[RunSpan(*span) for span in spans] for spans in tagged(forms, "r")]
            keys = [key for s in spans for key in keys_of(s, self.segments)[0]]
            inner = [json.loads(key)["e"] for key in keys if key.startswith("{")]
            names = [v for v in tagged([*forms, *inner], "v") if v[0] not in visited]
            visited.update(name for name, _ in names)
            refs = [key for key in keys if not key.startswith("{")]
            refs += tagged([*forms, *inner], "m")
            forms = self._load_messages(refs, [v for v in names if v[0] not in self.large_forms])
            forms = [
                *forms,
                *(self.large_forms[name] for name, _ in names if name in self.large_forms),
            ]
        self._load_texts(texts)

    def _load_messages(self, refs: Sequence[str], names: Sequence[Any]) -> list[Form]:
        """Read elements, items and large values; returns forms inside elements."""
        items = self.items.lacking(ref[references.DIGEST + 1 :] for ref in refs)
        self._take(
            self._records.read(
                [
                    *id_queries(self._session, "item", items),
                    *id_queries(self._stream, VALUE, part_ids(names)),
                ]
            )
        )
        self._assemble(names)
        inexact = dict.fromkeys(ref for ref in refs if not self.items.is_exact(ref))
        lacking = [
            id for id in map(references.element_id, inexact) if id not in self.stored_elements
        ]
        if not lacking:
            return []
        streams = dict.fromkeys([self._stream, self._root])
        self._take(
            self._records.read([q for s in streams for q in id_queries(s, ELEMENT, lacking)])
        )
        loaded = [self.stored_elements.setdefault(id, None) for id in lacking]
        return [
            element.get("form", {"m": element.get("of")})
            for element in loaded
            if element and ("form" in element or "of" in element)
        ]

    def _load_texts(self, names: Sequence[str]) -> None:
        """Read texts, and the messages that say them."""
        ids = [TEXT + name for name in dict.fromkeys(names) if name not in self.texts]
        if not ids:
            return
        for record in self._records.read(id_queries(self._stream, ELEMENT, ids)):
            self.texts[record.id.removeprefix(TEXT)] = parsed(record, dict) or {}
        text_references = [
            self.texts[name]["of"] for name in names if "of" in self.texts.get(name, {})
        ]
        self._load_messages(text_references, [])

    @property
    def session_version(self) -> int | None:
        """The version of the session that all items were read at; `None` = none, or several."""
        versions = self._records.versions(self._session)
        return next(iter(versions)) if len(versions) == 1 else None

    def is_of(self, version: int | None, session_version: int | None) -> bool:
        """Return True if all was read at these versions of the stream and the session.

        Args:
            version: of the stream.
            session_version: of the session; `None` = any one.
        """
        read_at = self._records.versions(self._session)
        if len(read_at) > 1 or not self._records.versions(self._stream) <= {version}:
            return False
        return session_version is None or read_at <= {session_version}

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            match record.kind:
                case "run":
                    self.segments[record.id] = read_segment(record)
                case "write":
                    self._write_records.append(record)
                case "value":
                    self._parts[record.id] = parsed(record, str)
                case "element":
                    self.stored_elements[record.id] = parsed(record, dict)
                case "item":
                    self.items.take(record)

    def _assemble(self, names: Iterable[Any]) -> None:
        for name, count in names:
            parts = [self._parts.pop(f"{name}.{n}", None) for n in range(count)]
            if name not in self.large_forms and all(part is not None for part in parts):
                self.large_forms[name] = json.loads("".join(part or "" for part in parts))


def _group(segment_id: str) -> int:
    return int(segment_id.rpartition(".")[2]) // GROUP
