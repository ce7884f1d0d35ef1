"""Common requirements of providers: results after their calls, unique call ids, valid UTF-8."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import filterfalse, islice
from typing import Any, Final

from threadkeep.messages.renamed import with_call_ids, with_result_id
from threadkeep.messages.tool_groups import ToolGroup, speaker, tool_groups
from threadkeep.types import Item, Json

OMITTED: Final = "(earlier conversation omitted)"
"""A user message for APIs that require one, if the window has none."""

_CALL_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Contribution:
    """One speaker's contribution: messages, reasoning and calls, then the calls' results."""

    heads: list[Item]
    results: list[Item]


def contributions(
    items: Sequence[Item],
    *,
    id_pattern: re.Pattern[str] = _CALL_ID,
    unique_in_conversation: bool = True,
    as_is: Callable[[ToolGroup], bool] = lambda _: False,
) -> list[Contribution]:
    """Arrange the items as providers expect: each result directly after its call.

    Call ids that a provider would reject are replaced, in call and result alike; results
    without a call are left out.

    Args:
        items: a conversation.
        id_pattern: the call ids that the provider accepts.
        unique_in_conversation: ids are unique in the whole conversation, not only within one
            message.
        as_is: selects groups that are left unchanged.
    """
    used_ids: set[str] = set()
    contribution_list: list[Contribution] = []
    for group in tool_groups(items)[0]:
        if not group.calls or as_is(group):
            answers = [answer for answer in group.answers if answer is not None]
            contribution_list.append(Contribution(group.heads, answers))
        else:
            contribution_list.append(
                _contribution(group, id_pattern, used_ids if unique_in_conversation else set())
            )
    return contribution_list


def call_ids(item: Item, id_pattern: re.Pattern[str]) -> list[Json] | None:
    """The ids of an item's calls, in reverse order; `None` if the provider would reject them."""
    ids = [tool_call.get("id") for tool_call in reversed(item.tool_calls)]
    if not all(isinstance(call_id, str) and id_pattern.fullmatch(call_id) for call_id in ids):
        return None
    return ids if len(set(ids)) == len(ids) else None


def role_of(item: Item) -> str:
    """The role that providers accept: `user`, `assistant`, `system` or `developer`."""
    contributor = speaker(item)
    if contributor == "system":
        return item.role
    return "assistant" if contributor == "assistant" else "user"


def raw_payload(item: Item, format_: str) -> Any:
    """The stored raw payload of an item in the format, or `None`; always a dict."""
    if item.raw is None or item.raw.get("format") != format_:
        return None
    stored_payload = item.raw.get("data")
    return stored_payload if isinstance(stored_payload, dict) else None


def tool_name(name: str | None) -> str:
    """A tool name that providers accept."""
    name = name or "tool"
    if _NAME.fullmatch(name):
        return name
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "tool"


def sanitize_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace lone surrogates in messages, since no request can encode them."""
    texts: list[str] = []
    for message in messages:
        try:
            texts.append("".join(message) + "".join(message.values()))  # works for nearly all
        except TypeError:
            _collect_texts(message, texts)
    try:
        # rejects surrogates too, in half the time of UTF-8
        "".join(filterfalse(str.isascii, texts)).encode("utf-16-le")
    except UnicodeEncodeError:
        return [sanitize(message) for message in messages]
    return messages


def _collect_texts(value: Any, texts: list[str]) -> None:
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, dict):
        for element in (*value, *value.values()):
            _collect_texts(element, texts)
    elif isinstance(value, list):
        for element in value:
            _collect_texts(element, texts)


def sanitize(value: Any) -> Any:
    """Replace lone surrogates in a JSON value."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {sanitize(key): sanitize(element) for key, element in value.items()}
    if isinstance(value, list):
        return [sanitize(element) for element in value]
    return value


def _contribution(
    group: ToolGroup, id_pattern: re.Pattern[str], used_ids: set[str]
) -> Contribution:
    new_ids = [
        _unique_id(call, group, call_index, id_pattern, used_ids)
        for call_index, call in enumerate(group.calls)
    ]
    renamed_results = [
        with_result_id(answer, new_id)
        for answer, new_id in zip(group.answers, new_ids, strict=True)
        if answer is not None
    ]
    return Contribution(list(_renamed_heads(group.heads, iter(new_ids))), renamed_results)


def _unique_id(
    call: dict[str, Json],
    group: ToolGroup,
    call_index: int,
    id_pattern: re.Pattern[str],
    used_ids: set[str],
) -> str:
    call_id = call.get("id") or ""
    attempt = 0
    while not id_pattern.fullmatch(call_id) or call_id in used_ids:
        digest_source = f"{group.heads[0].id}:{call_index}:{call.get('id')}:{attempt}"
        call_id = f"call_{_digest(digest_source)}"
        attempt += 1
    used_ids.add(call_id)
    return call_id


def _digest(source: str) -> str:
    import hashlib  # rarely needed, and a tenth of our import time

    return hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:24]


def _renamed_heads(heads: Iterable[Item], ids: Iterable[str]) -> Iterable[Item]:
    remaining_ids = iter(ids)
    for head_item in heads:
        yield with_call_ids(head_item, list(islice(remaining_ids, len(head_item.tool_calls))))
