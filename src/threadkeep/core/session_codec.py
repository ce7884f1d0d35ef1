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
    created_at = at if info.created_at is None else info.created_at.timestamp()
    body_fields = {
        "id": info.id,
        "user": info.user,
        "agent": info.agent,
        "title": info.title,
        "metadata": info.metadata,
        "created_at": created_at,
        "forked_from": info.forked_from,
        "branches": [_branch_fields(branch) for branch in info.branches],
    }
    non_empty_fields = {
        key: value for key, value in body_fields.items() if value not in (None, {}, [])
    }
    return Record("session", "session", dumps(non_empty_fields, "session"), at)


def read_session(record: Record, updated_at: float | None = None) -> SessionInfo:
    """The `SessionInfo` of a `session` record.

    Raises:
        UnreadableRecord: it cannot be read; its owner is then unknown.
    """
    body_fields = body.decode(record, record_shapes.SESSION)
    return SessionInfo(
        id=body_fields["id"],
        user=body_fields.get("user"),
        agent=body_fields.get("agent"),
        title=body_fields.get("title"),
        metadata=body_fields.get("metadata") or {},
        created_at=utc_datetime(body_fields["created_at"]),
        updated_at=utc_datetime(record.at if updated_at is None else updated_at),
        forked_from=body_fields.get("forked_from"),
        branches=tuple(_branch(branch_entry) for branch_entry in body_fields.get("branches") or ()),
    )


def _branch_fields(branch: Branch) -> dict[str, Json]:
    all_fields = {
        "name": branch.name,
        "parent": branch.parent,
        "at": branch.at,
        "shown": branch.is_shown or None,
    }
    return {field_name: value for field_name, value in all_fields.items() if value is not None}


def _branch(branch_fields: Mapping[str, Json]) -> Branch:
    get_field = branch_fields.get
    return Branch(
        branch_fields["name"], get_field("parent"), get_field("at"), bool(get_field("shown"))
    )


def owner(record: Record) -> str | None:
    """The owner in a `session` record, even if the rest of it cannot be read."""
    return text_field(record, "user")


def text_field(record: Record, name: str) -> str | None:
    """A text of a body that is not empty, even if the rest of it has not the shape of its kind."""
    try:
        parsed_body = json.loads(record.body)
    except (ValueError, RecursionError):
        return None
    field_value = parsed_body.get(name) if isinstance(parsed_body, dict) else None
    return field_value if isinstance(field_value, str) and field_value else None


def with_owner(record: Record, user: str) -> Record:
    """A `session` record with this owner."""
    body_fields = {**body.decode(record, record_shapes.SESSION), "user": user}
    return dataclasses.replace(record, body=dumps(body_fields, "session"))
