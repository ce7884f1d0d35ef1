"""A stream as plain dicts: what a backend is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from threadkeep.types import KEEP, Drop, Page


@dataclass
class StreamModel:
    """One generation of a stream: records by (kind, id) as [seq, body, expires]."""

    expires: float | None
    version: int = 0
    ttl: float | None = None
    records: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def visible(self, kind: str, now: float) -> list[tuple[int, str, str]]:
        visible_rows = (
            (seq, record_id, record_body)
            for (record_kind, record_id), (seq, record_body, expiry) in self.records.items()
            if record_kind == kind and (expiry is None or expiry > now)
        )
        return sorted(visible_rows)


def lifetime_after(
    previous: StreamModel | None, ttl: Any, now: float
) -> tuple[float | None, float | None]:
    """When a stream expires after a commit, and its ttl: the same one never shortens a life."""
    if ttl is KEEP:
        return (previous.expires, previous.ttl) if previous else (None, None)
    if ttl is None:
        return None, None
    if previous and previous.expires is not None and previous.ttl == ttl:
        return max(previous.expires, now + ttl), ttl
    return now + ttl, ttl


def apply_drop(stream_model: StreamModel | None, drop: Drop) -> StreamModel | None:
    """The model after a drop."""
    if drop.kind is None or stream_model is None:
        return None
    dropped_keys = [
        (kind, record_id)
        for (kind, record_id), (seq, _, _) in stream_model.records.items()
        if kind == drop.kind
        and (drop.ids is None or record_id in drop.ids)
        and (drop.upto is None or seq <= drop.upto)
    ]
    for dropped_key in dropped_keys:
        del stream_model.records[dropped_key]
    return stream_model


def page_rows(page: Page) -> tuple[int, list[tuple[int, str, str]]]:
    """A page, in the form of the model."""
    return page.version, [(record.seq, record.id, record.body) for record in page.records]
