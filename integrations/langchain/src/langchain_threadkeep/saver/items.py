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
    stored = stored_bodies(context, thread, [message.item_id for message in new])
    before = _versions(old_keys)
    items, replaced = set[str](), dict[str, str]()
    added = list[NewMessage]()
    for message in new:
        existing = stored.get(message.item_id)
        if message.encoded.body is None:
            _LOG.warning("a message of thread %r is too large for an item", thread.streams.thread)
        elif existing is None:
            added.append(message)
            stored[message.item_id] = message.encoded.body
        elif existing == message.encoded.body:
            items.add(message.reference)
        elif (earlier := before.get((message.item_id, _digest(existing)))) is not None:
            session.replace(message.item_id, with_id(message.encoded.item, message.item_id))
            replaced[earlier] = existing
            items.add(message.reference)
    if added:
        limits.add(session, *(with_id(message.encoded.item, message.item_id) for message in added))
        items.update(message.reference for message in added)
    return Outcome(items, replaced)


def stored_bodies(context: SaverContext, thread: ThreadState, ids: Sequence[str]) -> dict[str, str]:
    """The texts of items, by their ids."""
    keys = list(dict.fromkeys(map(checkpoints.key, ids)))
    queries = [
        Query(thread.streams.session, "item", ids=keys[start : start + _IDS])
        for start in range(0, len(keys), _IDS)
    ]
    pages = context.store.read(*queries) if queries else []
    records = [record for page in pages for record in page.records]
    if pages:
        newest = max((record.seq for record in records), default=0)
        session_changes.observe(context, thread, min(page.version for page in pages), newest)
    items = [item for record in records if (item := checkpoints.read_item(record)) is not None]
    return {item.id: checkpoints.item_body(item) for item in items}


def _versions(keys: Iterable[str]) -> Mapping[tuple[str, str], str]:
    """References by item id and digest."""
    versions = {}
    for key in keys:
        if not key.startswith("{"):
            parsed = references.parse(key)
            versions[parsed.item_id, parsed.digest] = key
    return versions


def _digest(body: str) -> str:
    return references.digest(body.encode("utf-8", "surrogatepass"))
