"""The statements of PostgreSQL's own: a whole commit as one statement, rows as arrays."""

from __future__ import annotations

from typing import Final

from threadkeep.backends.sql.statements import DialectSyntax, Tables, pyformat

SYNTAX: Final = DialectSyntax(
    quote=lambda name: f'"{name}"',
    rewrite=pyformat,
    ids="= ANY(:ids::text[])",
    names="= ANY(:names::text[])",
    null_body="NULL::text",
    some_records="DELETE FROM {0} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {0} "
    "WHERE {1} LIMIT :limit))",
)

# The same ttl never shortens a life; see `common.commit.lifetime_after`. GREATEST ignores NULL.
_LIFETIME: Final = """expires = CASE WHEN :keep::boolean THEN t.expires
            WHEN :ttl::float8 IS NULL OR t.ttl <> :ttl::float8 THEN :expires::float8
            ELSE greatest(t.expires, :expires::float8) END,
        ttl = CASE WHEN :keep::boolean THEN t.ttl ELSE :ttl::float8 END"""

# Write the row of the stream in the usual case; in others, no row comes back.
_APPEND: Final = """
    INSERT INTO {streams} AS t (stream, version, seq, expires, ttl)
    VALUES (:stream, :birth::bigint, :n::bigint, :expires::float8, :ttl::float8)
    ON CONFLICT (stream) DO UPDATE SET version = t.version + 1, seq = t.seq + :n::bigint,
        {lifetime}
        WHERE t.expires IS NULL OR t.expires > :now::float8
    RETURNING version, seq - :n::bigint AS base"""
_CREATE: Final = """
    INSERT INTO {streams} AS t (stream, version, seq, expires, ttl, token, token_version)
    VALUES (:stream, :birth::bigint, :n::bigint, :expires::float8, :ttl::float8, :token::text,
        CASE WHEN :token::text IS NOT NULL THEN :birth::bigint END)
    ON CONFLICT (stream) DO NOTHING
    RETURNING version, seq - :n::bigint AS base"""
_UPDATE: Final = """
    UPDATE {streams} AS t SET version = version + 1, seq = seq + :n::bigint,
        {lifetime},
        token = coalesce(:token::text, token),
        token_version = CASE WHEN :token::text IS NULL THEN token_version ELSE version + 1 END
    WHERE stream = :stream AND version BETWEEN :expect::bigint AND :last::bigint
        AND (expires IS NULL OR expires > :now::float8)
        AND (:token::text IS NULL OR token IS DISTINCT FROM :token::text)
    RETURNING version, seq - :n::bigint AS base"""

# An existing record keeps its seq, unless it has expired. Returns (kind, id, seq) of each.
_PUT: Final = """
    INSERT INTO {records} AS r (stream, kind, id, seq, body, at, expires)
    SELECT :stream, x.kind, x.id, {base} + x.n, x.body, x.at, x.ends FROM {source}
    unnest(:kinds::text[], :ids::text[], :bodies::text[], :ats::float8[], :ends::float8[])
        WITH ORDINALITY AS x(kind, id, body, at, ends, n)
    ON CONFLICT (stream, kind, id) DO UPDATE SET body = excluded.body, at = excluded.at,
        expires = excluded.expires,
        seq = CASE WHEN r.expires <= :now::float8 THEN excluded.seq ELSE r.seq END
    RETURNING r.kind, r.id, r.seq"""
_PUT_ONLY: Final = "WITH p AS ({put}) SELECT kind, id, seq FROM p WHERE seq <= :base::bigint"
_COMMIT: Final = (
    "WITH s AS ({head}), p AS ({put}) "
    "SELECT s.version, s.base, p.kind, p.id, p.seq FROM s LEFT JOIN p ON p.seq <= s.base"
)

SERVER_INFO: Final = """
    SELECT 'engine', 'PostgreSQL ' || current_setting('server_version')
    UNION ALL SELECT 'tls', coalesce(
        (SELECT version FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()), 'no')
    UNION ALL SELECT 'connections', count(*) || ' of ' || current_setting('max_connections')
        FROM pg_stat_activity WHERE backend_type = 'client backend'
    UNION ALL SELECT 'role', 'a read-only replica: connect to the primary'
        WHERE pg_is_in_recovery()"""


class CommitStatements:
    """The statements that write records of a store.

    One statement is enough for a whole commit, since `ON CONFLICT` always sees the newest
    committed row, and the seq comes from the stream's locked row. Drops need their own: they
    would use the snapshot from before the lock.
    """

    def __init__(self, t: Tables) -> None:
        sql_names = {"streams": t.streams, "records": t.records, "lifetime": _LIFETIME}
        self.put = pyformat(
            _PUT_ONLY.format(put=_PUT.format(base=":base::bigint", source="", **sql_names))
        )
        put_sql = _PUT.format(base="s.base", source="s,", **sql_names)
        self._append, self._create, self._update = (
            pyformat(_COMMIT.format(head=head_sql.format(**sql_names), put=put_sql))
            for head_sql in (_APPEND, _CREATE, _UPDATE)
        )

    def for_expected(self, expect: int | None) -> str:
        """The statement for an expected version of the stream."""
        if expect is None:
            return self._append
        return self._update if expect else self._create
