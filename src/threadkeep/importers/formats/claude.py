"""Claude's data export, `conversations.json`: messages with blocks, attachments and parents."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from threadkeep.importers import branches, fields
from threadkeep.importers.formats import each
from threadkeep.importers.values import Chat, Context, FormatReader, JsonEntry, Message, Part
from threadkeep.types import Json

_ROOT: Final = "00000000-0000-4000-8000-000000000000"  # the parent of a first message
_SPOKEN: Final = frozenset({"text", "voice_note"})
_Payload = Mapping[str, Any]


def _matches(value: Json) -> bool:
    return isinstance(value, dict) and "chat_messages" in value


def _read(entry: JsonEntry, context: Context) -> Iterator[Part]:
    conversation = fields.mapping(entry.value, "a conversation")
    raw_messages = fields.sequence(conversation.get("chat_messages"), "chat_messages")
    own_id = fields.name(conversation.get("uuid")) or fields.digest(entry.value)
    leaf = fields.name(conversation.get("current_leaf_message_uuid"))
    located_messages = list(_good(raw_messages, entry.location, context))
    yield Chat(
        id=f"claude-{own_id}",
        location=entry.location,
        messages=[step for steps in _ordered(located_messages, leaf) for step in steps],
        title=fields.name(conversation.get("name")),
        created_at=conversation.get("created_at"),
        metadata=fields.without_empty(summary=fields.name(conversation.get("summary"))),
        files=[file for _, raw_message in located_messages for file in _files(raw_message)],
    )


READER: Final = FormatReader("claude", "Claude's data export", _matches, each.reader(_read))


def _good(messages: list[Any], location: str, context: Context) -> Iterator[tuple[str, _Payload]]:
    for message_index, raw_message in enumerate(messages):
        message_location = f"{location}.chat_messages[{message_index}]"
        try:
            fields.role(fields.mapping(raw_message, "a message").get("sender"))
        except fields.Malformed as error:
            context.skip(message_location, str(error))
        else:
            yield message_location, raw_message


def _ordered(
    located_pairs: list[tuple[str, _Payload]], leaf: str | None
) -> Iterator[list[Message]]:
    """The messages of all branches; a message without a parent follows the one before it."""
    located_by_key: dict[str, tuple[str, _Payload]] = {}
    parent_by_key: dict[str, str | None] = {}
    previous_key = None
    for location, raw_message in located_pairs:
        key = fields.name(raw_message.get("uuid")) or location
        key = key if key not in located_by_key else location  # a repeated id
        parent = fields.name(raw_message.get("parent_message_uuid"))
        located_by_key[key] = location, raw_message
        parent_by_key[key] = previous_key if parent is None else None if parent == _ROOT else parent
        previous_key = key
    for key, is_shown in branches.ordered(parent_by_key, leaf):
        location, raw_message = located_by_key[key]
        steps = list(_messages(raw_message, location))
        for step in steps:
            step.hidden = step.is_branch = not is_shown
        yield steps


def _messages(message: _Payload, location: str) -> Iterator[Message]:
    """A message of the export, which may hold several steps with the results of tools."""
    role, message_id = fields.role(message["sender"]), fields.name(message.get("uuid")) or ""
    for step_number, step in enumerate(_steps(message, role, message_id or location)):
        step_id = f"{message_id}#{step_number}" if step_number and message_id else message_id
        yield Message(step, location, step_id, message.get("created_at"))


def _steps(raw_message: _Payload, role: str, key: str) -> Iterator[dict[str, Json]]:
    parts: list[Json] = []
    calls: list[dict[str, Json]] = []
    open_ids: list[str] = []
    blocks = raw_message.get("content") if isinstance(raw_message.get("content"), list) else []
    for block in blocks or [{"type": "text", "text": fields.text(raw_message.get("text"))}]:
        block_type = block.get("type") if isinstance(block, Mapping) else None
        if block_type == "tool_use":
            call_id = fields.name(block.get("id")) or f"{key}:{len(calls) + len(open_ids)}"
            args = block.get("input") if isinstance(block.get("input"), dict) else {}
            calls.append({"id": call_id, "name": str(block.get("name") or "tool"), "args": args})
            continue
        if block_type == "tool_result":
            if calls or parts:
                yield _step(role, parts, calls)
                open_ids += [str(tool_call["id"]) for tool_call in calls]
                parts, calls = [], []
            use_id = fields.name(block.get("tool_use_id"))
            answered_id = use_id if use_id in open_ids else open_ids[0] if open_ids else None
            if answered_id is None:
                parts.append(fields.text(block.get("content")))
                continue
            open_ids.remove(answered_id)
            yield _result(block, answered_id)
            continue
        if calls:  # words behind a call begin a new step
            yield _step(role, parts, calls)
            open_ids += [str(tool_call["id"]) for tool_call in calls]
            parts, calls = [], []
        parts += _parts(block, block_type)
    parts += [_attached(file) for file in raw_message.get("attachments") or () if _attached(file)]
    if parts or calls:
        yield _step(role, parts, calls)


def _step(role: str, parts: list[Json], calls: list[dict[str, Json]]) -> dict[str, Json]:
    is_text = all(isinstance(part, str) for part in parts)
    step_content = "\n".join(parts) if is_text else parts
    return {"role": role, "content": step_content, **({"tool_calls": calls} if calls else {})}


def _result(block: _Payload, call_id: str) -> dict[str, Json]:
    result_text = fields.text(block.get("content"))
    error_status = {"status": "error"} if block.get("is_error") else {}
    return {"role": "tool", "tool_call_id": call_id, "content": result_text, **error_status}


def _parts(block: object, kind: object) -> list[Json]:
    if kind == "thinking" and isinstance(block, Mapping):
        return [{"type": "reasoning", "reasoning": str(block.get("thinking") or "")}]
    if (
        fields.is_one_of(kind, _SPOKEN)
        or not isinstance(block, Mapping)
        or not isinstance(kind, str)
    ):
        block_text = fields.text(block)
        return [block_text] if block_text else []
    return [{"type": "opaque", "value": dict(block)}]


def _attached(file: object) -> str:
    """The text that was taken out of an attached file, under its name."""
    if not isinstance(file, Mapping) or not file.get("extracted_content"):
        return ""
    return f"[file: {file.get('file_name') or 'attachment'}]\n{file['extracted_content']}"


def _files(raw_message: _Payload) -> Iterator[dict[str, Json]]:
    for file in [*(raw_message.get("attachments") or ()), *(raw_message.get("files") or ())]:
        if isinstance(file, Mapping) and fields.name(file.get("file_name")):
            yield fields.without_empty(
                name=file["file_name"], type=file.get("file_type"), size=file.get("file_size")
            )
