"""Writes checkpoints and pending writes: messages first, the checkpoint after, in one commit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)

from langchain_threadkeep.codec import to_item
from langchain_threadkeep.saver import items, lease, references
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.encoding import POSITION, NewMessage, ValueWriter
from langchain_threadkeep.saver.lists import RUN, ListValue
from langchain_threadkeep.saver.reading import Address, Reader
from langchain_threadkeep.saver.records import (
    ELEMENT,
    TEXT,
    THREAD,
    CheckpointBody,
    Write,
    WriteChunk,
    all_chunks,
    body_of,
    checkpoint_record,
    with_writes,
    write_record,
)
from langchain_threadkeep.saver.state import Entry, StreamState
from langchain_threadkeep.saver.values import Form
from threadkeep import Drop, Query, Record
from threadkeep.adapters import checkpoints
from threadkeep.errors import BackendError, Conflict, NotOwner

T = TypeVar("T")

_TRIES: Final = 64
_LONGEST_WAIT: Final = 0.02


class Writer:
    """Writes to a namespace of a thread, with its state locked.

    Raises:
        NotOwner: in each method, if the thread belongs to another user; nothing was written.
    """

    def __init__(self, context: SaverContext, state: StreamState, address: Address) -> None:
        self._context, self._state, self._address = context, state, address
        self._reader = Reader(context, state, address)

    def put(
        self,
        parent: str | None,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None:
        """Store a checkpoint."""
        self._retry(lambda: self._put(parent, checkpoint, metadata, new_versions))

    def put_writes(
        self, checkpoint_id: str, writes: Sequence[tuple[str, Any]], task_id: str, path: str
    ) -> None:
        """Store the writes of a task to a checkpoint, which need not be stored yet."""
        self._retry(lambda: self._put_writes(checkpoint_id, writes, task_id, path))

    def _put(
        self,
        parent: str | None,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> None:
        state, now = self._state, self._context.store.now()
        run = lease.check(
            self._context, state, self._address.thread, parent, metadata, self._address.run_object
        )
        base = self._reader.entry(parent) if parent else None
        writer = ValueWriter(self._context, state, self._is_tip)
        values, lists = self._values(writer, base, checkpoint, new_versions)
        body = body_of(checkpoint, parent, values, metadata, writer.encoder, run)
        kept, dropped = self._store_messages(writer, base, lists, checkpoint["channel_values"], now)
        lease_put, lease_drop = lease.renew(
            self._context, state, run, self._address.run_object, checkpoint, now
        )
        put = [
            *kept,
            *writer.records(now),
            *self._text_records(writer, now),
            *writer.put,
            *self._thread_record(body.id, now),
            *lease_put,
            checkpoint_record(body, now),
        ]
        self._commit(put, [*writer.drop, *dropped, *lease_drop])
        self._remember(body, lists, run, writer.tips)

    def _put_writes(
        self, checkpoint_id: str, writes: Sequence[tuple[str, Any]], task_id: str, path: str
    ) -> None:
        state, now = self._state, self._context.store.now()
        chunks = self._reader.chunks(checkpoint_id)
        writer = ValueWriter(self._context, state, self._is_tip)
        writer.begin_turn(state.entries.use(checkpoint_id))
        new = [
            Write(task_id, path, WRITES_IDX_MAP.get(channel, index), channel, form)
            for index, (channel, value) in enumerate(writes)
            for form in [writer.write(channel, value)]
        ]
        chunks, changed = with_writes(chunks, new)
        lease_drop = lease.end_on(state, [channel for channel, _ in writes])
        if not changed and not lease_drop:
            return
        put = [
            *self._elements(writer, writer.messages.values(), now),
            *writer.records(now),
            *self._thread_record(None, now),
            *self._text_records(writer, now),
            *self._write_records(checkpoint_id, chunks, changed, now),
        ]
        self._commit(put, lease_drop)
        state.chunks.keep(checkpoint_id, chunks)

    def _write_records(
        self, id: str, chunks: Sequence[WriteChunk], changed: Sequence[int], now: float
    ) -> Iterator[Record]:
        """The records of changed writes; those that stand first are in the checkpoint's own."""
        for number in changed:
            if number > 0:
                yield write_record(id, number - 1, chunks[number], now)
                continue
            entry = self._state.entries.use(id)
            body = self._reader.body(id) if entry is None else entry.body
            assert body is not None  # noqa: S101 (else the first chunk is closed)
            body = body._replace(writes=chunks[0].writes)
            if entry is not None:
                self._state.entries.keep(id, entry._replace(body=body))
            yield checkpoint_record(body, now)

    def _text_records(self, writer: ValueWriter, now: float) -> Iterator[Record]:
        """The records of long texts, which wait for the message that says them."""
        texts, said = self._state.texts, self._state.thread.texts
        for name, text in writer.encoder.texts.items():
            if name not in texts:
                texts[name] = said.use(name)
                body = {"text": text} if texts[name] is None else {"of": texts[name]}
                yield Record(ELEMENT, TEXT + name, checkpoints.dumps(body, "text"), now)

    def _said_texts(
        self, said: Sequence[NewMessage], items: set[str], now: float
    ) -> Iterator[Record]:
        """What says that an item has a text, in place of the text."""
        for message in said:
            content = message.message.content
            if message.reference not in items or not isinstance(content, str):
                continue
            name = references.digest(content.encode("utf-8", "surrogatepass"))
            self._state.thread.texts.keep(name, message.reference)
            if self._state.texts.get(name, "") is None:
                self._state.texts[name] = message.reference
                body = checkpoints.dumps({"of": message.reference}, "text")
                yield Record(ELEMENT, TEXT + name, body, now)

    def _named(self, stored: Sequence[NewMessage], now: float) -> Iterator[Record]:
        """What says that an element is the message of an item, before it was given its id."""
        waiting = self._state.without_id
        for message in stored if waiting else ():
            bare = message.message.model_copy(update={"id": None})
            id = waiting.pop(references.encode(bare, self._context.serde).digest, None)
            if id is not None:
                body = checkpoints.dumps({"of": message.reference, "bare": True}, "message")
                yield Record(ELEMENT, id, body, now)

    def _values(
        self,
        writer: ValueWriter,
        base: Entry | None,
        checkpoint: Checkpoint,
        new_versions: ChannelVersions,
    ) -> tuple[dict[str, Form], dict[str, ListValue]]:
        """The forms of all channels; those of unchanged channels are taken from the parent."""
        values: dict[str, Form] = {}
        lists: dict[str, ListValue] = {}
        given = checkpoint["channel_values"]
        versions = checkpoint["channel_versions"]
        for channel in dict.fromkeys([*given, *versions]):
            if channel not in new_versions and _is_unchanged(base, channel, versions):
                assert base is not None  # noqa: S101 (for the type checker)
                values[channel] = base.body.values[channel]
                if channel in base.lists:
                    lists[channel] = base.lists[channel]
            elif channel in given:
                old = None if base is None else base.lists.get(channel)
                position = given.get(POSITION)
                values[channel], stored = writer.value(channel, given[channel], old, position)
                if stored is not None:
                    lists[channel] = stored
        return values, lists

    def _store_messages(
        self,
        writer: ValueWriter,
        base: Entry | None,
        lists: Mapping[str, ListValue],
        given: Mapping[str, Any],
        now: float,
    ) -> tuple[list[Record], list[Drop]]:
        """Store new messages: as items of the session in the root, else as elements."""
        names = self._context.options.messages
        new = list(writer.messages.values())
        state = self._state
        if not new:
            return [], []
        if state.namespace != checkpoints.ROOT:
            return list(self._elements(writer, new, now)), []
        listed = {key for name, value in lists.items() if name in names for key in value.keys}
        said = [m for m in new if m.reference in listed]
        gone = _gone(base, lists, names)
        session = self._context.memory.session(self._address.thread, user=self._address.user)
        outcome = items.store(self._context, session, state.thread.streams, said, gone)
        kept = list(self._elements(writer, [m for m in new if m not in said], now))
        kept += self._elements(writer, said, now, outcome.items)
        kept += self._said_texts(said, outcome.items, now)
        stored = [m for m in said if m.reference in outcome.items and m.encoded.typed is None]
        kept += self._named(stored, now)
        for message in stored:
            state.thread.items.keep(message.encoded.digest, message.item_id)
        obsolete, pointers = self._replaced_elements(stored, now)
        kept += pointers
        versions = earlier_versions(gone, stored, outcome.replaced)
        if self._context.options.erase_replaced:
            obsolete += map(references.element_id, versions)
        else:
            kept += [_version(ref, text, now) for ref, text in versions.items() if text is not None]
        return kept, [Drop(ELEMENT, obsolete)] if obsolete else []

    def _replaced_elements(
        self, stored: Sequence[NewMessage], now: float
    ) -> tuple[list[str], list[Record]]:
        """The elements that an item restores now: to be dropped, or to refer to it."""
        obsolete: list[str] = []
        pointers: list[Record] = []
        for message in stored:
            for reference in self._state.elements.pop(message.encoded.digest, ()):
                id = references.element_id(reference)
                if reference == message.reference:
                    obsolete.append(id)
                else:
                    body = checkpoints.dumps({"of": message.reference}, "message")
                    pointers.append(Record(ELEMENT, id, body, now))
        return obsolete, pointers

    def _elements(
        self,
        writer: ValueWriter,
        new: Any,
        now: float,
        items: set[str] | None = None,
    ) -> Iterator[Record]:
        """The records of messages that no item restores.

        Args:
            writer: encodes them.
            new: the messages.
            now: epoch seconds.
            items: references to those that an item restores; `None` = as far as it is known.
        """
        state = self._state
        for message in new:
            digest, id = message.encoded.digest, references.element_id(message.reference)
            state.thread.references.keep(digest, message.reference)
            if items is None:
                is_item = state.thread.items.use(digest) == message.item_id
            else:
                is_item = message.reference in items
            known = state.elements.setdefault(digest, set())
            if (is_item and message.encoded.typed is None) or message.reference in known:
                continue
            known.add(message.reference)
            if message.message.id is None:
                state.without_id[digest] = id
            yield writer.element(message, now)

    def _thread_record(self, checkpoint_id: str | None, now: float) -> Iterator[Record]:
        """What says whose thread the stream is of; written when that changes."""
        state, user = self._state, self._address.user
        if None not in (state.user, user) and state.user != user:
            raise NotOwner(f"thread {self._address.thread!r} belongs to another user")
        late = checkpoint_id is not None and state.newest is not None
        unordered = state.unordered or (late and str(checkpoint_id) < str(state.newest))
        owner = state.user or user
        if state.described and owner == state.user and not unordered:
            return
        body: dict[str, Any] = {"thread": self._address.thread, "namespace": state.namespace}
        if owner is not None:
            body["user"] = owner
        if unordered:
            body |= {"unordered": True, "newest": max(checkpoint_id or "", state.newest or "")}
        if not state.described and state.namespace != checkpoints.ROOT:
            self._list_namespace(now)
        state.unordered, state.user = unordered, owner
        yield Record(THREAD, THREAD, checkpoints.dumps(body, "thread"), now)

    def _list_namespace(self, now: float) -> None:
        """List this namespace in the root before the first write to it."""
        thread, root_name = self._address.thread, checkpoints.ROOT
        root = self._context.states.get(thread, root_name)
        with root.lock:
            writer = Writer(self._context, root, self._address._replace(namespace=root_name))
            writer._retry(lambda: writer._add_namespace(self._state.namespace, now))

    def _add_namespace(self, namespace: str, now: float) -> None:
        record = checkpoints.namespace_record(namespace, now)
        self._commit([*self._thread_record(None, now), record], [])

    def _commit(self, put: Sequence[Record], drop: Sequence[Drop]) -> None:
        batches = list(checkpoints.batches(put))
        for number, batch in enumerate(batches or [[]]):
            last = number >= len(batches) - 1
            self._context.commit(self._state, batch, drop if last else ())
        self._state.described = self._state.described or bool(put)

    def _remember(
        self,
        body: CheckpointBody,
        lists: dict[str, ListValue],
        run: str | None,
        appended: Mapping[str, int],
    ) -> None:
        state = self._state
        state.entries.keep(body.id, Entry(body, lists))
        state.newest = max(state.newest or "", body.id)
        state.tips.update(appended)
        if state.chunks.use(body.id) is None:
            state.chunks.keep(body.id, all_chunks(body, []))
        if run is not None:
            state.thread.runs.keep(body.id, run)
        state.puts += 1

    def _is_tip(self, run: str, segment: int) -> bool:
        """Return True if nothing was added to a run behind a segment."""
        state = self._state
        if run not in state.tips:
            following = f"{run}.{segment + 1}", f"{run}.c{max(0, segment) // 32}"
            found = self._context.store.read(Query(state.stream, RUN, ids=following))[0].records
            merged = [r for r in found if r.id == following[1] and segment % 32 != 31]
            if merged or any(record.id == following[0] for record in found):
                return False
            state.tips[run] = segment
        return state.tips[run] == segment

    def _retry(self, step: Callable[[], T]) -> T:
        """Run a step at the current version of the stream, again if another process wrote."""
        for attempt in range(_TRIES):
            if self._state.version is None:
                self._reader.head()
            try:
                return step()
            except lease.ThreadBusy:
                raise
            except Conflict:
                self._state.forget()
                if attempt and self._context.memory.backend.blocking:
                    time.sleep(random.uniform(0, _LONGEST_WAIT))  # noqa: S311 (not for secrets)
            except BaseException:
                self._state.forget()  # what was written of it is unknown
                raise
        raise BackendError(
            f"thread {self._address.thread!r} was changed by others at each of {_TRIES} tries; "
            "try again"
        )


