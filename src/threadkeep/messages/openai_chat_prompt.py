"""The prompt of a Chat Completions request: items as messages, results after their calls."""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from threadkeep.core.cache.cached_item import CachedItem
from threadkeep.messages.continuation import (
    ALL_FIELDS,
    add_continuation,
    check_profile,
    complete,
    sole_writer,
)
from threadkeep.messages.openai_chat import (
    FORMAT,
    RESULT_ROLES,
    Message,
    raw_message,
    to_message,
)
from threadkeep.messages.tool_groups import ToolGroup
from threadkeep.messages.tool_pairs import (
    OMITTED,
    Contribution,
    call_ids,
    contributions,
    raw_payload,
    sanitize_messages,
)
from threadkeep.types import Item, Json, is_plain

_CALL_ID: Final = re.compile(r"[^\ud800-\udfff]{1,40}", re.DOTALL)
_Serialize = Callable[[Item], Message | None]
_SPEAKERS: Final = frozenset({"user", "assistant", "system", "developer"})


class PromptMessage(NamedTuple):
    """One item as a message, in a prompt whose results already follow their calls.

    Attributes:
        message: the message to send.
        call_ids: the ids of its calls, in reverse order.
        result_id: the id of the call whose result it is.
        marshalled: the message as bytes to copy from, if it has mutable values.
    """

    message: Message
    call_ids: list[Json]
    result_id: str | None
    marshalled: bytes = b""


def to_openai(
    items: Sequence[Item],
    cached_items: Sequence[CachedItem | None] = (),
    profile: str | None = None,
) -> list[Message]:
    """The `messages` of a Chat Completions request.

    Reasoning is left out but for the server that wrote it; unsupported media are described.

    Args:
        items: a conversation.
        cached_items: for each item the cached item it is a copy of, or `None`.
        profile: the server, whose continuation fields are sent. `None`: the fields go out only if
            all of the model's messages have those of one server.

    Raises:
        ConfigError: the profile is unknown.
    """
    if profile is not None or sole_writer(items):
        check_profile(profile)
        return _messages_for(items, profile)
    if (paired_messages := _paired_messages(items, cached_items)) is not None:
        return paired_messages
    return _all_messages(items, to_message)


def _messages_for(items: Sequence[Item], profile: str | None) -> list[Message]:
    """The messages for one server, with its continuation fields."""

    def serialize(item: Item) -> Message | None:
        message = to_message(item, strict=profile == "openai")
        if message is None or message["role"] != "assistant":
            return message
        return add_continuation(message, item, profile)

    return complete(_all_messages(items, serialize), profile)


def _all_messages(items: Sequence[Item], serialize: _Serialize) -> list[Message]:
    contribution_list = contributions(
        items, id_pattern=_CALL_ID, unique_in_conversation=False, as_is=_is_legacy
    )
    messages = [
        message
        for contribution in contribution_list
        for message in _messages(contribution, serialize)
    ]
    if items and not messages:
        messages = [{"role": "user", "content": OMITTED}]
    return sanitize_messages(messages)


def _paired_messages(
    items: Sequence[Item], cached_items: Sequence[CachedItem | None]
) -> list[Message] | None:
    """The messages if all results already follow their calls, as usual; else `None`.

    The results must be in the order of the calls.
    """
    messages: list[Message] = []
    pending_ids: list[Json] = []
    all_sendable = True
    for item, cached_item in zip(items, cached_items or repeat(None)):  # noqa: B905  # repeat() is endless
        prompt_message = (
            _prompt_message(item)
            if cached_item is None
            else cached_item.chat or _cached_message(cached_item)
        )
        if prompt_message is None:
            return None
        message, called_ids, result_id, message_bytes = prompt_message
        if result_id is not None:
            if not pending_ids or result_id != pending_ids.pop():
                return None
        elif pending_ids:
            return None
        elif called_ids:
            pending_ids = called_ids.copy()
        if cached_item is not None:
            message = marshal.loads(message_bytes) if message_bytes else message.copy()  # noqa: S302  # our own bytes
        if cached_item is None or not cached_item.sendable:
            all_sendable = False
        messages.append(message)
    if pending_ids:
        return None
    return messages if all_sendable else sanitize_messages(messages)


def _cached_message(cached_item: CachedItem) -> PromptMessage | None:
    """The message of a cached item, built once."""
    prompt_message = _prompt_message(cached_item.read())
    if prompt_message is not None and not all(
        type(value) is str for value in prompt_message.message.values()
    ):
        try:
            prompt_message = prompt_message._replace(
                marshalled=marshal.dumps(prompt_message.message)
            )
        except ValueError:  # nested too deeply
            return _prompt_message(cached_item.copy())
    cached_item.chat = prompt_message
    return prompt_message


def _prompt_message(item: Item) -> PromptMessage | None:
    """The message of an item alone; `None` if it depends on other items."""
    if is_plain(item) and item.content and item.role in _SPEAKERS:
        return PromptMessage({"role": item.role, "content": item.content}, [], None)
    called_ids: list[Json] | None = []
    result_id = None
    if item.role in RESULT_ROLES:
        result_id = item.tool_call_id or ""
    elif item.type != "message":
        return None
    elif item.tool_calls:
        called_ids = call_ids(item, _CALL_ID)
    message = to_message(item)
    return (
        None if called_ids is None or not message else PromptMessage(message, called_ids, result_id)
    )


def _messages(contribution: Contribution, serialize: _Serialize) -> list[Message]:
    head_messages = [message for item in contribution.heads if (message := serialize(item))]
    result_messages = [message for result in contribution.results if (message := serialize(result))]
    if len(head_messages) > 1 and any(message.get("tool_calls") for message in head_messages):
        head_messages = [_merge_output(head_messages)]
    return [*head_messages, *result_messages]


def _merge_output(heads: list[Message]) -> Message:
    """Merge into one assistant message: the API expects results right after the calls."""
    head_texts = [
        str(head_message["content"])
        for head_message in heads
        if isinstance(head_message.get("content"), str)
    ]
    content_parts = [
        part
        for head_message in heads
        if isinstance(head_message.get("content"), list)
        for part in head_message["content"]
    ]
    tool_calls = [call for head_message in heads for call in head_message.get("tool_calls", [])]
    content_text = "\n".join(text for text in head_texts if text)
    text_parts = [{"type": "text", "text": content_text}] if content_text else []
    content: Any = [*text_parts, *content_parts] if content_parts else content_text or None
    state_fields = {key: message[key] for message in heads for key in message.keys() & ALL_FIELDS}
    return {"role": "assistant", "content": content, "tool_calls": tool_calls, **state_fields}


def _is_legacy(group: ToolGroup) -> bool:
    """Return True for a legacy `function_call` answered by a message of role `function`."""
    if "function_call" not in (raw_payload(group.heads[0], FORMAT) or ()):
        return False
    message = raw_message(group.heads[0]) or {}
    if len(group.calls) != 1 or not message.get("function_call") or "tool_calls" in message:
        return False
    answers = [raw_message(answer) or {} for answer in group.answers if answer is not None]
    return all(answer.get("role") == "function" for answer in answers)
