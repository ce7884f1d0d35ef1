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
    value = fields.mapping(entry.value, "a conversation")
    listed = fields.sequence(value.get("messages"), "messages")
    own_id = fields.name(value.get("conversationId")) or fields.digest(value)
    options = value.get("options") if isinstance(value.get("options"), Mapping) else {}
    payloads = dict(_flat(listed, None, entry.location, context))
    yield Chat(
        id=f"librechat-{own_id}",
        location=entry.location,
        messages=list(_messages(payloads, context)),
        title=fields.name(value.get("title")),
        created_at=next((p.get("createdAt") for _, p, _ in payloads.values()), None),
        user=fields.name(value.get("user")),
        metadata=fields.without_empty(
            endpoint=value.get("endpoint"), model=(options or {}).get("model")
        ),
    )


READER: Final = FormatReader("librechat", "LibreChat's exports", _matches, each.reader(_read))

_Placed = tuple[str, Mapping[str, Any], str | None]


def _flat(
    listed: list[Any], parent: str | None, location: str, context: Context
) -> Iterator[tuple[str, _Placed]]:
    """The messages with their parents, whether they are a list or a tree."""
    pending = [(payload, parent, f"{location}.messages[{n}]") for n, payload in enumerate(listed)]
    pending.reverse()
    while pending:
        payload, parent, place = pending.pop()
        if not isinstance(payload, Mapping):
            context.skip(place, "the message is no object")
            continue
        key = fields.name(payload.get("messageId")) or place
        yield key, (place, payload, fields.name(payload.get("parentMessageId")) or parent)
        children = payload.get("children")
        listed = children if isinstance(children, list) else []
        pending += [(c, key, f"{place}.children[{n}]") for n, c in enumerate(listed)][::-1]


def _messages(payloads: dict[str, _Placed], context: Context) -> Iterator[Message]:
    parents = {key: parent for key, (_, _, parent) in payloads.items()}
    for key, is_shown in branches.ordered(parents, None):
        place, payload, _ = payloads[key]
        try:
            role = _role(payload)
        except fields.Malformed as error:
            context.skip(place, str(error))
            continue
        model = payload.get("model") if role == "assistant" else None
        parts = payload.get("content")
        spoken = [part for part in parts if _is_text(part)] if isinstance(parts, list) else []
        yield Message(
            {"role": role, "content": fields.text(payload.get("text")) or fields.text(spoken),
             **fields.without_empty(model=fields.name(model))},
            place,
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
