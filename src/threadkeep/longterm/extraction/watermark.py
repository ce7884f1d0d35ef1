"""How far a session was read, and what reading cost: records in the user stream.

A worker takes a session by writing a lease before it asks the model, so that two do not pay for
the same; what it learned is committed together with the place it read up to.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, TypeVar

from threadkeep.core import body, json_text, record_shapes
from threadkeep.core.body import UnreadableRecord
from threadkeep.core.engine import Engine
from threadkeep.core.shape import Check
from threadkeep.longterm.store.unit_of_work import UnitOfWork
from threadkeep.types import Query, Record
from threadkeep.types.timestamps import utc_datetime

BUDGET: Final = "budget"
"""The id of the record of costs; those of watermarks are names of streams, which hold a slash."""

MAX_BACKOFF: Final = 3_600.0
"""Seconds between two tries, at most."""

DEAD: Final = "dead"


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a session was read.

    Attributes:
        life: of the session, whose items `seq` counts.
        seq: of the last item read.
        tries: how often the next batch was tried in vain.
        next: epoch seconds before which it is not tried again.
        state: `ok`, or `dead` after too many tries: it waits to be asked for.
        error: why the last try failed: a class or a status, no text.
        lease: epoch seconds until which a worker has it.
        worker: which one.
        item: the key of the last item read: in a copy of the session, which has another life and
            other seqs, this is where reading goes on.
        digest: of that item, so that another one of the same key is not taken for it.
        again: ids of items that were read and then edited, to be read once more.
    """

    life: int = 0
    seq: int = 0
    tries: int = 0
    next: float = 0.0
    state: str = "ok"
    error: str = ""
    lease: float = 0.0
    worker: str = ""
    item: str = ""
    digest: str = ""
    again: tuple[str, ...] = ()

    def body(self) -> str:
        """As it is stored."""
        return json_text.dumps(asdict(self), "watermark")

    def is_leased(self, now: float, max_seconds: float) -> bool:
        """Whether a worker has it; no lease is longer than so many seconds, whatever clocks did."""
        return bool(self.worker) and 0 < self.lease - now <= max_seconds

    def is_waiting(self, now: float) -> bool:
        """Whether it is too early for another try."""
        return 0 < self.next - now <= MAX_BACKOFF


@dataclass(frozen=True, slots=True)
class DailySpending:
    """What was spent for one user on one day (UTC).

    Attributes:
        day: as in ISO 8601.
        calls: to the model.
        tokens: of prompts and answers.
    """

    day: str = ""
    calls: int = 0
    tokens: int = 0

    def body(self) -> str:
        """As it is stored."""
        return json_text.dumps(asdict(self), "budget")


def watermark_of(unit: UnitOfWork, key: str, generation: int) -> Watermark:
    """How far this life of a session was read; one that cannot be read was not read at all."""
    return parse_watermark(unit.watermarks.get(key), generation)


def resolve(engine: Engine, stream: str, text: str | None, generation: int) -> Watermark:
    """As `parse_watermark`; one of another life holds if the last item read is here as well."""
    watermark = _read(Watermark, text, record_shapes.WATERMARK)
    if watermark.life == generation or not watermark.item:
        return parse_watermark(text, generation)
    last_read_records = engine.read(Query(stream, "item", ids=[watermark.item]))[0].records
    if not last_read_records or digest_of(last_read_records[0]) != watermark.digest:
        return Watermark(life=generation)
    return Watermark(
        generation,
        last_read_records[0].seq,
        item=watermark.item,
        digest=watermark.digest,
        again=watermark.again,
    )


def digest_of(record: Record) -> str:
    """A short digest of an item as it is stored."""
    return hashlib.sha256(record.body.encode()).hexdigest()[:16]


def parse_watermark(text: str | None, generation: int) -> Watermark:
    """The same, of the body of a record (`None` = there is none)."""
    watermark = _read(Watermark, text, record_shapes.WATERMARK)
    return watermark if watermark.life == generation else Watermark(life=generation)


def spent_today(unit: UnitOfWork, now: float) -> DailySpending:
    """What was spent today."""
    stored_spending = _read(DailySpending, unit.watermarks.get(BUDGET), record_shapes.BUDGET)
    today = utc_datetime(now).date().isoformat()
    return stored_spending if stored_spending.day == today else DailySpending(day=today)


T = TypeVar("T", Watermark, DailySpending)


def _read(cls: type[T], body_json: str | None, check: Check) -> T:
    """The value of a body; one that cannot be read counts as none."""
    if body_json is None:
        return cls()
    watermark_record = Record("watermark", "watermark", body_json, 0.0)
    try:
        field_values = body.decode(watermark_record, check)
    except UnreadableRecord as error:
        body.skip(watermark_record, error)
        return cls()
    field_names = {field.name for field in fields(cls)}
    field_arguments: dict[str, Any] = {
        field_name: tuple(field_value) if isinstance(field_value, list) else field_value
        for field_name, field_value in field_values.items()
        if field_name in field_names
    }
    return cls(**field_arguments)
