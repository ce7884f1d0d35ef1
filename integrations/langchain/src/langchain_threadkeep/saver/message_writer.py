"""Writes messages once: as items of the session, or as elements until an item restores them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_threadkeep.codec import to_item
from langchain_threadkeep.saver import items, references, session_changes
from langchain_threadkeep.saver.address import Address
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.encoding import NewMessage, ValueWriter
from langchain_threadkeep.saver.list_values import ListValue
from langchain_threadkeep.saver.records import ELEMENT, TEXT
from langchain_threadkeep.saver.state import KnownCheckpoint, StreamState
from threadkeep import Drop, Record
from threadkeep.adapters import checkpoints


class MessageWriter:
    """The messages of one step.

    Args:
        context: the store.
        state: of the stream.
        writer: has encoded the values of the step.
        now: epoch seconds.
    """

    def __init__(
        self, context: SaverContext, state: StreamState, writer: ValueWriter, now: float
    ) -> None:
        self._context, self._state, self._writer, self._now = context, state, writer, now

    def store(
        self, base: KnownCheckpoint | None, lists: Mapping[str, ListValue], address: Address
    ) -> tuple[list[Record], list[Drop]]:
        """Store new messages: as items of the session in the root, else as elements."""
        names = self._context.options.messages
        new = list(self._writer.messages.values())
        state = self._state
        if not new:
            return [], []
        if state.namespace != checkpoints.ROOT:
            return list(self.elements(new)), []
        listed = {key for name, value in lists.items() if name in names for key in value.keys}
        listed_messages = [m for m in new if m.reference in listed]
        removed = _removed(base, lists, names)
        session = self._context.memory.session(address.thread, user=address.user)
        outcome = items.store(self._context, session, state.thread, listed_messages, removed)
        records = list(self.elements([m for m in new if m not in listed_messages]))
        records += self.elements(listed_messages, outcome.items)
        records += self._said_texts(listed_messages, outcome.items)
        stored = [
            m for m in listed_messages if m.reference in outcome.items and m.encoded.typed is None
        ]
        records += self._named(stored)
        for message in stored:
            state.thread.items.keep(message.encoded.digest, message.item_id)
            state.erased.pop(message.encoded.digest, None)
        obsolete, pointers = self._replaced_elements(stored)
        records += pointers
        versions = earlier_versions(removed, stored, outcome.replaced)
        if self._context.options.erase_replaced:
            obsolete += self._erase(versions, self._superseded(listed_messages))
            obsolete += self._unsaid_texts()
        else:
            records += [
                _version(ref, text, self._now) for ref, text in versions.items() if text is not None
            ]
        return records, [Drop(ELEMENT, obsolete)] if obsolete else []

    def _erase(self, versions: Iterable[str], superseded: Iterable[NewMessage]) -> list[str]:
        """Forget replaced messages; the ids of all elements that hold them, under any reference.

        A pending write refers to a message before it is known which question that answers.
        """
        obsolete = list(map(references.element_id, versions))
        digests = {references.parse(reference).digest for reference in versions}
        for digest in digests | {message.encoded.digest for message in superseded}:
            self._state.erased.keep(digest, True)
            obsolete += map(references.element_id, self._state.elements.pop(digest, ()))
        return list(dict.fromkeys(obsolete))

    def _unsaid_texts(self) -> list[str]:
        """The ids of texts that waited for a message, and which none has said when it came.

        The message was changed before it was written, such as by a middleware that redacts.
        """
        waiting = [
            name
            for name, reference in self._state.texts.items()
            if reference is None and name not in self._writer.encoder.texts
        ]
        for name in waiting:
            del self._state.texts[name]
        return [TEXT + name for name in waiting]

    def _replaced_elements(self, stored: Sequence[NewMessage]) -> tuple[list[str], list[Record]]:
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
                    pointers.append(Record(ELEMENT, id, body, self._now))
        return obsolete, pointers

    def elements(
        self, new: Iterable[NewMessage], restored: set[str] | None = None
    ) -> Iterator[Record]:
        """The records of messages that no item restores.

        Args:
            new: the messages.
            restored: references to those that an item restores; `None` = as far as it is known.
        """
        state, new = self._state, list(new)
        if restored is None:
            self._check_items(new)
        erased = self._erased(new)
        for message in new:
            digest = message.encoded.digest
            state.thread.references.keep(digest, message.reference)
            if restored is None:
                is_item = state.thread.items.use(digest) == message.item_id
            else:
                is_item = message.reference in restored
            expected = state.elements.setdefault(digest, set())
            if (is_item and message.encoded.typed is None) or message.reference in expected:
                continue
            if message.reference in erased:
                continue
            expected.add(message.reference)
            if message.message.id is None:
                state.without_id[digest] = message.reference
            yield self._writer.element(message, self._now)

    def _erased(self, new: Sequence[NewMessage]) -> set[str]:
        """References to messages that were replaced since, where that erases them.

        Pending writes and checkpoints may arrive late, when a middleware has redacted the item.
        """
        if not self._context.options.erase_replaced:
            return set()
        late = {
            m.reference
            for m in new
            if m.message.id is not None and self._state.erased.get(m.encoded.digest)
        }
        return late | {message.reference for message in self._superseded(new)}

    def _superseded(self, new: Sequence[NewMessage]) -> list[NewMessage]:
        """Messages whose item says something newer."""
        ids = [message.item_id for message in new]
        bodies = items.stored_bodies(self._context, self._state.thread, ids)
        return [m for m in new if bodies.get(m.item_id) not in (None, m.encoded.body)]

    def _check_items(self, new: Sequence[NewMessage]) -> None:
        """Make sure that the session has the messages which it is known to have."""
        thread = self._state.thread
        expected = [m for m in new if thread.items.use(m.encoded.digest) == m.item_id]
        if not expected or session_changes.check(self._context, thread):
            return
        bodies = items.stored_bodies(self._context, thread, [m.item_id for m in expected])
        for message in expected:
            if bodies.get(message.item_id) == message.encoded.body:
                thread.items.keep(message.encoded.digest, message.item_id)

    def texts(self) -> Iterator[Record]:
        """The records of texts, which wait for the message that says them."""
        texts, listed_messages = self._state.texts, self._state.thread.texts
        new = self._writer.encoder.texts
        if any(name in listed_messages for name in new):
            session_changes.check(self._context, self._state.thread)
        for name, text in new.items():
            reference = listed_messages.use(name) or self._sayer(name)
            if name not in texts or texts[name] not in (None, reference):
                texts[name] = reference
                body = {"text": text} if reference is None else {"of": reference}
                yield Record(ELEMENT, TEXT + name, checkpoints.dumps(body, "text"), self._now)

    def _sayer(self, name: str) -> str | None:
        """The reference to the message that said a text, if its item still does.

        What is known of a session ends where others wrote to it, such as a middleware.
        """
        reference = self._state.texts.get(name)
        if reference is None:
            return None
        parsed = references.parse(reference)
        bodies = items.stored_bodies(self._context, self._state.thread, [parsed.item_id])
        body = bodies.get(parsed.item_id, "").encode("utf-8", "surrogatepass")
        return reference if references.digest(body) == parsed.digest else None

    def _said_texts(
        self, listed_messages: Sequence[NewMessage], items: set[str]
    ) -> Iterator[Record]:
        """What says that an item has a text, in place of the text."""
        for message in listed_messages:
            content = message.message.content
            if message.reference not in items or not isinstance(content, str):
                continue
            name = references.digest(content.encode("utf-8", "surrogatepass"))
            self._state.thread.texts.keep(name, message.reference)
            if self._state.texts.get(name, "") is None:
                self._state.texts[name] = message.reference
                body = checkpoints.dumps({"of": message.reference}, "text")
                yield Record(ELEMENT, TEXT + name, body, self._now)

    def _named(self, stored: Sequence[NewMessage]) -> Iterator[Record]:
        """What says that an element is the message of an item, before it was given its id."""
        waiting = self._state.without_id
        for message in stored if waiting else ():
            bare = message.message.model_copy(update={"id": None})
            digest = references.encode(bare, self._context.serde).digest
            reference = waiting.pop(digest, None)
            if reference is not None:  # stored anew if it is said again: the item may be gone then
                self._state.elements.get(digest, set()).discard(reference)
                id = references.element_id(reference)
                body = checkpoints.dumps({"of": message.reference, "bare": True}, "message")
                yield Record(ELEMENT, id, body, self._now)


def _removed(
    base: KnownCheckpoint | None, lists: Mapping[str, ListValue], names: frozenset[str]
) -> dict[str, Any]:
    """The references that a list had before and has no more, with their messages if known."""
    removed: dict[str, Any] = {}
    if base is None:
        return removed
    for name in names:
        old, new = base.lists.get(name), lists.get(name)
        if old is None or (new is not None and new.keys[: len(old.keys)] == old.keys):
            continue
        present = set() if new is None else set(new.keys)
        pairs = zip(old.keys, old.objects, strict=True)
        removed |= {k: element for k, element in pairs if k not in present and k[:1] != "{"}
    return removed


def earlier_versions(
    removed: Mapping[str, Any], stored: Sequence[NewMessage], replaced: Mapping[str, str]
) -> dict[str, str | None]:
    """References to earlier versions of messages, with their texts as far as they are known.

    Args:
        removed: references that the state has no more, with their messages.
        stored: messages whose item says what the state says now.
        replaced: the versions that their items had until now.
    """
    now = {message.item_id for message in stored}
    return {
        reference: replaced.get(reference) or _text(reference, element, stored)
        for reference, element in removed.items()
        if references.parse(reference).item_id in now
    }


def _text(reference: str, element: Any, stored: Sequence[NewMessage]) -> str | None:
    """The text of an earlier version whose item somebody else has replaced."""
    if element is None or any(element is message.message for message in stored):
        return None  # changed in place: what it said is not known any more
    body = checkpoints.item_body(to_item(element))
    text_digest = references.digest(body.encode("utf-8", "surrogatepass"))
    return body if text_digest == references.parse(reference).digest else None


def _version(reference: str, text: str, now: float) -> Record:
    """The record of an earlier version of an item."""
    id, item_id = references.element_id(reference), references.parse(reference).item_id
    return Record(ELEMENT, id, checkpoints.dumps({"item": item_id, "body": text}, "message"), now)
