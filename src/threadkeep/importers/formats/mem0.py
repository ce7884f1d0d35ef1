"""mem0's memories, as `get_all` answers and the platform exports them: facts."""

from collections.abc import Iterator
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Context, FormatReader, JsonEntry, Knowledge, Part
from threadkeep.types import Json


def _matches(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("memory"), str) and "id" in value:
        return True
    memories = value.get("results", value.get("memories"))
    return isinstance(memories, list) and any(
        isinstance(memory, dict) and isinstance(memory.get("memory"), str) for memory in memories
    )


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    memory_export = fields.mapping(entry.value, "a memory")
    memories = memory_export.get("results", memory_export.get("memories"))
    if not isinstance(memories, list):
        yield _fact(memory_export, entry.location)
        return
    yield from each.elements(memories, f"{entry.location}.results", _element, context)


def _element(value: Any, place: str) -> Knowledge:
    return _fact(fields.mapping(value, "a memory"), place)


READER: Final = FormatReader("mem0", "mem0's memories", _matches, each.reader(_read))


def _fact(memory: Any, location: str) -> Knowledge:
    fact_text = fields.name(memory.get("memory"))
    if fact_text is None:
        raise fields.Malformed("the memory has no text")
    return Knowledge(
        "fact",
        fact_text,
        location,
        user=fields.name(memory.get("user_id")),
        observed_at=memory.get("updated_at") or memory.get("created_at"),
        expires_at=memory.get("expiration_date"),
    )
