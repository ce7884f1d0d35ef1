"""What `Session.add` and `Session.rewrite` do: messages of any shape into records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from threadkeep import codec, companions, names
from threadkeep.batches import batches
from threadkeep.errors import InputError
from threadkeep.moments import moment
from threadkeep.ownership import Door
from threadkeep.providers import parse
from threadkeep.redaction import redacted_item
from threadkeep.types import Drop, Item, Record
from threadkeep.verbs.reading import ALL, choose_window, older_of


def add(door: Door, messages: Sequence[object]) -> list[Item]:
    """As `Session.add`."""
    given, ids, records, now = _drafted(door, messages)
    seqs = [seq for batch in batches(records) for seq in door.write(batch)]
    if door.engine.settings.retain:
        _retire(door, seqs)
    said = moment(now)
    added = [
        codec.stamp(item, id, seq, said) for item, id, seq in zip(given, ids, seqs, strict=True)
    ]
    if door.engine.reader is not None:
        door.engine.reader.note(door.id, added)
    return added


def rewrite(door: Door, messages: Sequence[object]) -> list[Item]:
    """As `Session.rewrite`."""
    given, ids, records, now = _drafted(door, messages)
    first, *rest = list(batches(records)) or [[]]

    def step() -> list[int]:
        seen = door.look()
        if not first and seen.info is None:
            return []
        put = door.change(seen, put=first, drop=[Drop("item")])
        if seen.info is not None:
            companions.spoil(door.engine, door.id)
        return put

    seqs = door.settle(step)
    seqs += [seq for batch in rest for seq in door.write(batch)]
    said = moment(now)
    added = [
        codec.stamp(item, id, seq, said) for item, id, seq in zip(given, ids, seqs, strict=True)
    ]
    if door.engine.reader is not None:
        door.engine.reader.note(door.id, added)
    return added


def _drafted(
    door: Door, messages: Sequence[object]
) -> tuple[list[Item], list[str], list[Record], float]:
    """Messages as items nobody has seen yet, their ids, their records, and the time."""
    given = [(n, item) for n, m in enumerate(messages) for item in parse(m, f"message {n}")]
    if door.engine.settings.redactor is not None:
        given = [(n, redacted_item(door.engine, item)) for n, item in given]
    now = door.engine.now()
    minted = door.engine.mint_many(now, len(given))
    ids = _ids([names.whole(item.id) or new for (_, item), new in zip(given, minted, strict=True)])
    records = [
        codec.item_record(item, id, now, f"message {n}")
        for (n, item), id in zip(given, ids, strict=True)
    ]
    return [item for _, item in given], ids, records, now


def _retire(door: Door, seqs: Sequence[int]) -> None:
    """Delete what is older than all that `retain` keeps, read until it needs no more.

    Nothing that it has not seen is deleted, unless it said that this could not enter. Where a
    model learns from sessions, what it has not read yet stays, within `PATIENCE` times as much.
    """
    kept = choose_window(door, door.engine.settings.retain, ALL, None)
    if not kept or not older_of(door)(kept[0].seq, 1):
        return
    upto = kept[0].seq - 1
    if (reader := door.engine.reader) is not None and door.life is not None:
        read = reader.upto(door.id, door.owner, door.life)
        upto = min(upto, max(read, _beyond(door, kept, seqs)))
    door.trim(upto)


def _beyond(door: Door, kept: Sequence[Item], seqs: Sequence[int]) -> int:
    """Up to where a session goes beyond all patience; looked at seldom, since it reads much."""
    if seqs and seqs[-1] % _SELDOM >= len(seqs):
        return 0
    most = (PATIENCE - 1) * len(kept)
    older = older_of(door)(kept[0].seq, most + 1)
    return older[0].seq if len(older) > most else 0


PATIENCE: Final = 10
"""How many times what `retain` keeps may stay, as long as nobody has learned from it."""

_SELDOM: Final = 16


def _ids(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise InputError(f"two messages have the id {twice!r}; ids are unique in a session")
    return ids
