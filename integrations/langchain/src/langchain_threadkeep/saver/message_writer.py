"""Writes messages once: as items of the session, or as elements until an item restores them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from langchain_threadkeep.saver import earlier_versions, items, references, session_changes
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
        new_messages = list(self._writer.messages.values())
        if not new_messages:
            return [], []
        if self._state.namespace != checkpoints.ROOT:
            return list(self.elements(new_messages)), []
        channels = self._context.options.messages
        listed_messages = earlier_versions.listed_messages(new_messages, lists, channels)
        removed_by_ref = earlier_versions.removed_messages(base, lists, channels)
        session = self._context.memory.session(address.thread, user=address.user)
        thread_state = self._state.thread
        outcome = items.store(self._context, session, thread_state, listed_messages, removed_by_ref)
        other_messages = [message for message in new_messages if message not in listed_messages]
        records = list(self.elements(other_messages))
        records += self.elements(listed_messages, outcome.items)
        records += self._said_texts(listed_messages, outcome.items)
        item_messages = self._keep_items(listed_messages, outcome.items)
        records += self._named(item_messages)
        obsolete_ids, pointer_records = self._replaced_elements(item_messages)
        records += pointer_records
        text_by_reference = earlier_versions.texts(removed_by_ref, item_messages, outcome.replaced)
        if self._context.options.erase_replaced:
            obsolete_ids += self._erase(text_by_reference, self._superseded(listed_messages))
            obsolete_ids += self._unsaid_texts()
        else:
            records += earlier_versions.records(text_by_reference, self._now)
        return records, [Drop(ELEMENT, obsolete_ids)] if obsolete_ids else []

    def _keep_items(self, messages: Iterable[NewMessage], refs: set[str]) -> list[NewMessage]:
        """Remember the messages that items restore; returns them."""
        item_messages = [
            message
            for message in messages
            if message.reference in refs and message.encoded.typed is None
        ]
        for message in item_messages:
            self._state.thread.items.keep(message.encoded.digest, message.item_id)
            self._state.erased.pop(message.encoded.digest, None)
        return item_messages

    def _erase(self, versions: Iterable[str], superseded: Iterable[NewMessage]) -> list[str]:
        """Forget replaced messages; the ids of all elements that hold them, under any reference.

        A pending write refers to a message before it is known which question that answers.
        """
        element_ids = list(map(references.element_id, versions))
        digests = {references.parse(reference).digest for reference in versions}
        for digest in digests | {message.encoded.digest for message in superseded}:
            self._state.erased.keep(digest, True)
            element_ids += map(references.element_id, self._state.elements.pop(digest, ()))
        return list(dict.fromkeys(element_ids))

    def _unsaid_texts(self) -> list[str]:
        """The ids of texts that waited for a message, and which none has said when it came.

        The message was changed before it was written, such as by a middleware that redacts.
        """
        waiting_names = [
            text_name
            for text_name, reference in self._state.texts.items()
            if reference is None and text_name not in self._writer.encoder.texts
        ]
        for text_name in waiting_names:
            del self._state.texts[text_name]
        return [TEXT + text_name for text_name in waiting_names]

    def _replaced_elements(self, messages: Sequence[NewMessage]) -> tuple[list[str], list[Record]]:
        """The elements that an item restores now: to be dropped, or to refer to it."""
        obsolete_ids: list[str] = []
        pointer_records: list[Record] = []
        for message in messages:
            for reference in self._state.elements.pop(message.encoded.digest, ()):
                element_id = references.element_id(reference)
                if reference == message.reference:
                    obsolete_ids.append(element_id)
                else:
                    pointer_json = checkpoints.dumps({"of": message.reference}, "message")
                    pointer_records.append(Record(ELEMENT, element_id, pointer_json, self._now))
        return obsolete_ids, pointer_records

    def elements(
        self, new: Iterable[NewMessage], restored: set[str] | None = None
    ) -> Iterator[Record]:
        """The records of messages that no item restores.

        Args:
            new: the messages.
            restored: references to those that an item restores; `None` = as far as it is known.
        """
        stream_state, new_messages = self._state, list(new)
        if restored is None:
            self._check_items(new_messages)
        erased_references = self._erased(new_messages)
        for message in new_messages:
            digest = message.encoded.digest
            stream_state.thread.references.keep(digest, message.reference)
            if restored is None:
                is_item = stream_state.thread.items.use(digest) == message.item_id
            else:
                is_item = message.reference in restored
            element_references = stream_state.elements.setdefault(digest, set())
            if (
                is_item and message.encoded.typed is None
            ) or message.reference in element_references:
                continue
            if message.reference in erased_references:
                continue
            element_references.add(message.reference)
            if message.message.id is None:
                stream_state.without_id[digest] = message.reference
            yield self._writer.element(message, self._now)

    def _erased(self, new_messages: Sequence[NewMessage]) -> set[str]:
        """References to messages that were replaced since, where that erases them.

        Pending writes and checkpoints may arrive late, when a middleware has redacted the item.
        """
        if not self._context.options.erase_replaced:
            return set()
        late_references = {
            message.reference
            for message in new_messages
            if message.message.id is not None and self._state.erased.get(message.encoded.digest)
        }
        return late_references | {message.reference for message in self._superseded(new_messages)}

    def _superseded(self, new_messages: Sequence[NewMessage]) -> list[NewMessage]:
        """Messages whose item says something newer."""
        item_ids = [message.item_id for message in new_messages]
        stored_body_by_id = items.stored_bodies(self._context, self._state.thread, item_ids)
        return [
            message
            for message in new_messages
            if stored_body_by_id.get(message.item_id) not in (None, message.encoded.body)
        ]

    def _check_items(self, new_messages: Sequence[NewMessage]) -> None:
        """Make sure that the session has the messages which it is known to have."""
        thread_state = self._state.thread
        expected_messages = [
            message
            for message in new_messages
            if thread_state.items.use(message.encoded.digest) == message.item_id
        ]
        if not expected_messages or session_changes.check(self._context, thread_state):
            return
        stored_body_by_id = items.stored_bodies(
            self._context, thread_state, [message.item_id for message in expected_messages]
        )
        for message in expected_messages:
            if stored_body_by_id.get(message.item_id) == message.encoded.body:
                thread_state.items.keep(message.encoded.digest, message.item_id)

    def texts(self) -> Iterator[Record]:
        """The records of texts, which wait for the message that says them."""
        reference_by_name, listed_texts = self._state.texts, self._state.thread.texts
        text_by_name = self._writer.encoder.texts
        if any(text_name in listed_texts for text_name in text_by_name):
            session_changes.check(self._context, self._state.thread)
        for text_name, text in text_by_name.items():
            reference = listed_texts.use(text_name) or self._sayer(text_name)
            if text_name not in reference_by_name or reference_by_name[text_name] not in (
                None,
                reference,
            ):
                reference_by_name[text_name] = reference
                text_fields = {"text": text} if reference is None else {"of": reference}
                yield Record(
                    ELEMENT, TEXT + text_name, checkpoints.dumps(text_fields, "text"), self._now
                )

    def _sayer(self, name: str) -> str | None:
        """The reference to the message that said a text, if its item still does.

        What is known of a session ends where others wrote to it, such as a middleware.
        """
        reference = self._state.texts.get(name)
        if reference is None:
            return None
        parsed_reference = references.parse(reference)
        body_by_id = items.stored_bodies(
            self._context, self._state.thread, [parsed_reference.item_id]
        )
        body_bytes = body_by_id.get(parsed_reference.item_id, "").encode("utf-8", "surrogatepass")
        return reference if references.digest(body_bytes) == parsed_reference.digest else None

    def _said_texts(
        self, listed_messages: Sequence[NewMessage], item_references: set[str]
    ) -> Iterator[Record]:
        """What says that an item has a text, in place of the text."""
        for message in listed_messages:
            content = message.message.content
            if message.reference not in item_references or not isinstance(content, str):
                continue
            text_name = references.digest(content.encode("utf-8", "surrogatepass"))
            self._state.thread.texts.keep(text_name, message.reference)
            if self._state.texts.get(text_name, "") is None:
                self._state.texts[text_name] = message.reference
                text_json = checkpoints.dumps({"of": message.reference}, "text")
                yield Record(ELEMENT, TEXT + text_name, text_json, self._now)

    def _named(self, item_messages: Sequence[NewMessage]) -> Iterator[Record]:
        """What says that an element is the message of an item, before it was given its id."""
        references_without_id = self._state.without_id
        for message in item_messages if references_without_id else ():
            message_without_id = message.message.model_copy(update={"id": None})
            digest = references.encode(message_without_id, self._context.serde).digest
            reference = references_without_id.pop(digest, None)
            if reference is not None:  # stored anew if it is said again: the item may be gone then
                self._state.elements.get(digest, set()).discard(reference)
                element_id = references.element_id(reference)
                element_json = checkpoints.dumps({"of": message.reference, "bare": True}, "message")
                yield Record(ELEMENT, element_id, element_json, self._now)
