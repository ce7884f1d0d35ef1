"""The text of the views for analytics: the same columns in every dialect, live records only.

It is built of constants and of names that a backend has validated and quoted. It contains no `%`
and no `:name`, which drivers would take for placeholders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

VIEWS: Final = ("messages", "responses", "token_usage", "feedback")

JsonPath = tuple[str | int, ...]
_Columns = Mapping[str, str]


class ViewExpressions(NamedTuple):
    """The expressions of a database that the views are made of.

    Attributes:
        quote_text: a text as a literal, whatever backslashes are in it.
        position: the position of a literal in an expression, 0 if it is absent.
        json: a sanitized body as an argument of `text` and `number`; NULL if it is not JSON.
        text: the short text at a path of a JSON document.
        long_text: the text at a path; other values, as JSON.
        number: the number at a path, else NULL.
        timestamp: converts epoch seconds to a time in UTC.
        day: converts epoch seconds to a day in UTC.
        now: the current time in epoch seconds.
        name_text: a stored name or id as text.
        namespace: the first part of a stream's name.
    """

    quote_text: Callable[[str], str]
    position: Callable[[str, str], str]
    json: Callable[[str], str]
    text: Callable[[str, JsonPath], str]
    long_text: Callable[[str, JsonPath], str]
    number: Callable[[str, JsonPath], str]
    timestamp: Callable[[str], str]
    day: Callable[[str], str]
    now: str
    name_text: Callable[[str], str]
    namespace: Callable[[str], str]


class ViewTables(NamedTuple):
    """Quoted names of the tables, and the column that joins records to streams."""

    records: str
    streams: str
    key: str


def selects(dialect: ViewExpressions, tables: ViewTables) -> dict[str, str]:
    """The SELECT of each view."""
    select_builder = _SelectBuilder(dialect, tables)
    return {
        "messages": select_builder.select(_messages(select_builder), {"m": "item"})
        + f" WHERE {select_builder.text('m', 'hidden')} IS NULL",
        "responses": select_builder.select(
            _responses(select_builder), {"m": "response", "e": "response_entry"}
        ),
        "token_usage": _usage(select_builder),
        "feedback": select_builder.select(_feedback(select_builder), {"m": "feedback"})
        + f" WHERE {select_builder.text('m', 'rating')} IN ('positive', 'negative')",
    }


def json_path(path: JsonPath) -> str:
    """The path in the syntax of most databases: `$.tokens[0]`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def quote_literal(text: str) -> str:
    """A text as a literal, for databases where backslashes are not special."""
    return f"'{text}'"


def sanitize_body(dialect: ViewExpressions, body: str) -> str:
    """A body without NUL and lone surrogates, which databases refuse or truncate at.

    NUL becomes U+FFFD. Surrogates are escaped only where they are lone, and become a character of
    the private use area (U+D8xx becomes U+E8xx). Escaped backslashes are replaced by a mark
    meanwhile, so that no other text changes.
    """
    quote = dialect.quote_text
    sanitized_body = f"REPLACE({body}, {quote(chr(92) * 2)}, {quote(chr(1))})"
    sanitized_body = (
        f"REPLACE({sanitized_body}, {quote(chr(92) + 'u0000')}, {quote(chr(92) + 'ufffd')})"
    )
    for hex_digit in "89abcdef":
        surrogate_escape, replacement_escape = (
            quote(f"{chr(92)}u{hex_letter}{hex_digit}") for hex_letter in "de"
        )
        sanitized_body = f"REPLACE({sanitized_body}, {surrogate_escape}, {replacement_escape})"
    sanitized_body = f"REPLACE({sanitized_body}, {quote(chr(1))}, {quote(chr(92) * 2)})"
    needs_cleaning = " OR ".join(
        f"{dialect.position(body, quote(chr(92) + escape_prefix))} > 0"
        for escape_prefix in ("u0000", "ud")
    )
    return f"CASE WHEN {needs_cleaning} THEN {sanitized_body} ELSE {body} END"


