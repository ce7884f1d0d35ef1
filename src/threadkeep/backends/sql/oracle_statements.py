"""What Oracle says in its own way: MERGE for upserts, lists of binds, FETCH FIRST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from threadkeep.backends.sql.statements import Step, Tables, Words

WORDS: Final = Words(
    quote=lambda name: f'"{name.upper() if name.islower() else name}"',
    rewrite=str,  # `:name` is Oracle's own way
    ids="IN (:ids)",
    names="IN (:names)",
    limit="FETCH FIRST :limit ROWS ONLY",
    null_body="TO_CLOB(NULL)",
    branch="SELECT * FROM ({0})",  # ORDER BY may not stand in a part of UNION ALL
    some_records="DELETE FROM {0} WHERE {1} AND ROWNUM <= :limit",
)

_PUT: Final = (
    "MERGE INTO {0} r USING dual ON (r.stream = :stream AND r.kind = :kind AND r.id = :id) "
    "WHEN MATCHED THEN UPDATE SET "
    "r.seq = CASE WHEN r.expires <= :now THEN :seq ELSE r.seq END, "
    "r.body = :body, r.at = :at, r.expires = :expires "
    "WHEN NOT MATCHED THEN INSERT (stream, kind, id, seq, body, at, expires) "
    "VALUES (:stream, :kind, :id, :seq, :body, :at, :expires)"
)


def put_text(t: Tables) -> str:
    """Write one record; a known id keeps its seq, unless its own time is over."""
    return _PUT.format(t.records)


def some_of(text: str, name: str, parameters: Mapping[str, Any], values: Sequence[str]) -> Step:
    """The list `:name` as so many binds, their number rounded up: few texts to parse."""
    size = 1 << max(0, len(values) - 1).bit_length()
    padded = [*values, *[values[-1]] * (min(size, 1000) - len(values))] if values else []
    binds = {f"{name}_{n}": value for n, value in enumerate(padded)}
    listed = ", ".join(f":{one}" for one in binds) or "NULL"
    return text.replace(f"(:{name})", f"({listed})"), {**parameters, **binds}
