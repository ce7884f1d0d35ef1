"""What PostgreSQL says in its own way: a whole commit as one statement, rows as arrays."""

from __future__ import annotations

from typing import Final

from threadkeep.backends.sql.statements import Tables, Words, pyformat

WORDS: Final = Words(
    quote=lambda name: f'"{name}"',
    rewrite=pyformat,
    ids="= ANY(:ids::text[])",
    names="= ANY(:names::text[])",
    null_body="NULL::text",
    some_records="DELETE FROM {0} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {0} "
    "WHERE {1} LIMIT :limit))",
)

# The head of the stream: written only if it is the usual case, else no row comes back.
_APPEND: Final = """
    INSERT INTO {streams} AS t (stream, version, seq, expires)
    VALUES (:stream, :birth::bigint, :n::bigint, :expires::float8)
    ON CONFLICT (stream) DO UPDATE SET version = t.version + 1, seq = t.seq + :n::bigint,
        expires = CASE WHEN :keep::boolean THEN t.expires ELSE :expires::float8 END
        WHERE t.expires IS NULL OR t.expires > :now::float8
    RETURNING version, seq - :n::bigint AS base"""
_CREATE: Final = """
    INSERT INTO {streams} AS t (stream, version, seq, expires, token, token_version)
    VALUES (:stream, :birth::bigint, :n::bigint, :expires::float8, :token::text,
        CASE WHEN :token::text IS NOT NULL THEN :birth::bigint END)
    ON CONFLICT (stream) DO NOTHING
    RETURNING version, seq - :n::bigint AS base"""
_GO_ON: Final = """
    UPDATE {streams} AS t SET version = version + 1, seq = seq + :n::bigint,
        expires = CASE WHEN :keep::boolean THEN expires ELSE :expires::float8 END,
        token = coalesce(:token::text, token),
        token_version = CASE WHEN :token::text IS NULL THEN token_version ELSE version + 1 END
    WHERE stream = :stream AND version BETWEEN :expect::bigint AND :last::bigint
        AND (expires IS NULL OR expires > :now::float8)
    RETURNING version, seq - :n::bigint AS base"""

# A known id keeps its seq, unless its own time is over. The statement returns what is known.
_PUT: Final = """
    INSERT INTO {records} AS r (stream, kind, id, seq, body, at, expires)
    SELECT :stream, x.kind, x.id, {base} + x.n, x.body, x.at, x.ends FROM {source}
    unnest(:kinds::text[], :ids::text[], :bodies::text[], :ats::float8[], :ends::float8[])
        WITH ORDINALITY AS x(kind, id, body, at, ends, n)
    ON CONFLICT (stream, kind, id) DO UPDATE SET body = excluded.body, at = excluded.at,
        expires = excluded.expires,
        seq = CASE WHEN r.expires <= :now::float8 THEN excluded.seq ELSE r.seq END
    RETURNING r.kind, r.id, r.seq"""
_ALONE: Final = "WITH p AS ({put}) SELECT kind, id, seq FROM p WHERE seq <= :base::bigint"
_WHOLE: Final = (
    "WITH s AS ({head}), p AS ({put}) "
    "SELECT s.version, s.base, p.kind, p.id, p.seq FROM s LEFT JOIN p ON p.seq <= s.base"
)

ABOUT: Final = """
    SELECT 'engine', 'PostgreSQL ' || current_setting('server_version')
    UNION ALL SELECT 'tls', coalesce(
        (SELECT version FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()), 'no')
    UNION ALL SELECT 'connections', count(*) || ' of ' || current_setting('max_connections')
        FROM pg_stat_activity WHERE backend_type = 'client backend'
    UNION ALL SELECT 'role', 'a read-only replica: connect to the primary'
        WHERE pg_is_in_recovery()"""


class Commits:
    """The statements of a store that write records.

    Of one whole commit `ON CONFLICT` makes one statement correct: it always sees the newest
    committed row, and the seq comes out of the stream's locked row. Drops are not like that: they
    would look through the snapshot from before the lock.
    """

    def __init__(self, t: Tables) -> None:
        names = {"streams": t.streams, "records": t.records}
        self.put = pyformat(
            _ALONE.format(put=_PUT.format(base=":base::bigint", source="", **names))
        )
        put = _PUT.format(base="s.base", source="s,", **names)
        self._append, self._create, self._go_on = (
            pyformat(_WHOLE.format(head=head.format(**names), put=put))
            for head in (_APPEND, _CREATE, _GO_ON)
        )

    def of(self, expect: int | None) -> str:
        """The one for what is expected of the stream."""
        if expect is None:
            return self._append
        return self._go_on if expect else self._create
