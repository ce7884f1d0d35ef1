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
        root_forms = [
            stored_form for checkpoint_body in bodies for stored_form in forms_of(checkpoint_body)
        ] + list(forms)
        root_forms += [write.form for checkpoint_body in bodies for write in checkpoint_body.writes]
        self._load_stream(root_forms, list(writes))
        pending_forms = [
            write.form
            for chunks in self.chunks.values()
            for chunk in chunks
            for write in chunk.writes
        ]
        self._load_nested(root_forms + pending_forms)

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
        span_lists = [[RunSpan(*span) for span in spans] for spans in tagged(forms, "r")]
        write_record_ids = [
            write_record_id
            for checkpoint_id in writes
            for write_record_id in write_ids(checkpoint_id, 0, SPECULATIVE_CHUNKS)
        ]
        queries = [
            *id_queries(self._stream, RUN, unique(segment_ids(spans) for spans in span_lists)),
            *id_queries(self._stream, WRITE, write_record_ids),
            *id_queries(self._stream, VALUE, part_ids(tagged(forms, "v"))),
        ]
        self._take(self._records.read(queries))
        self._take(self._records.read(id_queries(self._stream, RUN, self._unmerged(span_lists))))
        record_by_id = {record.id: record for record in self._write_records}
        self._write_records = []
        for checkpoint_id in writes:
            self.chunks[checkpoint_id] = self._write_chunks(checkpoint_id, record_by_id)
        self._assemble(tagged(forms, "v"))

    def _read_runs(self, spans: Sequence[Sequence[RunSpan]]) -> None:
        record_ids = unique(segment_ids(list_spans) for list_spans in spans)
        self._take(self._records.read(id_queries(self._stream, RUN, record_ids)))
        self._take(self._records.read(id_queries(self._stream, RUN, self._unmerged(spans))))

    def _unmerged(self, spans: Iterable[Sequence[RunSpan]]) -> list[str]:
        """The ids of segments of full groups that were not merged."""
        return unique(
            (
                segment_id
                for segment_id in unmerged(span)
                if f"{span.run}.c{_group(segment_id)}" not in self.segments
            )
            for list_spans in spans
            for span in list_spans
        )

    def _write_chunks(self, checkpoint_id: str, by_id: dict[str, Record]) -> list[WriteChunk]:
        chunks: list[WriteChunk] = []
        record_ids = write_ids(checkpoint_id, 0, SPECULATIVE_CHUNKS)
        while True:
            existing_records = [by_id[record_id] for record_id in record_ids if record_id in by_id]
            chunks += map(read_writes, existing_records)
            if len(existing_records) < len(record_ids):
                return chunks
            record_ids = write_ids(checkpoint_id, len(chunks), SPECULATIVE_CHUNKS)
            by_id = {
                record.id: record
                for record in self._records.read([Query(self._stream, WRITE, ids=record_ids)])
            }

    def _load_nested(self, forms: Sequence[Form]) -> None:
        """The next round trips: messages, and what large values refer to."""
        visited_names: set[str] = set()
        text_names: list[str] = []
        while forms:
            text_names += tagged(forms, "t")
            span_lists = [[RunSpan(*span) for span in spans] for spans in tagged(forms, "r")]
            element_keys = [key for spans in span_lists for key in keys_of(spans, self.segments)[0]]
            inner_forms = [json.loads(key)["e"] for key in element_keys if key.startswith("{")]
            value_refs = [
                ref for ref in tagged([*forms, *inner_forms], "v") if ref[0] not in visited_names
            ]
            visited_names.update(name for name, _ in value_refs)
            message_refs = [key for key in element_keys if not key.startswith("{")]
            message_refs += tagged([*forms, *inner_forms], "m")
            forms = self._load_messages(
                message_refs, [ref for ref in value_refs if ref[0] not in self.large_forms]
            )
            large_forms, value_names = self.large_forms, [name for name, _ in value_refs]
            forms = [*forms, *(large_forms[name] for name in value_names if name in large_forms)]
        self._load_texts(text_names)

    def _load_messages(self, refs: Sequence[str], value_refs: Sequence[Any]) -> list[Form]:
        """Read elements, items and large values; returns forms inside elements."""
        item_ids = self.items.lacking(reference[references.DIGEST + 1 :] for reference in refs)
        item_queries = id_queries(self._session, "item", item_ids)
        value_queries = id_queries(self._stream, VALUE, part_ids(value_refs))
        self._take(self._records.read([*item_queries, *value_queries]))
        self._assemble(value_refs)
        return self._load_elements(ref for ref in refs if not self.items.is_exact(ref))

    def _load_elements(self, refs: Iterable[str]) -> list[Form]:
        """Read elements from this namespace and the root; returns the forms inside them."""
        element_ids = [references.element_id(ref) for ref in dict.fromkeys(refs)]
        missing_ids = [id for id in element_ids if id not in self.stored_elements]
        if not missing_ids:
            return []
        streams = dict.fromkeys([self._stream, self._root])
        queries = [
            query for stream in streams for query in id_queries(stream, ELEMENT, missing_ids)
        ]
        self._take(self._records.read(queries))
        elements = [self.stored_elements.setdefault(id, None) for id in missing_ids]
        return [
            element.get("form", {"m": element.get("of")})
            for element in elements
            if element and ("form" in element or "of" in element)
        ]

    def _load_texts(self, names: Sequence[str]) -> None:
        """Read texts, and the messages that say them."""
        element_ids = [
            TEXT + text_name for text_name in dict.fromkeys(names) if text_name not in self.texts
        ]
        if not element_ids:
            return
        for record in self._records.read(id_queries(self._stream, ELEMENT, element_ids)):
            self.texts[record.id.removeprefix(TEXT)] = parsed(record, dict) or {}
        message_refs = [
            self.texts[text_name]["of"]
            for text_name in names
            if "of" in self.texts.get(text_name, {})
        ]
        self._load_messages(message_refs, [])

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
        session_versions = self._records.versions(self._session)
        if len(session_versions) > 1 or not self._records.versions(self._stream) <= {version}:
            return False
        return session_version is None or session_versions <= {session_version}

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

    def _assemble(self, value_refs: Iterable[Any]) -> None:
        for value_name, part_count in value_refs:
            value_parts = [
                self._parts.pop(f"{value_name}.{part_number}", None)
                for part_number in range(part_count)
            ]
            if value_name not in self.large_forms and all(part is not None for part in value_parts):
                self.large_forms[value_name] = json.loads(
                    "".join(part or "" for part in value_parts)
                )


def _group(segment_id: str) -> int:
    return int(segment_id.rpartition(".")[2]) // GROUP
