"""Makes items of the messages of a chat; the ids are the same at every import."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Final

from threadkeep.errors import InputError
from threadkeep.importers import fields
from threadkeep.importers.values import Chat, Message, Skip
from threadkeep.messages import read
from threadkeep.sessions.storable import storable_record
from threadkeep.types import Item

BRANCH: Final = "branch"
"""The key in the metadata of an item that is hidden because another branch is shown."""

_MAX_ID: Final = 400  # bytes: the store takes 512


def items(
    chat: Chat, system: str, now: float, skip: Skip, ids: ItemIds | None = None
) -> Iterator[Item]:
    """The items of a chat, each with an id; a message that cannot be stored is skipped.

    Args:
        chat: its messages are read once.
        system: the name of its format.
        now: in epoch seconds.
        skip: told of what is skipped.
        ids: those of its earlier messages, where they come in several parts.
    """
    ids = ids or ItemIds(system)
    for message in _readable(chat, skip):
        try:
            message_items = [
                _storable(ids.named(item, message, n), now, message.location)
                for n, item in enumerate(_read(message))
            ]
        except (InputError, ValueError, TypeError, RecursionError) as error:
            skip(message.location, str(error).removeprefix(f"{message.location}: "))
        else:
            yield from message_items


def _storable(item: Item, now: float, location: str) -> Item:
    """The item as it is stored, if a session takes it: no other item shall fail with it."""
    storable, *_ = storable_record(item, item.id, now, location)
    read(storable, location)
    return storable


def _readable(chat: Chat, skip: Skip) -> Iterator[Message]:
    """The messages, up to the first place where the reader itself gives up."""
    try:
        yield from chat.messages
    except (fields.Malformed, KeyError, AttributeError, TypeError) as error:
        skip(chat.location, f"the chat cannot be read on: {error}")


def _read(message: Message) -> Iterator[Item]:
    created_at = fields.moment(message.created_at)
    for item in read(message.content, message.location):
        yield dataclasses.replace(
            item,
            created_at=item.created_at or created_at,
            hidden=message.hidden or item.hidden,
            metadata={**item.metadata, **message.metadata, **_branch_mark(message)},
        )


def _branch_mark(message: Message) -> dict[str, str]:
    return {BRANCH: "other"} if message.hidden and message.is_branch else {}


class ItemIds:
    """Names items by the source's id, or by their content and how often that came before."""

    def __init__(self, system: str) -> None:
        self._system = system
        self._counts: Counter[int] = Counter()
        self._first: dict[int, int] = {}  # by the source's id, the content that came first

    def named(self, item: Item, message: Message, index: int) -> Item:
        source_id = message.id or item.id
        if len(source_id.encode(errors="replace")) > _MAX_ID:
            source_id = fields.digest(source_id)
        id = source_id or f"{self._system}:{_digest(item)}"
        id = f"{id}#{index}" if index and source_id else id
        if source_id:
            content_digest = _digest(item)
            if self._first.setdefault(hash(id), hash(content_digest)) != hash(content_digest):
                id = f"{id}~{content_digest}"  # another message under a repeated id
            return dataclasses.replace(item, id=id)
        self._counts[hash(id)] += 1
        occurrence = self._counts[hash(id)]
        return dataclasses.replace(item, id=id if occurrence == 1 else f"{id}.{occurrence}")


def _digest(item: Item) -> str:
    return fields.digest([item.role, item.type, item.content, item.tool_calls, item.tool_call_id])
