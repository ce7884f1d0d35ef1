"""What `Session.add` and `Session.rewrite` do: messages of any shape into records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from threadkeep.core import item_codec, names
from threadkeep.core.engine import Engine
from threadkeep.core.redaction import redacted_item
from threadkeep.errors import InputError
from threadkeep.messages import parse
from threadkeep.sessions import derived
from threadkeep.sessions.item_identity import Claims, is_reference
from threadkeep.sessions.read import ALL, choose_window, older_of
from threadkeep.sessions.stream import SessionStream
from threadkeep.types import Drop, Item, Record
from threadkeep.types.batching import batches
from threadkeep.types.timestamps import moment


class Draft(NamedTuple):
    """Messages as items nobody has seen yet.

    Attributes:
        items: one for each entry of the result, references included.
        ids: the id of each.
        records: of those that are no references.
        now: when they are written.
        claims: the ids that are not minted; `None` if all are.
    """

    items: list[Item]
    ids: list[str]
    records: list[Record]
    now: float
    claims: Claims | None

    def stored(self, seqs: Iterable[int]) -> list[Item]:
        """The items once their records have these seqs; references are the items they name."""
        written = iter(seqs)
        said = moment(self.now)
        if self.claims is None:
            placed = zip(self.items, self.ids, written, strict=True)
            return [item_codec.stamp(item, id, seq, said) for item, id, seq in placed]
        by_key = dict(self.claims.referred)
        for item, id in zip(self.items, self.ids, strict=True):
            if not is_reference(item):
                by_key[names.key(id)] = item_codec.stamp(item, id, next(written), said)
        return [by_key[names.key(id)] for id in self.ids]


def add(door: SessionStream, messages: Sequence[object]) -> list[Item]:
    """As `Session.add`."""
    draft = drafted(door.engine, door.id, messages)
    seqs = list[int]()
    for batch in list(batches(draft.records)) or [[]]:
        seqs += _write(door, draft.claims, batch, first=not seqs)
    if door.engine.settings.retain:
        _retire(door, seqs)
    return _noted(door, draft, seqs)


def rewrite(door: SessionStream, messages: Sequence[object]) -> list[Item]:
    """As `Session.rewrite`."""
    draft = drafted(door.engine, door.id, messages)
    if draft.claims is not None:
        draft.claims.check_alone()
    first, *rest = list(batches(draft.records)) or [[]]

    def step() -> list[int]:
        seen = door.look()
        if not first and seen.info is None:
            return []
        put = door.change(seen, put=first, drop=[Drop("item")])
        if seen.info is not None:
            derived.spoil(door.engine, door.id)
        return put

    seqs = door.settle(step)
    for batch in rest:
        seqs += _write(door, draft.claims, batch, first=False)
    return _noted(door, draft, seqs)


def drafted(
    engine: Engine, session: str, messages: Sequence[object], noun: str = "message"
) -> Draft:
    """Messages for a session, as they are to be written.

    Raises:
        InputError: one cannot be understood or stored, or an id stands twice.
    """
    parsed = [(n, item) for n, m in enumerate(messages) for item in parse(m, f"{noun} {n}")]
    if engine.settings.redactor is not None:
        parsed = [(n, redacted_item(engine, item)) for n, item in parsed]
    now = engine.now()
    minted = engine.mint_many(now, len(parsed))
    ids = [names.whole(item.id) or new for (_, item), new in zip(parsed, minted, strict=True)]
    new = [entry for entry in zip(parsed, ids, strict=True) if not is_reference(entry[0][1])]
    _check_unique([id for _, id in new], noun)
    records = [item_codec.item_record(item, id, now, f"{noun} {n}") for (n, item), id in new]
    claims = Claims(session, parsed, noun) if any(item.id for _, item in parsed) else None
    return Draft([item for _, item in parsed], ids, records, now, claims)


def _write(
    door: SessionStream, claims: Claims | None, batch: list[Record], *, first: bool
) -> list[int]:
    """Write a part of a draft; with the first of them, the ids of all are looked at."""
    keys = [] if claims is None else claims.keys if first else claims.keys_of(batch)
    if claims is None or not keys:
        return door.write(batch) if batch else []
    return door.write_checked(batch, keys, claims.check if first else claims.check_new)


def _noted(door: SessionStream, draft: Draft, seqs: Sequence[int]) -> list[Item]:
    """What was added; who learns from sessions takes notice of what is new."""
    added = draft.stored(seqs)
    if door.engine.reader is not None:
        new = [one for one, item in zip(added, draft.items, strict=True) if not is_reference(item)]
        door.engine.reader.note(door.id, new)
    return added


def _retire(door: SessionStream, seqs: Sequence[int]) -> None:
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


def _beyond(door: SessionStream, kept: Sequence[Item], seqs: Sequence[int]) -> int:
    """Up to where a session goes beyond all patience; looked at seldom, since it reads much."""
    if seqs and seqs[-1] % _SELDOM >= len(seqs):
        return 0
    most = (PATIENCE - 1) * len(kept)
    older = older_of(door)(kept[0].seq, most + 1)
    return older[0].seq if len(older) > most else 0


PATIENCE: Final = 10
"""How many times what `retain` keeps may stay, as long as nobody has learned from it."""

_SELDOM: Final = 16


def _check_unique(ids: list[str], noun: str) -> None:
    if len(set(ids)) < len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise InputError(f"two {noun}s have the id {twice!r:.80}; ids are unique in a session")
