"""Files of Solace Agent Mesh's History Service, `sessions_<id>_history.json`.

`threadkeep.service.import_solace` reads its other stores too, with summaries.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import (
    Chat,
    Context,
    FormatReader,
    JsonEntry,
    Knowledge,
    Message,
    Part,
)
from threadkeep.types import Json

_PREFIX: Final = "sessions_"
_SUFFIX: Final = "_history"


def _matches(value: Json) -> bool:
    if not isinstance(value, dict) or "mapping" in value:
        return False
    is_chat = isinstance(value.get("history"), list) and "last_active_time" in value
    memory = value.get("memory")
    return is_chat or (isinstance(memory, dict) and bool(memory.keys() & {"facts", "instructions"}))


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    session_file = fields.mapping(entry.value, "a session")
    session_id = context.stem.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    memory_data = session_file.get("memory")
    if isinstance(memory_data, Mapping):
        yield from _knowledge(memory_data, session_id, entry.location)
    if isinstance(session_file.get("history"), list):
        files = session_file.get("files")
        yield Chat(
            session_id,
            entry.location,
            list(_messages(session_file["history"], session_file, entry.location, context)),
            files=[file for file in files or () if isinstance(file, Mapping)],
        )


READER: Final = FormatReader("solace", "Solace's history files", _matches, each.reader(_read))


def _knowledge(memory: Mapping[str, Any], user: str, place: str) -> Iterator[Knowledge]:
    for fact_text in memory.get("facts") or ():
        yield Knowledge("fact", fields.text(fact_text), place, user)
    for fact_text in memory.get("instructions") or ():
        yield Knowledge("instruction", fields.text(fact_text), place, user)


def _messages(
    history: list[Any], session: Mapping[str, Any], location: str, context: Context
) -> Iterator[Message]:
    def message(value: Any, place: str) -> Message | None:
        raw_entry = fields.mapping(value, "an entry")
        if raw_entry.get("role") == "action":  # forgotten there with the next message
            return None
        content = {"role": fields.role(raw_entry.get("role")), "content": raw_entry.get("content")}
        return Message(content, place, created_at=session.get("last_active_time"))

    yield from each.elements(history, f"{location}.history", message, context)
