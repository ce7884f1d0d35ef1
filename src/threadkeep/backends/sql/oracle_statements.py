"""The statements of Oracle's own: MERGE for upserts, lists of binds, FETCH FIRST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.backends.sql.statements import DialectSyntax, Step, Tables

SYNTAX: Final = DialectSyntax(
    quote=lambda name: f'"{name.upper() if name.islower() else name}"',
    rewrite=str,  # `:name` is Oracle's own syntax
    ids="IN (:ids)",
    names="IN (:names)",
    limit="FETCH FIRST :limit ROWS ONLY",
    null_body="TO_CLOB(NULL)",
    branch="SELECT * FROM ({0})",  # no ORDER BY directly inside UNION ALL
    some_records="DELETE FROM {0} WHERE {1} AND ROWNUM <= :limit",
)

_MERGE: Final = (
    "MERGE INTO {0} r USING dual ON (r.stream = :stream AND r.kind = :kind AND r.id = :id) "
    "WHEN MATCHED THEN UPDATE SET "
    "r.seq = CASE WHEN r.expires <= :now THEN :seq ELSE r.seq END, "
    "r.body = :body, r.at = :at, r.expires = :expires "
    "WHEN NOT MATCHED THEN INSERT (stream, kind, id, seq, body, at, expires) "
    "VALUES (:stream, :kind, :id, :seq, :body, :at, :expires)"
)


def merge_statement(t: Tables) -> str:
    """The upsert of a record; an existing one keeps its seq, unless it has expired."""
    return _MERGE.format(t.records)


def expand_list(text: str, name: str, parameters: Mapping[str, Any], values: Sequence[str]) -> Step:
    """Expand the list `:name` to binds, rounded up in number so that few texts are parsed."""
    bind_count = 1 << max(0, len(values) - 1).bit_length()
    padded_values = (
        [*values, *[values[-1]] * (min(bind_count, 1000) - len(values))] if values else []
    )
    value_by_bind = {f"{name}_{number}": value for number, value in enumerate(padded_values)}
    placeholders = ", ".join(f":{bind_name}" for bind_name in value_by_bind) or "NULL"
    return text.replace(f"(:{name})", f"({placeholders})"), {**parameters, **value_by_bind}
