"""Looks up what was loaded of a thread, as new objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.checkpoint_loader import Loader
from langchain_threadkeep.saver.list_values import RunSpan
from langchain_threadkeep.saver.segments import keys_of
from langchain_threadkeep.saver.value_decoder import Decoder
from langchain_threadkeep.saver.values import MISSING, Form
from threadkeep.adapters import checkpoints
from threadkeep.adapters.checkpoints import ThreadStreams
from threadkeep.adapters.shared import RecordStore


class LoadedParts(Loader):
    """What was loaded of a thread, for the decoder.

    Args:
        store: the records.
        streams: of the thread.
        namespace: the one whose checkpoints are read.
        serde: LangGraph's serializer.
    """

    def __init__(
        self, store: RecordStore, streams: ThreadStreams, namespace: str, serde: Any
    ) -> None:
        super().__init__(store, streams, namespace)
        self._serde = serde

    def large(self, name: str, parts: int) -> Form:
        """The form stored under a digest; `None` if it is gone."""
        return self.large_forms.get(name)

    def message(self, reference: str) -> Any:
        """A new object for the message of a reference, or `MISSING`.

        The exact message, from its item or from an element; else what its item says now.
        """
        if not self.items.is_exact(reference):
            stored_element = self.stored_elements.get(references.element_id(reference))
            if stored_element is not None:
                return self._element(stored_element)
        message = self.items.message(reference)
        return MISSING if message is None else message

    def long_list(self, spans: Sequence[Any]) -> list[Any]:
        """The elements of a long list; `MISSING` for each whose segment is gone."""
        list_spans = [RunSpan(*span) for span in spans]
        element_keys, _ = keys_of(list_spans, self.segments)
        return self.elements(element_keys) + [MISSING] * (list_spans[0].length - len(element_keys))

    def elements(self, keys: Iterable[str]) -> list[Any]:
        """The elements of these keys."""
        decoder = Decoder(self._serde, self)
        return [
            decoder.decode(json.loads(key)["e"]) if key.startswith("{") else self.message(key)
            for key in keys
        ]

    def text(self, name: str) -> Any:
        """The text stored under a digest, or `MISSING`."""
        stored_text = self.texts.get(name, {})
        if "text" in stored_text:
            return stored_text["text"]
        message = self.message(stored_text["of"]) if "of" in stored_text else MISSING
        message_text = getattr(message, "content", None)
        return message_text if isinstance(message_text, str) else MISSING

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

    def is_item(self, reference: str) -> bool:
        """Return True if the item that was read is exactly the message of a reference."""
        return self.items.is_exact(reference)

    @property
    def newest_item(self) -> int:
        """The largest seq of the items that were read."""
        return self.items.newest
