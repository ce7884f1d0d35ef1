"""Open WebUI's exports of chats: `chat.history.messages`, a tree with a current message."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import branches, fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.printable import shown
from threadkeep.types import Json


def _matches(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    chat = value.get("chat", value)
    return isinstance(chat, dict) and isinstance(chat.get("history"), dict)


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    export = fields.mapping(entry.value, "a chat")
    chat = fields.mapping(export.get("chat", export), "chat")
    history = fields.mapping(chat.get("history"), "history")
    raw_nodes = fields.mapping(history.get("messages"), "history.messages")
    leaf = history.get("currentId")
    own_id = fields.name(export.get("id")) or fields.name(chat.get("id"))
    yield Chat(
        id=f"open-webui-{own_id or fields.digest(chat)}",
        location=entry.location,
        messages=list(_messages(raw_nodes, leaf, entry.location, context)),
        title=fields.name(export.get("title")) or fields.name(chat.get("title")),
        created_at=export.get("created_at") or chat.get("timestamp"),
        user=fields.name(export.get("user_id")),
        metadata=fields.without_empty(models=chat.get("models"), folder=export.get("folder_id")),
    )


READER: Final = FormatReader("open-webui", "Open WebUI's chats", _matches, each.reader(_read))


def _messages(
    raw_nodes: Mapping[str, Any], leaf: Any, location: str, context: Context
) -> Iterator[Message]:
    node_by_key = {key: node for key, node in raw_nodes.items() if isinstance(node, Mapping)}
    for key in raw_nodes.keys() - node_by_key.keys():
        context.skip(f"{location}.messages[{shown(key)}]", "the message is not an object")
    parent_by_key = {key: node.get("parentId") for key, node in node_by_key.items()}
    for key, is_shown in branches.ordered(parent_by_key, leaf if isinstance(leaf, str) else None):
        node_location, node = f"{location}.messages[{shown(key)}]", node_by_key[key]
        try:
            role = fields.role(node.get("role"))
        except fields.Malformed as error:
            context.skip(node_location, str(error))
            continue
        message: dict[str, Json] = {"role": role, "content": fields.text(node.get("content"))}
        if role == "assistant":
            message |= fields.without_empty(model=node.get("model"))
            message |= {"usage": node["usage"]} if isinstance(node.get("usage"), dict) else {}
        yield Message(
            message,
            node_location,
            fields.name(node.get("id")) or key,
            node.get("timestamp"),
            fields.without_empty(files=node.get("files")),
            hidden=not is_shown,
            is_branch=not is_shown,
        )
