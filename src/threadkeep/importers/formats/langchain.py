"""LangChain's messages as it dumps them: `messages_to_dict`, `dumpd`, `model_dump`."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.messages import langchain
from threadkeep.printable import shown
from threadkeep.types import Json


def _matches(value: Json) -> bool:
    return isinstance(value, Mapping) and (langchain.is_dump(value) or bool(_sessions(value)))


def _read(entries: Iterator[JsonEntry], context: Context) -> Iterator[Part]:
    """A document of messages is one chat, under the document's name."""
    first_entry = next(entries, None)
    if first_entry is None:
        return
    dumps_by_id = _sessions(first_entry.value) if isinstance(first_entry.value, Mapping) else {}
    for session_id, dumps in dumps_by_id.items():
        dump_entries = (
            JsonEntry(f"{first_entry.location}[{shown(session_id)}][{n}]", d)
            for n, d in enumerate(dumps)
        )
        yield Chat(session_id, first_entry.location, _messages(dump_entries, context))
    if not dumps_by_id:
        yield Chat(context.stem, context.label, _messages(chain([first_entry], entries), context))


READER: Final = FormatReader("langchain", "LangChain's dumped messages", _matches, _read)


def dates_and_id(dump: Mapping[str, Any]) -> tuple[object, str]:
    """The date and the id that a dump has."""
    message_data = dump.get("data") or dump.get("kwargs") or dump
    message_data = message_data if isinstance(message_data, Mapping) else dump
    kwargs = message_data.get("additional_kwargs")
    date_fields = kwargs if isinstance(kwargs, Mapping) else {}
    return fields.date_of(date_fields), fields.name(message_data.get("id")) or ""


def _messages(entries: Iterator[JsonEntry], context: Context) -> Iterator[Message]:
    for entry in entries:
        if isinstance(entry.value, Mapping) and langchain.is_dump(entry.value):
            created_at, message_id = dates_and_id(entry.value)
            yield Message(entry.value, entry.location, message_id, created_at)
        else:
            context.skip(entry.location, "this is not a dumped message")


def _sessions(value: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The lists of dumps in an object: of sessions, or the state of a graph."""
    dumps_by_key = {key: dumps for key, dumps in value.items() if isinstance(dumps, list) and dumps}
    return {
        key: dumps
        for key, dumps in dumps_by_key.items()
        if all(isinstance(dump, Mapping) and langchain.is_dump(dump) for dump in dumps)
        and all(_names_its_kind(dump) for dump in dumps)
    }


def _names_its_kind(dump: Mapping[str, Any]) -> bool:
    return "role" not in dump
