"""The views for analytics: what each database says in its own way, and in which steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from threadkeep.backends.common import sql_views
from threadkeep.backends.common.sql_views import Path, dollars, plainly
from threadkeep.backends.sql.names import Names
from threadkeep.backends.sql.statements import Step

if TYPE_CHECKING:
    from threadkeep.backends.sql.dialect import Dialect


class Way(NamedTuple):
    """How a database makes views.

    Attributes:
        words: in its own words; `{json}` is the name of the helper function.
        quote: puts a name in quotes.
        create: begins the statement that makes a view.
        drop: drops the view `{view}`, or does nothing if it is not there.
        around: what stands before and after all of them, where they are made together.
        helper: makes the function that the views stand on; `{json}` is its name.
        drop_helper: drops it.
    """

    words: sql_views.Dialect
    quote: Callable[[str], str]
    create: str = "CREATE OR REPLACE VIEW"
    drop: str = "DROP VIEW IF EXISTS {view}"
    around: tuple[Sequence[Step], Sequence[Step]] = ((), ())
    helper: str = ""
    drop_helper: str = ""


class Views:
    """The views of one store."""

    def __init__(self, dialect: Dialect, names: Names) -> None:
        self._way = WAYS[dialect.title]
        self._names = names
        self._quote = self._way.quote
        tables = sql_views.Tables(dialect.tables.records, dialect.tables.streams, "stream")
        self._selects = sql_views.selects(self._way.words, tables)

    @property
    def names(self) -> list[str]:
        """Of the views, without quotes."""
        return [self._names.beside(name) for name in self._selects]

    def statements(self) -> dict[str, str]:
        """What makes each, by its name; what they stand on comes first."""
        made = {}
        if self._way.helper:
            made[self._names.beside("json")] = self._way.helper.format(json=self._place("json"))
        for name, text in self._selects.items():
            text = text.replace("{json}", self._place("json"))
            made[self._names.beside(name)] = f"{self._way.create} {self._place(name)} AS {text}"
        return made

    def make(self) -> list[Step]:
        """The steps that make them anew."""
        before, after = self._way.around
        steps: list[Step] = [(text, {}) for text in self.statements().values()]
        return [*before, *(self._drops() if before else ()), *steps, *after]

    def drop(self) -> list[Step]:
        """The steps that drop them; it is no error where they are not there."""
        before, after = self._way.around
        return [*before, *self._drops(), *after]

    def _drops(self) -> list[Step]:
        texts = [self._way.drop.format(view=self._place(name)) for name in reversed(self._selects)]
        steps: list[Step] = [(text, {}) for text in texts]
        if self._way.drop_helper:
            steps.append((self._way.drop_helper.format(json=self._place("json")), {}))
        return steps

    def _place(self, name: str) -> str:
        schema = f"{self._quote(self._names.schema)}." if self._names.schema else ""
        return schema + self._quote(self._names.beside(name))


def _pg_path(path: Path) -> str:
    return "'{" + ",".join(map(str, path)) + "}'"


def _pg_text(doc: str, path: Path) -> str:
    return f"({doc} #>> {_pg_path(path)})"


def _pg_number(doc: str, path: Path) -> str:
    at = _pg_path(path)
    return (
        f"CASE WHEN jsonb_typeof({doc} #> {at}) = 'number' THEN CAST({doc} #>> {at} AS numeric) END"
    )


_POSTGRESQL: Final = Way(
    sql_views.Dialect(
        quoted=plainly,
        find=lambda text, part: f"strpos({text}, {part})",
        json=lambda body: f"{{json}}({body})",
        text=_pg_text,
        long=_pg_text,
        number=_pg_number,
        moment=lambda at: f"to_timestamp(CAST({at} AS float8))",
        day=lambda at: f"CAST(to_timestamp(CAST({at} AS float8)) AT TIME ZONE 'UTC' AS date)",
        now="CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS float8)",
        named=str,
        beginning=lambda stream: f"split_part({stream}, '/', 1)",
    ),
    quote=lambda name: f'"{name}"',
    create="CREATE VIEW",
    around=([("BEGIN", {})], [("COMMIT", {})]),
    # one record that is no JSON would else end the query of all
    helper="CREATE OR REPLACE FUNCTION {json}(body text) RETURNS jsonb LANGUAGE plpgsql "
    "IMMUTABLE STRICT AS 'BEGIN RETURN body::jsonb; "
    "EXCEPTION WHEN data_exception OR program_limit_exceeded THEN RETURN NULL; END'",
    drop_helper="DROP FUNCTION IF EXISTS {json}(text)",
)


def _hex(text: str) -> str:
    """Whatever the session makes of backslashes."""
    return f"_utf8mb4 0x{text.encode().hex()} COLLATE utf8mb4_bin"


def _my_text(doc: str, path: Path) -> str:
    found = f"JSON_EXTRACT({doc}, '{dollars(path)}')"
    return f"CASE WHEN JSON_TYPE({found}) <> 'NULL' THEN JSON_UNQUOTE({found}) END"


def _my_number(doc: str, path: Path) -> str:
    found = f"JSON_EXTRACT({doc}, '{dollars(path)}')"
    kinds = "'INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'"
    return f"CASE WHEN JSON_TYPE({found}) IN ({kinds}) THEN CAST({found} AS DECIMAL(30, 6)) END"


def _my_moment(at: str) -> str:
    return f"(TIMESTAMP('1970-01-01 00:00:00') + INTERVAL CAST({at} AS DECIMAL(20, 6)) SECOND)"


_MYSQL: Final = Way(
    sql_views.Dialect(
        quoted=_hex,
        find=lambda text, part: f"LOCATE({part}, {text})",
        json=lambda body: f"CASE WHEN JSON_VALID({body}) THEN {body} END",
        text=_my_text,
        long=_my_text,
        number=_my_number,
        moment=_my_moment,
        day=lambda at: f"CAST({_my_moment(at)} AS DATE)",
        now="UNIX_TIMESTAMP(NOW(6))",
        named=lambda name: f"CONVERT({name} USING utf8mb4)",
        beginning=lambda stream: f"SUBSTRING_INDEX(CONVERT({stream} USING utf8mb4), '/', 1)",
    ),
    quote=lambda name: f"`{name}`",
)


def _ora_text(doc: str, path: Path) -> str:
    return f"JSON_VALUE({doc}, '{dollars(path)}' RETURNING VARCHAR2(4000) NULL ON ERROR)"


def _ora_long(doc: str, path: Path) -> str:
    found = dollars(path)
    return (
        f"COALESCE(JSON_VALUE({doc}, '{found}' RETURNING CLOB NULL ON ERROR), "
        f"JSON_QUERY({doc}, '{found}' RETURNING CLOB NULL ON ERROR))"
    )


_ORACLE: Final = Way(
    sql_views.Dialect(
        quoted=plainly,
        find=lambda text, part: f"INSTR({text}, {part})",
        json=lambda body: f"CASE WHEN {body} IS JSON THEN {body} END",
        text=_ora_text,
        long=_ora_long,
        number=lambda doc, path: (
            f"JSON_VALUE({doc}, '{dollars(path)}' RETURNING NUMBER NULL ON ERROR)"
        ),
        moment=lambda at: f"(TIMESTAMP '1970-01-01 00:00:00' + NUMTODSINTERVAL({at}, 'SECOND'))",
        day=lambda at: f"TRUNC(DATE '1970-01-01' + {at} / 86400)",
        now="((CAST(SYS_EXTRACT_UTC(SYSTIMESTAMP) AS DATE) - DATE '1970-01-01') * 86400)",
        named=str,
        beginning=lambda stream: f"SUBSTR({stream}, 1, INSTR({stream}, '/') - 1)",
    ),
    quote=lambda name: f'"{name.upper() if name.islower() else name}"',
    drop="BEGIN EXECUTE IMMEDIATE 'DROP VIEW {view}'; "
    "EXCEPTION WHEN OTHERS THEN IF SQLCODE <> -942 THEN RAISE; END IF; END;",
)

WAYS: Final = {"PostgreSQL": _POSTGRESQL, "MySQL": _MYSQL, "Oracle": _ORACLE}
