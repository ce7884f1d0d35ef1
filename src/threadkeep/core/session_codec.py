"""Sessions as records: strict on write, and an unreadable one tells its owner if it can."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from threadkeep.core import body, record_shapes
from threadkeep.core.json_text import dumps
from threadkeep.types import Json, Record, SessionInfo
from threadkeep.types.branches import Branch
from threadkeep.types.timestamps import utc_datetime


def session_record(info: SessionInfo, at: float) -> Record:
    """The one `session` record of a session: owner, title, metadata.

    Raises:
        InputError: something in the metadata is not JSON.
    """
    created = at if info.created_at is None else info.created_at.timestamp()
    fields = {
        "id": info.id,
        "user": info.user,
        "agent": info.agent,
        "title": info.title,
        "metadata": info.metadata,
        "created_at": created,
        "forked_from": info.forked_from,
        "branches": [_branch_fields(branch) for branch in info.branches],
    }
    non_empty = {key: value for key, value in fields.items() if value not in (None, {}, [])}
    return Record("session", "session", dumps(non_empty, "session"), at)


def read_session(record: Record, updated_at: float | None = None) -> SessionInfo:
    """The `SessionInfo` of a `session` record.

    Raises:
        UnreadableRecord: it cannot be read; its owner is then unknown.
    """
    fields = body.decode(record, record_shapes.SESSION)
    return SessionInfo(
        id=fields["id"],
        user=fields.get("user"),
        agent=fields.get("agent"),
        title=fields.get("title"),
        metadata=fields.get("metadata") or {},
        created_at=utc_datetime(fields["created_at"]),
        updated_at=utc_datetime(record.at if updated_at is None else updated_at),
        forked_from=fields.get("forked_from"),
        branches=tuple(_branch(entry) for entry in fields.get("branches") or ()),
    )


def _branch_fields(branch: Branch) -> dict[str, Json]:
    fields = {
        "name": branch.name,
        "parent": branch.parent,
        "at": branch.at,
        "shown": branch.is_shown or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _branch(fields: Mapping[str, Json]) -> Branch:
    get = fields.get
    return Branch(fields["name"], get("parent"), get("at"), bool(get("shown")))


def owner(record: Record) -> str | None:
    """The owner in a `session` record, even if the rest of it cannot be read."""
    return text_field(record, "user")


def text_field(record: Record, name: str) -> str | None:
    """A text of a body that is not empty, even if the rest of it has not the shape of its kind."""
    try:
        fields = json.loads(record.body)
    except (ValueError, RecursionError):
        return None
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, str) and value else None


def with_owner(record: Record, user: str) -> Record:
    """A `session` record with this owner."""
    fields = {**body.decode(record, record_shapes.SESSION), "user": user}
    return dataclasses.replace(record, body=dumps(fields, "session"))
