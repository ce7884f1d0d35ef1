"""Where something was said: the items that a fact or an instruction points to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from threadkeep.core import item_codec, names
from threadkeep.core.engine import Engine
from threadkeep.errors import NotOwner
from threadkeep.longterm import transcript
from threadkeep.sessions.read import whole_items
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Query, SessionInfo
from threadkeep.types.knowledge import Source


def source_items(engine: Engine, user: str | None, sources: Iterable[Source]) -> list[Item]:
    """The items of sources, in order, each once.

    Those that are gone, hidden, another's, or say something else now, are left out.

    Sources in other namespaces, as of other services on the same store, are found as well.
    """
    item_ids_by_session: dict[tuple[str | None, str], list[str]] = {}
    version_by_item: dict[tuple[str, str], str] = {}
    for source in sources:
        item_ids_by_session.setdefault((source.namespace, source.session), []).append(source.item)
        version_by_item[source.session, source.item] = source.version
    return [
        item
        for (namespace, session), item_ids in item_ids_by_session.items()
        if namespace in (None, engine.settings.namespace)
        for item in _items(engine, user, session, item_ids)
        if version_by_item.get((session, item.id), "")
        in ("", transcript.version_of(transcript.readable_text(engine, item)))
    ]


def _items(engine: Engine, user: str | None, session: str, item_ids: list[str]) -> list[Item]:
    session_stream = SessionStream(engine, SessionInfo(session, user))
    item_keys = list(dict.fromkeys(names.key(item_id) for item_id in item_ids))
    with suppress(NotOwner):
        item_records = (
            session_stream.read(Query(session_stream.stream_name, "item", ids=item_keys))
            .pages[0]
            .records
        )
        visible_items = [
            item for item in map(item_codec.read_item, item_records) if not item.hidden
        ]
        return whole_items(session_stream, visible_items)
    return []
