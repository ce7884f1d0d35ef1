"""Long-term memory follows the chat: what was taken back goes, what was edited is read anew.

An edit is made first; then this looks at the items as they are now. Whoever learned of them in
between looks at them once more after its commit, so that one of the two notices the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from threadkeep.core import item_codec, names
from threadkeep.longterm.extraction.watermark import Watermark, watermark_of
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.longterm.store.user_stream import for_session
from threadkeep.longterm.transcript import is_withdrawn, readable_text, version_of
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Item, Query
from threadkeep.types.knowledge import APPLICATION, Fact, Instruction, Source
from threadkeep.types.versions import generation_of


@dataclass(frozen=True, slots=True)
class Edited:
    """Items of a session that were edited, as they are now.

    Attributes:
        namespace: of the session, where it is not that of long-term memory.
        session: its id.
        versions: by item id; `None` = it is not there, or not shown, any more.
    """

    namespace: str | None
    session: str
    versions: Mapping[str, str | None]

    def is_stale(self, source: Source) -> bool:
        """Whether a source does not say any more what was learned from it."""
        if (source.namespace, source.session) != (self.namespace, self.session):
            return False
        if source.item not in self.versions:
            return False
        current_version = self.versions[source.item]
        return current_version is None or (source.version not in ("", current_version))


def after_edit(session_stream: SessionStream, ids: Sequence[str]) -> None:
    """Withdraw what came of items that were removed; have those that were replaced read again."""
    user_stream = for_session(session_stream)
    if not user_stream.engine.read(Query(user_stream.name, "fact", limit=0))[0].version:
        return
    item_keys = [names.key(item_id) for item_id in ids]
    snapshot = session_stream.read(Query(session_stream.stream_name, "item", ids=item_keys))
    items = [item_codec.read_item(record) for record in snapshot.pages[0].records]
    item_by_id = {item.id: item for item in items}
    edited_items = Edited(
        namespace_of(session_stream, user_stream.engine.settings.namespace),
        session_stream.id,
        {item_id: _version(session_stream, item_by_id.get(item_id)) for item_id in ids},
    )
    seq_by_id = {
        item.id: item.seq for item in items if edited_items.versions.get(item.id) is not None
    }
    watermark_key, generation = session_stream.stream_name, generation_of(snapshot.version)

    def step(unit: UnitOfWork) -> None:
        withdraw(unit, edited_items)
        watermark = watermark_of(unit, watermark_key, generation)
        edited_ids = [
            item_id
            for item_id, seq in seq_by_id.items()
            if seq <= watermark.seq and _was_read(watermark, item_id)
        ]
        if edited_ids:
            ids_to_read = tuple(dict.fromkeys((*watermark.again, *edited_ids)))
            unit.put_watermark(watermark_key, replace(watermark, again=ids_to_read).body())

    if not user_stream.load().is_forgotten:
        user_stream.transact(step)
    listener = session_stream.engine.listener
    if seq_by_id and listener is not None:
        listener.note(session_stream.id, [item_by_id[item_id] for item_id in seq_by_id])


def _was_read(watermark: Watermark, id: str) -> bool:
    return watermark.seq > 0 and id not in watermark.again


def _version(session_stream: SessionStream, item: Item | None) -> str | None:
    if item is None or is_withdrawn(item):
        return None
    return version_of(readable_text(session_stream.engine, item))


def namespace_of(session_stream: SessionStream, longterm_namespace: str) -> str | None:
    """The namespace of a session, where it is not that of long-term memory."""
    namespace = session_stream.engine.settings.namespace
    return None if namespace == longterm_namespace else namespace


def withdraw(unit: UnitOfWork, edited: Edited) -> None:
    """Take stale sources from all entries; those that have no other are not known any more.

    What they had replaced holds again. An application's own entries stay.
    """
    withdrawn_entries: list[Fact | Instruction] = []
    for entry in unit.entries():
        remaining_sources = tuple(source for source in entry.sources if not edited.is_stale(source))
        if len(remaining_sources) == len(entry.sources):
            continue
        if remaining_sources or entry.extractor == APPLICATION:
            unit.put(replace(entry, sources=remaining_sources))
        else:
            unit.drop(entry)
            withdrawn_entries.append(entry)
    for entry in withdrawn_entries:
        _restore(unit, entry)
    for refusal in list(unit.refusals.values()):
        if any(edited.is_stale(source) for source in refusal.sources):
            unit.drop_refusal(refusal.id)


def _restore(unit: UnitOfWork, withdrawn: Fact | Instruction) -> None:
    """Make active again what an entry had replaced; a fact without the end that it had by that."""
    for entry in unit.entries():
        if entry.superseded_by != withdrawn.id:
            continue
        if isinstance(entry, Fact) and isinstance(withdrawn, Fact):
            withdrawn_starts = {withdrawn.valid_from, withdrawn.observed_at}
            entry = replace(
                entry, valid_to=None if entry.valid_to in withdrawn_starts else entry.valid_to
            )
        unit.put(replace(entry, status="active", superseded_by=None))
