"""Chats of data sets: ShareGPT's `from` and `value`, and those of LMSYS and WildChat."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.types import Json

_KEYS: Final = ("conversations", "conversation", "items")
_IDS: Final = ("conversation_id", "conversation_hash", "id", "hash")


def _matches(value: Json) -> bool:
    if not isinstance(value, Mapping):
        return False
    turns = _turns(value)
    return bool(turns) and any(
        isinstance(turn, Mapping) and ({"from", "value"} <= turn.keys() or "role" in turn)
        for turn in turns[:3]
        if turn
    )


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    chat = fields.mapping(entry.value, "a conversation")
    turns = fields.sequence(next((chat[key] for key in _KEYS if key in chat), None), "turns")
    own_id = next((id for key in _IDS if (id := fields.name(chat.get(key)))), None)
    metadata = {key: chat.get(key) for key in ("model", "language")}
    yield Chat(
        id=f"sharegpt-{own_id or fields.digest(chat)}",
        location=entry.location,
        messages=list(_messages(turns, chat.get("model"), entry.location, context)),
        title=fields.name(chat.get("title")),
        created_at=fields.date_of(chat),
        metadata=fields.without_empty(**metadata),
    )


READER: Final = FormatReader("sharegpt", "ShareGPT, LMSYS, WildChat", _matches, each.reader(_read))


def _turns(value: Mapping[str, Any]) -> list[Any]:
    turns = next((value[key] for key in _KEYS if key in value), None)
    return turns if isinstance(turns, list) else []


def _messages(
    turns: list[Any], model: object, location: str, context: Context
) -> Iterator[Message]:
    def message(value: Any, place: str) -> Message:
        turn = fields.mapping(value, "a turn")
        role = fields.role(turn.get("from", turn.get("role")))
        raw_content = turn.get("value", turn.get("content"))
        message_text = raw_content if isinstance(raw_content, str) else fields.text(raw_content)
        model_field = {"model": model} if role == "assistant" and isinstance(model, str) else {}
        if role == "tool":  # an answer without the id of its call
            role, message_text = "user", f"[tool result]\n{message_text}"
        id = fields.name(turn.get("turn_identifier")) or ""
        return Message(
            {"role": role, "content": message_text, **model_field}, place, id, fields.date_of(turn)
        )

    yield from each.elements(turns, location, message, context)
