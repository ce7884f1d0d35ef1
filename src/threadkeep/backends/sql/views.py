"""The views for analytics: the syntax of each database, and the steps that create them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from threadkeep.backends.common import sql_views
from threadkeep.backends.common.sql_views import JsonPath, json_path, quote_literal
from threadkeep.backends.sql.names import TableNames
from threadkeep.backends.sql.statements import Step

if TYPE_CHECKING:
    from threadkeep.backends.sql.dialect import Dialect


class ViewSyntax(NamedTuple):
    """The syntax by which a database creates views.

    Attributes:
        expressions: of the columns; `{json}` is the name of the helper function.
        quote: quotes a name.
        create: the start of the statement that creates a view.
        drop: drops the view `{view}` if it exists.
        transaction: the steps before and after, where all are created in one transaction.
        helper: creates the function that the views use; `{json}` is its name.
        drop_helper: drops the function.
    """

    expressions: sql_views.ViewExpressions
    quote: Callable[[str], str]
    create: str = "CREATE OR REPLACE VIEW"
    drop: str = "DROP VIEW IF EXISTS {view}"
    transaction: tuple[Sequence[Step], Sequence[Step]] = ((), ())
    helper: str = ""
    drop_helper: str = ""


class Views:
    """The views of one store."""

    def __init__(self, dialect: Dialect, names: TableNames) -> None:
        self._syntax = VIEW_SYNTAX[dialect.title]
        self._names = names
        self._quote = self._syntax.quote
        view_tables = sql_views.ViewTables(dialect.tables.records, dialect.tables.streams, "stream")
        self._selects = sql_views.selects(self._syntax.expressions, view_tables)

    @property
    def names(self) -> list[str]:
        """The names of the views, without quotes."""
        return [self._names.derived(view_name) for view_name in self._selects]

    def statements(self) -> dict[str, str]:
        """The CREATE statements by name; the helper function comes first."""
        create_sql_by_name = {}
        if self._syntax.helper:
            create_sql_by_name[self._names.derived("json")] = self._syntax.helper.format(
                json=self._qualified("json")
            )
        for view_name, select_sql in self._selects.items():
            select_sql = select_sql.replace("{json}", self._qualified("json"))
            create_sql_by_name[self._names.derived(view_name)] = (
                f"{self._syntax.create} {self._qualified(view_name)} AS {select_sql}"
            )
        return create_sql_by_name

    def make(self) -> list[Step]:
        """The steps that create or replace the views."""
        begin_steps, end_steps = self._syntax.transaction
        create_steps: list[Step] = [(create_sql, {}) for create_sql in self.statements().values()]
        return [*begin_steps, *(self._drops() if begin_steps else ()), *create_steps, *end_steps]

    def drop(self) -> list[Step]:
        """The steps that drop the views that exist."""
        begin_steps, end_steps = self._syntax.transaction
        return [*begin_steps, *self._drops(), *end_steps]

    def _drops(self) -> list[Step]:
        drop_statements = [
            self._syntax.drop.format(view=self._qualified(view_name))
            for view_name in reversed(self._selects)
        ]
        drop_steps: list[Step] = [(drop_sql, {}) for drop_sql in drop_statements]
        if self._syntax.drop_helper:
            drop_steps.append((self._syntax.drop_helper.format(json=self._qualified("json")), {}))
        return drop_steps

    def _qualified(self, name: str) -> str:
        schema_prefix = f"{self._quote(self._names.schema)}." if self._names.schema else ""
        return schema_prefix + self._quote(self._names.derived(name))


def _pg_path(path: JsonPath) -> str:
    return "'{" + ",".join(map(str, path)) + "}'"


def _pg_text(doc: str, path: JsonPath) -> str:
    return f"({doc} #>> {_pg_path(path)})"


def _pg_number(doc: str, path: JsonPath) -> str:
    path_literal = _pg_path(path)
    return (
        f"CASE WHEN jsonb_typeof({doc} #> {path_literal}) = 'number' "
        f"THEN CAST({doc} #>> {path_literal} AS numeric) END"
    )


_POSTGRESQL: Final = ViewSyntax(
    sql_views.ViewExpressions(
        quote_text=quote_literal,
        position=lambda text, part: f"strpos({text}, {part})",
        json=lambda body: f"{{json}}({body})",
        text=_pg_text,
        long_text=_pg_text,
        number=_pg_number,
        timestamp=lambda at: f"to_timestamp(CAST({at} AS float8))",
        day=lambda at: f"CAST(to_timestamp(CAST({at} AS float8)) AT TIME ZONE 'UTC' AS date)",
        now="CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS float8)",
        name_text=str,
        namespace=lambda stream: f"split_part({stream}, '/', 1)",
    ),
    quote=lambda name: f'"{name}"',
    create="CREATE VIEW",
    transaction=([("BEGIN", {})], [("COMMIT", {})]),
    # without it, one record that is no JSON would fail the query
    helper="CREATE OR REPLACE FUNCTION {json}(body text) RETURNS jsonb LANGUAGE plpgsql "
    "IMMUTABLE STRICT AS 'BEGIN RETURN body::jsonb; "
    "EXCEPTION WHEN data_exception OR program_limit_exceeded THEN RETURN NULL; END'",
    drop_helper="DROP FUNCTION IF EXISTS {json}(text)",
)


def _hex(text: str) -> str:
    """A literal that does not depend on how the session treats backslashes."""
    return f"_utf8mb4 0x{text.encode().hex()} COLLATE utf8mb4_bin"


def _my_text(doc: str, path: JsonPath) -> str:
    extracted_json = f"JSON_EXTRACT({doc}, '{json_path(path)}')"
    return (
        f"CASE WHEN JSON_TYPE({extracted_json}) <> 'NULL' THEN JSON_UNQUOTE({extracted_json}) END"
    )


def _my_number(doc: str, path: JsonPath) -> str:
    extracted_json = f"JSON_EXTRACT({doc}, '{json_path(path)}')"
    number_types = "'INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'"
    return (
        f"CASE WHEN JSON_TYPE({extracted_json}) IN ({number_types}) "
        f"THEN CAST({extracted_json} AS DECIMAL(30, 6)) END"
    )


def _my_timestamp(at: str) -> str:
    return f"(TIMESTAMP('1970-01-01 00:00:00') + INTERVAL CAST({at} AS DECIMAL(20, 6)) SECOND)"


_MYSQL: Final = ViewSyntax(
    sql_views.ViewExpressions(
        quote_text=_hex,
        position=lambda text, part: f"LOCATE({part}, {text})",
        json=lambda body: f"CASE WHEN JSON_VALID({body}) THEN {body} END",
        text=_my_text,
        long_text=_my_text,
        number=_my_number,
        timestamp=_my_timestamp,
        day=lambda at: f"CAST({_my_timestamp(at)} AS DATE)",
        now="UNIX_TIMESTAMP(NOW(6))",
        name_text=lambda name: f"CONVERT({name} USING utf8mb4)",
        namespace=lambda stream: f"SUBSTRING_INDEX(CONVERT({stream} USING utf8mb4), '/', 1)",
    ),
    quote=lambda name: f"`{name}`",
)


def _ora_text(doc: str, path: JsonPath) -> str:
    return f"JSON_VALUE({doc}, '{json_path(path)}' RETURNING VARCHAR2(4000) NULL ON ERROR)"


def _ora_long(doc: str, path: JsonPath) -> str:
    path_text = json_path(path)
    return (
        f"COALESCE(JSON_VALUE({doc}, '{path_text}' RETURNING CLOB NULL ON ERROR), "
        f"JSON_QUERY({doc}, '{path_text}' RETURNING CLOB NULL ON ERROR))"
    )


_ORACLE: Final = ViewSyntax(
    sql_views.ViewExpressions(
        quote_text=quote_literal,
        position=lambda text, part: f"INSTR({text}, {part})",
        json=lambda body: f"CASE WHEN {body} IS JSON THEN {body} END",
        text=_ora_text,
        long_text=_ora_long,
        number=lambda doc, path: (
            f"JSON_VALUE({doc}, '{json_path(path)}' RETURNING NUMBER NULL ON ERROR)"
        ),
        timestamp=lambda at: f"(TIMESTAMP '1970-01-01 00:00:00' + NUMTODSINTERVAL({at}, 'SECOND'))",
        day=lambda at: f"TRUNC(DATE '1970-01-01' + {at} / 86400)",
        now="((CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE) - DATE '1970-01-01') * 86400)",
        name_text=str,
        namespace=lambda stream: f"SUBSTR({stream}, 1, INSTR({stream}, '/') - 1)",
    ),
    quote=lambda name: f'"{name.upper() if name.islower() else name}"',
    drop="BEGIN EXECUTE IMMEDIATE 'DROP VIEW {view}'; "
    "EXCEPTION WHEN OTHERS THEN IF SQLCODE <> -942 THEN RAISE; END IF; END;",
)

VIEW_SYNTAX: Final = {"PostgreSQL": _POSTGRESQL, "MySQL": _MYSQL, "Oracle": _ORACLE}
