"""LibreChat's exports: `messages`, a list with parents or a tree with `children`.

There is no mark of the current branch: the one written last is shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import branches, fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.types import Json


def _matches(value: Json) -> bool:
    return isinstance(value, dict) and "conversationId" in value and "messages" in value


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    chat = fields.mapping(entry.value, "a conversation")
    raw_messages = fields.sequence(chat.get("messages"), "messages")
    own_id = fields.name(chat.get("conversationId")) or fields.digest(chat)
    options = chat.get("options") if isinstance(chat.get("options"), Mapping) else {}
    placed_by_key = dict(_flat(raw_messages, None, entry.location, context))
    yield Chat(
        id=f"librechat-{own_id}",
        location=entry.location,
        messages=list(_messages(placed_by_key, context)),
        title=fields.name(chat.get("title")),
        created_at=next((p.get("createdAt") for _, p, _ in placed_by_key.values()), None),
        user=fields.name(chat.get("user")),
        metadata=fields.without_empty(
            endpoint=chat.get("endpoint"), model=(options or {}).get("model")
        ),
    )


READER: Final = FormatReader("librechat", "LibreChat's exports", _matches, each.reader(_read))

_Placed = tuple[str, Mapping[str, Any], str | None]


def _flat(
    messages: list[Any], parent: str | None, location: str, context: Context
) -> Iterator[tuple[str, _Placed]]:
    """The messages with their parents, whether they are a list or a tree."""
    queue = [(message, parent, f"{location}.messages[{n}]") for n, message in enumerate(messages)]
    queue.reverse()
    while queue:
        raw_message, parent, path = queue.pop()
        if not isinstance(raw_message, Mapping):
            context.skip(path, "the message is not an object")
            continue
        key = fields.name(raw_message.get("messageId")) or path
        yield key, (path, raw_message, fields.name(raw_message.get("parentMessageId")) or parent)
        raw_children = raw_message.get("children")
        messages = raw_children if isinstance(raw_children, list) else []
        queue += [(child, key, f"{path}.children[{n}]") for n, child in enumerate(messages)][::-1]


def _messages(placed_by_key: dict[str, _Placed], context: Context) -> Iterator[Message]:
    parent_by_key = {key: parent for key, (_, _, parent) in placed_by_key.items()}
    for message_key, is_shown in branches.ordered(parent_by_key, None):
        location, raw_message, _ = placed_by_key[message_key]
        try:
            role = _role(raw_message)
        except fields.Malformed as error:
            context.skip(location, str(error))
            continue
        model = raw_message.get("model") if role == "assistant" else None
        parts = raw_message.get("content")
        texts = [part for part in parts if _is_text(part)] if isinstance(parts, list) else []
        yield Message(
            {"role": role, "content": fields.text(raw_message.get("text")) or fields.text(texts),
             **fields.without_empty(model=fields.name(model))},
            location,
            fields.name(raw_message.get("messageId")) or "",
            raw_message.get("createdAt"),
            fields.without_empty(files=raw_message.get("files")),
            hidden=not is_shown,
            is_branch=not is_shown,
        )  # fmt: skip


def _role(raw_message: Mapping[str, Any]) -> str:
    is_user = raw_message.get("isCreatedByUser")
    if isinstance(is_user, bool):
        return "user" if is_user else "assistant"
    return fields.role(raw_message.get("role") or raw_message.get("sender"))


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text"
