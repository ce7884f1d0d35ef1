"""Lists of chat messages: OpenAI's fine-tuning lines, Vercel's `UIMessage`s, and bare messages."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.formats import each, ui_message
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.types import Json

_IDS: Final = ("id", "conversation_id", "thread_id", "chatId", "chat_id", "session_id")
_SHAPE: Final = frozenset({"content", "parts", "tool_calls", "function_call"})


def _matches(value: Json) -> bool:
    if not isinstance(value, Mapping):
        return False
    if _is_message(value):
        return True
    raw_messages = value.get("messages")
    return isinstance(raw_messages, list) and any(map(_is_message, raw_messages))


def _is_message(value: Any) -> bool:
    return isinstance(value, Mapping) and "role" in value and bool(_SHAPE & value.keys())


def _read_chat(entry: JsonEntry, context: Context) -> Iterator[Part]:
    chat = fields.mapping(entry.value, "a chat")
    own_id = next((id for field_name in _IDS if (id := fields.name(chat.get(field_name)))), None)
    messages = fields.sequence(chat.get("messages"), "messages")
    entries = [
        JsonEntry(f"{entry.location}.messages[{n}]", message) for n, message in enumerate(messages)
    ]
    yield Chat(
        id=own_id or f"openai-{fields.digest(chat)}",
        location=entry.location,
        messages=list(_messages(iter(entries), context)),
        title=fields.name(chat.get("title")),
        created_at=fields.date_of(chat),
        user=fields.name(chat.get("user_id")),
    )


def _read(entries: Iterator[JsonEntry], context: Context) -> Iterator[Part]:
    """A document of chats, or of the messages of one, which has the document's name."""
    first_entry = next(entries, None)
    if first_entry is None:
        return
    all_entries = chain([first_entry], entries)
    if isinstance(first_entry.value, Mapping) and _is_message(first_entry.value):
        yield Chat(context.stem, context.label, _messages(all_entries, context))
    else:
        yield from each.reader(_read_chat)(all_entries, context)


READER: Final = FormatReader("openai", "OpenAI's and Vercel's messages", _matches, _read)


def _messages(entries: Iterator[JsonEntry], context: Context) -> Iterator[Message]:
    for entry in entries:
        try:
            raw_message = fields.mapping(entry.value, "a message")
            role = fields.role(raw_message.get("role"))
        except fields.Malformed as error:
            context.skip(entry.location, str(error))
            continue
        if isinstance(raw_message.get("parts"), list) and "content" not in raw_message:
            yield from ui_message.messages(raw_message, role, entry.location)
            continue
        message = {key: value for key, value in raw_message.items() if key not in fields.DATES}
        message = {**message, "role": role}
        message_id = fields.name(message.pop("id", None)) or ""
        message.pop("weight", None)  # of a fine-tuning line: how much it counts in training
        yield Message(message, entry.location, message_id, fields.date_of(raw_message))
