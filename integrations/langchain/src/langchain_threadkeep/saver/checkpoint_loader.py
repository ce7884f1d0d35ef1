"""Reads what checkpoints refer to, for many of them at once, in two or three round trips."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from langchain_core.messages import BaseMessage

from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.lists import RUN, Span, keys_of, read_segment, segment_ids
from langchain_threadkeep.saver.lists import unmerged_ids as unmerged
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
from langchain_threadkeep.saver.stored_items import StoredItems
from langchain_threadkeep.saver.values import MISSING, Decoder, Form, walk
from threadkeep import Query, Record
from threadkeep.adapters import checkpoints
from threadkeep.adapters.checkpoints import ThreadStreams
from threadkeep.adapters.shared import RecordStore

_IDS: Final = 500
"""Ids in one query."""

_QUERIES: Final = 20
"""Queries in one round trip."""


class Used(NamedTuple):
    """What checkpoints refer to: the ids of parts of large values, and digests of elements."""

    values: set[str]
    elements: set[str]


class Library:
    """What was read of a thread: lists, large values, elements and items.

    Args:
        store: the records.
        streams: of the thread.
        namespace: the one whose checkpoints are read.
        serde: LangGraph's serializer.
    """

    def __init__(
        self, store: RecordStore, streams: ThreadStreams, namespace: str, serde: Any
    ) -> None:
        self._store, self._serde = store, serde
        self._stream = streams.stream(namespace)
        self._root = streams.stream(checkpoints.ROOT)
        self._session = streams.session
        self.segments: dict[str, list[str]] = {}
        self._chunks: dict[str, list[WriteChunk]] = {}
        self._large: dict[str, Form] = {}
        self._elements: dict[str, dict[str, Any] | None] = {}
        self._items = StoredItems()
        self._parts: dict[str, str] = {}
        self._texts: dict[str, dict[str, Any]] = {}
        self._write_records: list[Record] = []
        self._versions: dict[str, set[int]] = {self._stream: set(), self._session: set()}

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
        roots = [form for body in bodies for form in _forms(body)] + list(forms)
        roots += [write.form for body in bodies for write in body.writes]
        self._load_stream(roots, list(writes))
        pending = [
            write.form for chunks in self._chunks.values() for c in chunks for write in c.writes
        ]
        self._load_nested(roots + pending)

    def load_keys(self, spans: Sequence[Sequence[Span]]) -> None:
        """Read the keys of lists, not their elements."""
        self._read_runs(spans)

    def writes(self, body: CheckpointBody) -> list[WriteChunk]:
        """The writes of a checkpoint, as read."""
        return self.writes_of(body.id, body)

    def writes_of(self, id: str, body: CheckpointBody | None) -> list[WriteChunk]:
        """The writes of a checkpoint that may not be stored yet."""
        return all_chunks(body, self._chunks.get(id, []))

    def used(self, bodies: Sequence[CheckpointBody]) -> Used:
        """What these checkpoints refer to, after `load`."""
        pending = [w.form for chunks in self._chunks.values() for c in chunks for w in c.writes]
        pending += [write.form for body in bodies for write in body.writes]
        forms: Sequence[Form] = [form for body in bodies for form in _forms(body)] + pending
        values, elements = set[str](), set[str]()
        while forms:
            spans = [[Span(*span) for span in spans] for spans in _tagged(forms, "r")]
            keys = [key for s in spans for key in keys_of(s, self.segments)[0]]
            forms = [*forms, *(json.loads(key)["e"] for key in keys if key.startswith("{"))]
            refs = [key for key in keys if not key.startswith("{")] + _tagged(forms, "m")
            elements.update(map(references.element_id, refs))
            elements.update(TEXT + name for name in _tagged(forms, "t"))
            said = [self._texts.get(name, {}).get("of") for name in _tagged(forms, "t")]
            elements.update(references.element_id(ref) for ref in said if ref)
            names = [v for v in _tagged(forms, "v") if f"{v[0]}.0" not in values]
            values.update(_part_ids(names))
            inner = [self._large[name] for name, _ in names if name in self._large]
            found = [self._elements.get(references.element_id(ref)) for ref in refs]
            inner += [e["form"] for e in found if e and "form" in e]
            inner += [{"m": e["of"]} for e in found if e and "of" in e]
            forms = inner
        return Used(values, elements)

    def large(self, name: str, parts: int) -> Form:
        """The form stored under a digest; `None` if it is gone."""
        return self._large.get(name)

    def message(self, reference: str) -> Any:
        """A new object for the message of a reference, or `MISSING`.

        The exact message, from its item or from an element; else what its item says now.
        """
        if not self._items.is_exact(reference):
            element = self._elements.get(references.element_id(reference))
            if element is not None:
                return self._element(element)
        message = self._items.message(reference)
        return MISSING if message is None else message

    def long_list(self, spans: Sequence[Any]) -> list[Any]:
        """The elements of a long list; `MISSING` for each whose segment is gone."""
        known = [Span(*span) for span in spans]
        keys, _ = keys_of(known, self.segments)
        return self.elements(keys) + [MISSING] * (known[0].length - len(keys))

    def elements(self, keys: Iterable[str]) -> list[Any]:
        """The elements of these keys."""
        decoder = Decoder(self._serde, self)
        return [
            decoder.decode(json.loads(key)["e"]) if key.startswith("{") else self.message(key)
            for key in keys
        ]

    def text(self, name: str) -> Any:
        """The text stored under a digest, or `MISSING`."""
        stored = self._texts.get(name, {})
        if "text" in stored:
            return stored["text"]
        message = self.message(stored["of"]) if "of" in stored else MISSING
        content = getattr(message, "content", None)
        return content if isinstance(content, str) else MISSING

    def _load_texts(self, names: Sequence[str]) -> None:
        """Read texts, and the messages that say them."""
        ids = [TEXT + name for name in dict.fromkeys(names) if name not in self._texts]
        if not ids:
            return
        for record in self._read(_queries(self._stream, ELEMENT, ids)):
            self._texts[record.id.removeprefix(TEXT)] = json.loads(record.body)
        said = [self._texts[name]["of"] for name in names if "of" in self._texts.get(name, {})]
        self._load_messages(said, [])

    def _element(self, element: dict[str, Any]) -> BaseMessage | Any:
        if "body" in element:
            item = checkpoints.item_of(element["body"])
            return MISSING if item is None else references.restore(item)
        if "of" in element:
            message = self.message(element["of"])
            if message is MISSING or not element.get("bare"):
                return message
            return message.model_copy(update={"id": None})
        return Decoder(self._serde, self).decode(element["form"])

    def _load_stream(self, forms: Sequence[Form], writes: Sequence[str]) -> None:
        """The first round trip: runs, writes and large values."""
        spans = [[Span(*span) for span in spans] for spans in _tagged(forms, "r")]
        ids = [id for name in writes for id in write_ids(name, 0, SPECULATIVE_CHUNKS)]
        queries = [
            *_queries(self._stream, RUN, _unique(segment_ids(s) for s in spans)),
            *_queries(self._stream, WRITE, ids),
            *_queries(self._stream, VALUE, _part_ids(_tagged(forms, "v"))),
        ]
        self._take(self._read(queries))
        self._take(self._read(_queries(self._stream, RUN, self._unmerged(spans))))
        by_id = {record.id: record for record in self._write_records}
        self._write_records = []
        for name in writes:
            self._chunks[name] = self._write_chunks(name, by_id)
        self._assemble(_tagged(forms, "v"))

    def _read_runs(self, spans: Sequence[Sequence[Span]]) -> None:
        ids = _unique(segment_ids(s) for s in spans)
        self._take(self._read(_queries(self._stream, RUN, ids)))
        self._take(self._read(_queries(self._stream, RUN, self._unmerged(spans))))

    def _unmerged(self, spans: Iterable[Sequence[Span]]) -> list[str]:
        """The ids of segments of full groups that were not merged."""
        return _unique(
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
            by_id = {r.id: r for r in self._read([Query(self._stream, WRITE, ids=ids)])}

    def _load_nested(self, forms: Sequence[Form]) -> None:
        """The next round trips: messages, and what large values refer to."""
        seen: set[str] = set()
        texts: list[str] = []
        while forms:
            texts += _tagged(forms, "t")
            spans = [[Span(*span) for span in spans] for spans in _tagged(forms, "r")]
            keys = [key for s in spans for key in keys_of(s, self.segments)[0]]
            inner = [json.loads(key)["e"] for key in keys if key.startswith("{")]
            names = [v for v in _tagged([*forms, *inner], "v") if v[0] not in seen]
            seen.update(name for name, _ in names)
            refs = [key for key in keys if not key.startswith("{")]
            refs += _tagged([*forms, *inner], "m")
            forms = self._load_messages(refs, [v for v in names if v[0] not in self._large])
            forms = [*forms, *(self._large[name] for name, _ in names if name in self._large)]
        self._load_texts(texts)

    def _load_messages(self, refs: Sequence[str], names: Sequence[Any]) -> list[Form]:
        """Read elements, items and large values; returns forms inside elements."""
        items = self._items.lacking(ref[references.DIGEST + 1 :] for ref in refs)
        self._take(
            self._read(
                [
                    *_queries(self._session, "item", items),
                    *_queries(self._stream, VALUE, _part_ids(names)),
                ]
            )
        )
        self._assemble(names)
        inexact = dict.fromkeys(ref for ref in refs if not self._items.is_exact(ref))
        lacking = [id for id in map(references.element_id, inexact) if id not in self._elements]
        if not lacking:
            return []
        streams = dict.fromkeys([self._stream, self._root])
        self._take(self._read([q for s in streams for q in _queries(s, ELEMENT, lacking)]))
        found = [self._elements.setdefault(id, None) for id in lacking]
        return [
            element.get("form", {"m": element.get("of")})
            for element in found
            if element and ("form" in element or "of" in element)
        ]

    def is_item(self, reference: str) -> bool:
        """Return True if the item that was read is exactly the message of a reference."""
        return self._items.is_exact(reference)

    @property
    def newest_item(self) -> int:
        """The largest seq of the items that were read."""
        return self._items.newest

    def _read(self, queries: Sequence[Query]) -> Iterator[Record]:
        for start in range(0, len(queries), _QUERIES):
            batch = queries[start : start + _QUERIES]
            for query, page in zip(batch, self._store.read(*batch), strict=True):
                self._versions.setdefault(query.stream, set()).add(page.version)
                yield from page.records

    @property
    def session_version(self) -> int | None:
        """The version of the session that all items were read at; `None` = none, or several."""
        versions = self._versions[self._session]
        return next(iter(versions)) if len(versions) == 1 else None

    def is_of(self, version: int | None, session_version: int | None) -> bool:
        """Return True if all was read at these versions of the stream and the session.

        Args:
            version: of the stream.
            session_version: of the session; `None` = any one.
        """
        seen = self._versions[self._session]
        if len(seen) > 1 or not self._versions[self._stream] <= {version}:
            return False
        return session_version is None or seen <= {session_version}

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            match record.kind:
                case "run":
                    self.segments[record.id] = read_segment(record)
                case "write":
                    self._write_records.append(record)
                case "value":
                    self._parts[record.id] = json.loads(record.body)
                case "element":
                    self._elements[record.id] = json.loads(record.body)
                case "item":
                    self._items.take(record)

    def _assemble(self, names: Iterable[Any]) -> None:
        for name, count in names:
            parts = [self._parts.pop(f"{name}.{n}", None) for n in range(count)]
            if name not in self._large and all(part is not None for part in parts):
                self._large[name] = json.loads("".join(part or "" for part in parts))


def _forms(body: CheckpointBody) -> Iterator[Form]:
    yield from body.values.values()
    yield from body.metadata.values()
    yield from body.fields.get("extra", {}).values()


def _tagged(forms: Iterable[Form], tag: str) -> list[Any]:
    return [content for form in forms for found, content in walk(form) if found == tag]


def _part_ids(names: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(f"{name}.{n}" for name, count in names for n in range(count)))


def _unique(ids: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(id for some in ids for id in some))


def _queries(stream: str, kind: str, ids: Sequence[str]) -> list[Query]:
    return [
        Query(stream, kind, ids=ids[start : start + _IDS]) for start in range(0, len(ids), _IDS)
    ]


def _group(segment_id: str) -> int:
    return int(segment_id.rpartition(".")[2]) // 32