def _gone(
    base: Entry | None, lists: Mapping[str, ListValue], names: frozenset[str]
) -> dict[str, Any]:
    """The references that a list had before and has no more, with their messages if known."""
    gone: dict[str, Any] = {}
    if base is None:
        return gone
    for name in names:
        old, new = base.lists.get(name), lists.get(name)
        if old is None or (new is not None and new.keys[: len(old.keys)] == old.keys):
            continue
        present = set() if new is None else set(new.keys)
        pairs = zip(old.keys, old.objects, strict=True)
        gone |= {k: element for k, element in pairs if k not in present and k[:1] != "{"}
    return gone


def earlier_versions(
    gone: Mapping[str, Any], stored: Sequence[NewMessage], replaced: Mapping[str, str]
) -> dict[str, str | None]:
    """References to earlier versions of messages, with their texts as far as they are known.

    Args:
        gone: references that the state has no more, with their messages.
        stored: messages whose item says what the state says now.
        replaced: the versions that their items had until now.
    """
    now = {message.item_id for message in stored}
    return {
        reference: replaced.get(reference) or _text(reference, element, stored)
        for reference, element in gone.items()
        if references.parse(reference).item_id in now
    }


def _text(reference: str, element: Any, stored: Sequence[NewMessage]) -> str | None:
    """The text of an earlier version whose item somebody else has replaced."""
    if element is None or any(element is message.message for message in stored):
        return None  # changed in place: what it said is not known any more
    body = checkpoints.item_body(to_item(element))
    text_digest = references.digest(body.encode("utf-8", "surrogatepass"))
    return body if text_digest == references.parse(reference).digest else None


def _is_unchanged(base: Entry | None, channel: str, versions: Mapping[str, Any]) -> bool:
    return (
        base is not None
        and channel in base.body.values
        and channel in versions
        and base.body.versions.get(channel) == versions[channel]
    )


def _version(reference: str, text: str, now: float) -> Record:
    """The record of an earlier version of an item."""
    id, item_id = references.element_id(reference), references.parse(reference).item_id
    return Record(ELEMENT, id, checkpoints.dumps({"item": item_id, "body": text}, "message"), now)
