"""ChatGPT's data export, `conversations.json` or the zip: trees of nodes.

Its maker does not document it; this follows what exports of 2023 to 2026 hold.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import branches, fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.messages import parse_arguments
from threadkeep.printable import shown
from threadkeep.types import Json

_THOUGHTS: Final = frozenset({"thoughts", "reasoning_recap"})
_SETTINGS: Final = frozenset({"user_editable_context", "model_editable_context"})
_TEXTS: Final = ("text", "result", "content", "user_instructions", "model_set_context")
_Node = Mapping[str, Any]


def _matches(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("mapping"), dict)


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    conversation = fields.mapping(entry.value, "a conversation")
    raw_nodes = fields.mapping(conversation.get("mapping"), "mapping")
    nodes = {node_id: node for node_id, node in raw_nodes.items() if isinstance(node, Mapping)}
    own_id = fields.name(conversation.get("conversation_id")) or fields.name(conversation.get("id"))
    messages = list(_messages(nodes, conversation.get("current_node"), entry.location, context))
    yield Chat(
        id=f"chatgpt-{own_id or fields.digest(entry.value)}",
        location=entry.location,
        messages=messages,
        title=fields.name(conversation.get("title")),
        created_at=conversation.get("create_time"),
        metadata=fields.without_empty(gizmo=conversation.get("gizmo_id")),
        files=[file for node in nodes.values() for file in _files(node)],
    )


READER: Final = FormatReader("chatgpt", "ChatGPT's data export", _matches, each.reader(_read))


def _messages(
    node_by_id: Mapping[str, _Node], leaf: Any, location: str, context: Context
) -> Iterator[Message]:
    parent_by_id = {node_id: node.get("parent") for node_id, node in node_by_id.items()}
    call_id_by_node: dict[str, str] = {}  # the call that the chain behind a node answers
    answer_by_node: dict[str, Message] = {}  # the answer that the chain behind a node adds to
    leaf_id = leaf if isinstance(leaf, str) else None
    for node_id, is_shown in branches.ordered(parent_by_id, leaf_id):
        node_location = f"{location}.mapping[{shown(node_id)}]"
        raw_message = node_by_id[node_id].get("message")
        parent_id = str(parent_by_id[node_id])
        call_id = call_id_by_node.get(parent_id)
        if raw_message is None:
            call_id_by_node |= {node_id: call_id} if call_id else {}
            continue
        try:
            message = _message(fields.mapping(raw_message, "message"), node_location, call_id)
        except (fields.Malformed, AttributeError, TypeError) as error:
            context.skip(node_location, str(error))
            continue
        if message is None:
            call_id_by_node |= {node_id: call_id} if call_id else {}
            continue
        answer = answer_by_node.get(parent_id) if _role(raw_message) == "tool" else None
        if answer is not None:  # several nodes are one answer
            answer.content["content"] += f"\n\n{message.content['content']}"
            answer_by_node[node_id] = answer
            continue
        if "tool_call_id" in message.content:
            answer_by_node[node_id] = message
        if message.content.get("tool_calls"):
            call_id_by_node[node_id] = message.content["tool_calls"][0]["id"]
        message.is_branch = not is_shown
        message.hidden = message.hidden or not is_shown
        yield message


def _role(raw_message: _Node) -> object:
    return fields.mapping(raw_message.get("author"), "author").get("role")


def _message(raw_message: _Node, location: str, call_id: str | None) -> Message | None:
    """The message of a node; `None` if it holds nothing."""
    author = fields.mapping(raw_message.get("author"), "author")
    content = raw_message.get("content")
    content = content if isinstance(content, Mapping) else {"parts": [content] if content else []}
    metadata = raw_message.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    role, message_text = fields.role(author.get("role")), _text(content)
    if not message_text.strip() and not (role == "tool" and call_id):
        if not content.get("parts") and content.keys() <= {"content_type", "parts"}:
            raise fields.Malformed("the message has no content")
        return None
    content_type = content.get("content_type")
    is_internal = fields.is_one_of(content_type, _SETTINGS) or bool(
        metadata.get("is_visually_hidden_from_conversation")
    )
    message_id = fields.name(raw_message.get("id")) or ""
    return Message(
        _content(raw_message, author, role, message_text, str(content_type), message_id, call_id),
        location,
        message_id,
        raw_message.get("create_time"),
        fields.without_empty(attachments=metadata.get("attachments")),
        hidden=is_internal,
    )


def _content(
    raw_message: _Node, author: _Node, role: str, text: str, kind: str, id: str, use_id: str | None
) -> dict[str, Json]:
    model = (raw_message.get("metadata") or {}).get("model_slug")
    recipient = fields.name(raw_message.get("recipient")) or "all"
    if fields.is_one_of(kind, _THOUGHTS):
        return {"role": "assistant", "content": [{"type": "reasoning", "reasoning": text}]}
    if role == "tool" and use_id:
        tool_name = _tool_name(fields.name(author.get("name")) or "tool")
        return {"role": "tool", "tool_call_id": use_id, "name": tool_name, "content": text}
    if role == "tool":  # an answer to nothing that is in the export
        return {"role": "assistant", "content": text, "name": fields.name(author.get("name"))}
    message: dict[str, Json] = {"role": role, "content": text}
    if role == "assistant" and isinstance(model, str):
        message["model"] = model
    if role == "assistant" and recipient != "all":
        arguments = parse_arguments(text)
        args = arguments if isinstance(arguments, dict) else {"input": text}
        call_id = id or fields.digest([recipient, text])
        message |= {"content": ""}
        message["tool_calls"] = [{"id": call_id, "name": _tool_name(recipient), "args": args}]
    return message


def _text(content: _Node) -> str:
    if isinstance(thoughts := content.get("thoughts"), list):
        return fields.text(thoughts)
    if isinstance(parts := content.get("parts"), list):
        return "\n".join(filter(None, map(_part, parts)))
    return "\n".join(filter(None, (fields.text(content.get(field_name)) for field_name in _TEXTS)))


def _part(part: object) -> str:
    if isinstance(part, Mapping) and part.get("asset_pointer"):
        media_kind = str(part.get("content_type") or "file").partition("_")[0]
        return f"[{media_kind}: {part['asset_pointer']}]"
    return fields.text(part)


def _files(node: _Node) -> Iterator[dict[str, Json]]:
    """What is known of the files of a node; their bytes stay in the export."""
    raw_message = node.get("message")
    if not isinstance(raw_message, Mapping):
        return
    metadata, raw_content = raw_message.get("metadata"), raw_message.get("content")
    for file in (metadata.get("attachments") or ()) if isinstance(metadata, Mapping) else ():
        if isinstance(file, Mapping) and file.get("id"):
            file_name, mime_type = fields.name(file.get("name")), file.get("mime_type")
            url = f"chatgpt://{file['id']}"
            yield fields.without_empty(
                url=url, name=file_name, mime_type=mime_type, size=file.get("size")
            )
    for part in (raw_content.get("parts") or ()) if isinstance(raw_content, Mapping) else ():
        if isinstance(part, Mapping) and isinstance(part.get("asset_pointer"), str):
            yield fields.without_empty(url=part["asset_pointer"], size=part.get("size_bytes"))


def _tool_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64]