class _SelectBuilder:
    """Builds the parts of a store's SELECTs."""

    def __init__(self, dialect: ViewExpressions, tables: ViewTables) -> None:
        self.dialect = dialect
        self._tables = tables

    def text(self, record: str, *path: str | int) -> str:
        return self.dialect.text(f"{record}.doc", path)

    def long_text(self, record: str, *path: str | int) -> str:
        return self.dialect.long_text(f"{record}.doc", path)

    def number(self, record: str, *path: str | int) -> str:
        return self.dialect.number(f"{record}.doc", path)

    def created_at(self, record: str) -> str:
        """Epoch seconds: when the record was created, else when it was stored."""
        return f"COALESCE({self.number(record, 'created_at')}, {record}.at)"

    def select(self, columns: _Columns, kind_by_alias: Mapping[str, str]) -> str:
        """A SELECT on live records, joined by alias; the first kind is an inner join."""
        column_list = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
        (main_alias, main_kind), *optional_kinds = kind_by_alias.items()
        joins = f"JOIN ({self._live(main_kind)}) {main_alias} ON {main_alias}.stream = o.stream"
        for alias, optional_kind in optional_kinds:
            join_condition = f"{alias}.stream = o.stream AND {alias}.id = {main_alias}.id"
            joins += f" LEFT JOIN ({self._live(optional_kind)}) {alias} ON {join_condition}"
        session_select = self._live("session", "r.id = 'session'")
        return f"SELECT {column_list} FROM ({session_select}) o {joins}"

    def session_columns(self) -> _Columns:
        """The session's namespace and id, and its user."""
        namespace_column = self.dialect.namespace("o.name")
        return {
            "namespace": namespace_column,
            "session_id": self.text("o", "id"),
            "user_id": self.text("o", "user"),
        }

    def _live(self, kind: str, *conditions: str) -> str:
        tables, now = self._tables, self.dialect.now
        body_json = self.dialect.json(sanitize_body(self.dialect, "r.body"))
        all_conditions = [
            f"r.kind = '{kind}'",
            *(f"({alias}.expires IS NULL OR {alias}.expires > {now})" for alias in "sr"),
            *conditions,
        ]
        return (
            f"SELECT s.{tables.key} AS stream, s.stream AS name, r.id, r.seq, r.at, "
            f"{body_json} AS doc FROM {tables.streams} s "
            f"JOIN {tables.records} r ON r.{tables.key} = s.{tables.key} "
            f"WHERE {' AND '.join(all_conditions)}"
        )


def _messages(builder: _SelectBuilder) -> _Columns:
    is_readable = f"{builder.text('m', 'role')} IS NOT NULL"
    return {
        **builder.session_columns(),
        "agent": builder.text("o", "agent"),
        "seq": "m.seq",
        "id": f"COALESCE({builder.text('m', 'id')}, {builder.dialect.name_text('m.id')})",
        "type": f"CASE WHEN {is_readable} THEN COALESCE({builder.text('m', 'type')}, 'message') "
        "ELSE 'opaque' END",
        "role": f"COALESCE({builder.text('m', 'role')}, 'unknown')",
        "name": builder.text("m", "name"),
        "content": builder.long_text("m", "content"),
        "tool_calls": builder.long_text("m", "tool_calls"),
        "tool_call_id": builder.text("m", "tool_call_id"),
        "status": builder.text("m", "status"),
        "model": builder.text("m", "model"),
        "metadata": builder.long_text("m", "metadata"),
        "created_at": builder.dialect.timestamp(builder.created_at("m")),
    }


def _responses(builder: _SelectBuilder) -> _Columns:
    short_columns = ("previous_response_id", "model", "status")
    long_columns = ("input", "output", "tool_calls")
    return {
        **builder.session_columns(),
        "seq": "m.seq",
        "id": f"COALESCE({builder.text('m', 'id')}, {builder.dialect.name_text('m.id')})",
        **{column_name: builder.text("m", column_name) for column_name in short_columns},
        **{column_name: builder.long_text("m", column_name) for column_name in long_columns},
        **_tokens(builder, "e"),
        **_details(builder, "e"),
        "safety_identifier": builder.text("m", "safety_identifier"),
        "metadata": builder.long_text("m", "metadata"),
        "created_at": builder.dialect.timestamp(builder.created_at("m")),
    }


def _usage(builder: _SelectBuilder) -> str:
    model_column = f"COALESCE({builder.text('m', 'model')}, '')"
    usage_columns = {
        "namespace": builder.session_columns()["namespace"],
        "day": builder.dialect.day(builder.created_at("m")),
        "model": model_column,
        **_tokens(builder, "m"),
        **_details(builder, "m"),
    }
    usage_per_response = builder.select(usage_columns, {"m": "response_entry"})
    token_columns = [*_tokens(builder, "m"), *_details(builder, "m")]
    sum_columns = ", ".join(f"SUM({column_name}) AS {column_name}" for column_name in token_columns)
    group_columns = "namespace, day, model"
    return (
        f"SELECT {group_columns}, COUNT(*) AS responses, {sum_columns} "
        f"FROM ({usage_per_response}) u GROUP BY {group_columns}"
    )


def _feedback(builder: _SelectBuilder) -> _Columns:
    return {
        **builder.session_columns(),
        "id": f"COALESCE({builder.text('m', 'id')}, {builder.dialect.name_text('m.id')})",
        **{column_name: builder.text("m", column_name) for column_name in ("response", "rating")},
        "comment_text": builder.long_text("m", "comment"),
        **{column: builder.text("m", column) for column in ("author", "item", "model")},
        "metadata": builder.long_text("m", "metadata"),
        "created_at": builder.dialect.timestamp(builder.created_at("m")),
    }


def _tokens(builder: _SelectBuilder, record: str) -> _Columns:
    column_names = ("input_tokens", "output_tokens", "total_tokens")
    return {
        column_name: f"COALESCE({builder.number(record, 'tokens', token_index)}, 0)"
        for token_index, column_name in enumerate(column_names)
    }


def _details(builder: _SelectBuilder, record: str) -> _Columns:
    return {
        f"{detail_name}_tokens": f"COALESCE({builder.number(record, detail_name)}, 0)"
        for detail_name in ("cached", "reasoning")
    }
