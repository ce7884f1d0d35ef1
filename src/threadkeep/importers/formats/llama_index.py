"""LlamaIndex's `SimpleChatStore` and `ChatMemoryBuffer` as they persist themselves."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.printable import shown
from threadkeep.types import Json


def _matches(value: Json) -> bool:
    return _store(value) is not None


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    del context
    for session_id, messages in (_store(entry.value) or {}).items():
        dumps = fields.sequence(messages, f"store[{shown(session_id)}]")
        location = f"{entry.location}.store[{shown(session_id)}]"
        yield Chat(
            str(session_id), location, [message(dump, n, location) for n, dump in enumerate(dumps)]
        )


READER: Final = FormatReader(
    "llama-index", "LlamaIndex's chat stores", _matches, each.reader(_read)
)


def _store(value: Json) -> Mapping[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    chat_store = dump = value.get("chat_store")  # of a memory
    if isinstance(dump, str):
        try:
            chat_store = json.loads(dump)
        except ValueError:
            return None
    store = chat_store.get("store") if isinstance(chat_store, Mapping) else value.get("store")
    return store if isinstance(store, Mapping) else None


def message(dump: Any, number: int, place: str) -> Message:
    """A dumped message; its id is made of its place in the chat, and of its content."""
    kwargs = dump.get("additional_kwargs") if isinstance(dump, Mapping) else None
    created_at = fields.date_of(kwargs) if isinstance(kwargs, Mapping) else None
    dump_bytes = json.dumps(dump, sort_keys=True).encode()
    message_id = f"llama-json:{number}:{hashlib.sha256(dump_bytes).hexdigest()[:16]}"
    return Message(dump, f"{place}[{number}]", message_id, created_at)
