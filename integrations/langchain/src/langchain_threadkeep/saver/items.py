"""Messages of a thread's root become items of its session: each once, whoever writes it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from langchain_threadkeep.record_ids import with_id
from langchain_threadkeep.saver import references, session_changes
from langchain_threadkeep.saver.context import SaverContext
from langchain_threadkeep.saver.encoding import NewMessage
from langchain_threadkeep.saver.state import ThreadState
from threadkeep import Query, Session
from threadkeep.adapters import checkpoints, limits

_IDS: Final = 500
_LOG = logging.getLogger("threadkeep.langchain")


class Outcome(NamedTuple):
    """What became of new messages.

    Attributes:
        items: references to those that an item restores now.
        replaced: references to earlier versions that no item restores any more, with their texts.
    """

    items: set[str]
    replaced: dict[str, str]


def store(
    context: SaverContext,
    session: Session,
    thread: ThreadState,
    new: Sequence[NewMessage],
    old_keys: Iterable[str],
) -> Outcome:
    """Add new messages to the session, and replace those whose earlier version is in it.

    What somebody else has changed since stays as it is.

    Args:
        context: the store.
        session: of the thread.
        thread: what is known of it.
        new: messages of the state.
        old_keys: references of the state before, to recognise replacements.
    """
    text_by_id = stored_bodies(context, thread, [message.item_id for message in new])
    reference_by_version = _versions(old_keys)
    item_references, text_by_reference = set[str](), dict[str, str]()
    new_messages = list[NewMessage]()
    for message in new:
        item_text = text_by_id.get(message.item_id)
        if message.encoded.body is None:
            _LOG.warning("a message of thread %r is too large for an item", thread.streams.thread)
        elif item_text is None:
            new_messages.append(message)
            text_by_id[message.item_id] = message.encoded.body
        elif item_text == message.encoded.body:
            item_references.add(message.reference)
        elif (
            old_reference := reference_by_version.get((message.item_id, _digest(item_text)))
        ) is not None:
            session.replace(message.item_id, with_id(message.encoded.item, message.item_id))
            text_by_reference[old_reference] = item_text
            item_references.add(message.reference)
    if new_messages:
        limits.add(
            session, *(with_id(message.encoded.item, message.item_id) for message in new_messages)
        )
        item_references.update(message.reference for message in new_messages)
    return Outcome(item_references, text_by_reference)


def stored_bodies(context: SaverContext, thread: ThreadState, ids: Sequence[str]) -> dict[str, str]:
    """The texts of items, by their ids."""
    record_keys = list(dict.fromkeys(map(checkpoints.key, ids)))
    item_queries = [
        Query(thread.streams.session, "item", ids=record_keys[batch_start : batch_start + _IDS])
        for batch_start in range(0, len(record_keys), _IDS)
    ]
    item_pages = context.store.read(*item_queries) if item_queries else []
    item_records = [record for item_page in item_pages for record in item_page.records]
    if item_pages:
        newest_seq = max((record.seq for record in item_records), default=0)
        session_changes.observe(
            context, thread, min(item_page.version for item_page in item_pages), newest_seq
        )
    items = [item for record in item_records if (item := checkpoints.read_item(record)) is not None]
    return {item.id: checkpoints.item_body(item) for item in items}


def _versions(keys: Iterable[str]) -> Mapping[tuple[str, str], str]:
    """References by item id and digest."""
    reference_by_version = {}
    for key in keys:
        if not key.startswith("{"):
            parsed_reference = references.parse(key)
            reference_by_version[parsed_reference.item_id, parsed_reference.digest] = key
    return reference_by_version


def _digest(body: str) -> str:
    return references.digest(body.encode("utf-8", "surrogatepass"))
