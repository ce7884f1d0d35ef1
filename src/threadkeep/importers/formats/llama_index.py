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
    for key, messages in (_store(entry.value) or {}).items():
        listed = fields.sequence(messages, f"store[{shown(key)}]")
        place = f"{entry.location}.store[{shown(key)}]"
        yield Chat(str(key), place, [message(m, n, place) for n, m in enumerate(listed)])


READER: Final = FormatReader(
    "llama-index", "LlamaIndex's chat stores", _matches, each.reader(_read)
)


def _store(value: Json) -> Mapping[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    inner = value.get("chat_store")  # of a memory
    if isinstance(inner, str):
        try:
            inner = json.loads(inner)
        except ValueError:
            return None
    store = inner.get("store") if isinstance(inner, Mapping) else value.get("store")
    return store if isinstance(store, Mapping) else None


def message(dump: Any, number: int, place: str) -> Message:
    """A dumped message; its id is made of its place in the chat, and of its content."""
    extra = dump.get("additional_kwargs") if isinstance(dump, Mapping) else None
    created_at = fields.date_of(extra) if isinstance(extra, Mapping) else None
    canonical = json.dumps(dump, sort_keys=True).encode()
    id = f"llama-json:{number}:{hashlib.sha256(canonical).hexdigest()[:16]}"
    return Message(dump, f"{place}[{number}]", id, created_at)
