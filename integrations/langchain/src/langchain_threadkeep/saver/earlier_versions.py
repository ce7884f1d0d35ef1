"""Messages that the lists of a state have no more, and what they said before they were replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_threadkeep.codec import to_item
from langchain_threadkeep.saver import references
from langchain_threadkeep.saver.encoding import NewMessage
from langchain_threadkeep.saver.list_values import ListValue
from langchain_threadkeep.saver.records import ELEMENT
from langchain_threadkeep.saver.state import KnownCheckpoint
from threadkeep import Record
from threadkeep.adapters import checkpoints


def listed_messages(
    messages: Sequence[NewMessage], lists: Mapping[str, ListValue], channels: frozenset[str]
) -> list[NewMessage]:
    """The messages that are elements of the channels' lists."""
    listed_references = {
        key
        for channel, list_value in lists.items()
        if channel in channels
        for key in list_value.keys
    }
    return [message for message in messages if message.reference in listed_references]


def removed_messages(
    base: KnownCheckpoint | None, lists: Mapping[str, ListValue], names: frozenset[str]
) -> dict[str, Any]:
    """The references that a list had before and has no more, with their messages if known."""
    message_by_reference: dict[str, Any] = {}
    if base is None:
        return message_by_reference
    for channel in names:
        old_list, new_list = base.lists.get(channel), lists.get(channel)
        if old_list is None or (
            new_list is not None and new_list.keys[: len(old_list.keys)] == old_list.keys
        ):
            continue
        remaining_keys = set() if new_list is None else set(new_list.keys)
        key_element_pairs = zip(old_list.keys, old_list.objects, strict=True)
        message_by_reference |= {
            key: element
            for key, element in key_element_pairs
            if key not in remaining_keys and key[:1] != "{"
        }
    return message_by_reference


def texts(
    removed: Mapping[str, Any], stored: Sequence[NewMessage], replaced: Mapping[str, str]
) -> dict[str, str | None]:
    """References to earlier versions of messages, with their texts as far as they are known.

    Args:
        removed: references that the state has no more, with their messages.
        stored: messages whose item says what the state says now.
        replaced: the versions that their items had until now.
    """
    stored_ids = {message.item_id for message in stored}
    return {
        reference: replaced.get(reference) or _text(reference, element, stored)
        for reference, element in removed.items()
        if references.parse(reference).item_id in stored_ids
    }


def _text(reference: str, element: Any, stored: Sequence[NewMessage]) -> str | None:
    """The text of an earlier version whose item somebody else has replaced."""
    if element is None or any(element is message.message for message in stored):
        return None  # changed in place: what it said is not known any more
    item_body = checkpoints.item_body(to_item(element))
    text_digest = references.digest(item_body.encode("utf-8", "surrogatepass"))
    return item_body if text_digest == references.parse(reference).digest else None


def records(texts: Mapping[str, str | None], now: float) -> list[Record]:
    """The records of earlier versions of items, as far as their texts are known."""
    return [_record(ref, text, now) for ref, text in texts.items() if text is not None]


def _record(reference: str, text: str, now: float) -> Record:
    element_id, item_id = references.element_id(reference), references.parse(reference).item_id
    return Record(
        ELEMENT, element_id, checkpoints.dumps({"item": item_id, "body": text}, "message"), now
    )
