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
    payloads = fields.sequence(chat.get("messages"), "messages")
    own_id = fields.name(chat.get("conversationId")) or fields.digest(chat)
    options = chat.get("options") if isinstance(chat.get("options"), Mapping) else {}
    message_payloads = dict(_flat(payloads, None, entry.location, context))
    yield Chat(
        id=f"librechat-{own_id}",
        location=entry.location,
        messages=list(_messages(message_payloads, context)),
        title=fields.name(chat.get("title")),
        created_at=next((p.get("createdAt") for _, p, _ in message_payloads.values()), None),
        user=fields.name(chat.get("user")),
        metadata=fields.without_empty(
            endpoint=chat.get("endpoint"), model=(options or {}).get("model")
        ),
    )


READER: Final = FormatReader("librechat", "LibreChat's exports", _matches, each.reader(_read))

_Placed = tuple[str, Mapping[str, Any], str | None]


def _flat(
    payloads: list[Any], parent: str | None, location: str, context: Context
) -> Iterator[tuple[str, _Placed]]:
    """The messages with their parents, whether they are a list or a tree."""
    queue = [(payload, parent, f"{location}.messages[{n}]") for n, payload in enumerate(payloads)]
    queue.reverse()
    while queue:
        payload, parent, path = queue.pop()
        if not isinstance(payload, Mapping):
            context.skip(path, "the message is no object")
            continue
        key = fields.name(payload.get("messageId")) or path
        yield key, (path, payload, fields.name(payload.get("parentMessageId")) or parent)
        children = payload.get("children")
        payloads = children if isinstance(children, list) else []
        queue += [(c, key, f"{path}.children[{n}]") for n, c in enumerate(payloads)][::-1]


def _messages(payloads: dict[str, _Placed], context: Context) -> Iterator[Message]:
    parents_by_id = {key: parent for key, (_, _, parent) in payloads.items()}
    for key, is_shown in branches.ordered(parents_by_id, None):
        location, payload, _ = payloads[key]
        try:
            role = _role(payload)
        except fields.Malformed as error:
            context.skip(location, str(error))
            continue
        model = payload.get("model") if role == "assistant" else None
        parts = payload.get("content")
        texts = [part for part in parts if _is_text(part)] if isinstance(parts, list) else []
        yield Message(
            {"role": role, "content": fields.text(payload.get("text")) or fields.text(texts),
             **fields.without_empty(model=fields.name(model))},
            location,
            fields.name(payload.get("messageId")) or "",
            payload.get("createdAt"),
            fields.without_empty(files=payload.get("files")),
            hidden=not is_shown,
            is_branch=not is_shown,
        )  # fmt: skip


def _role(payload: Mapping[str, Any]) -> str:
    is_user = payload.get("isCreatedByUser")
    if isinstance(is_user, bool):
        return "user" if is_user else "assistant"
    return fields.role(payload.get("role") or payload.get("sender"))


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text"
