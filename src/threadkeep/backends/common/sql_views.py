"""The text of the views for analytics: the same columns in every dialect of SQL, live records only.

It is built of constants and of names that a backend has validated and quoted. It holds no `%` and
no `:name`, which drivers would take for their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

VIEWS: Final = ("messages", "responses", "token_usage", "feedback")

Path = tuple[str | int, ...]
_Columns = Mapping[str, str]


class Dialect(NamedTuple):
    """How a database says it.

    Attributes:
        quoted: a text as a literal, whatever backslashes are in it.
        find: the place of a literal in an expression, 0 = it is not there.
        json: a clean body as what `text` and `number` take; NULL if it is no JSON.
        text: of a JSON, the words at a path, if they are short.
        long: the words there; what is no words, as JSON.
        number: the number there, else NULL.
        moment: of epoch seconds, the time in UTC.
        day: of epoch seconds, the day in UTC.
        now: epoch seconds.
        named: a stored name or id as text.
        beginning: the first part of a stream's name.
    """

    quoted: Callable[[str], str]
    find: Callable[[str, str], str]
    json: Callable[[str], str]
    text: Callable[[str, Path], str]
    long: Callable[[str, Path], str]
    number: Callable[[str, Path], str]
    moment: Callable[[str], str]
    day: Callable[[str], str]
    now: str
    named: Callable[[str], str]
    beginning: Callable[[str], str]


class Tables(NamedTuple):
    """Quoted names of the tables, and the column by which records belong to streams."""

    records: str
    streams: str
    key: str


def selects(dialect: Dialect, tables: Tables) -> dict[str, str]:
    """The SELECT of each view."""
    say = _Sayer(dialect, tables)
    return {
        "messages": say.select(_messages(say), {"m": "item"}),
        "responses": say.select(_responses(say), {"m": "response", "e": "response_entry"}),
        "token_usage": _usage(say),
        "feedback": say.select(_feedback(say), {"m": "feedback"})
        + f" WHERE {say.text('m', 'rating')} IN ('positive', 'negative')",
    }


def dollars(path: Path) -> str:
    """A path as most databases write it: `$.tokens[0]`."""
    return "$" + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)


def plainly(text: str) -> str:
    """A text as a literal, where backslashes are nothing special."""
    return f"'{text}'"


def clean(dialect: Dialect, body: str) -> str:
    """A body without NUL and half characters, which databases refuse, or end a text at.

    NUL becomes U+FFFD. A half of a character comes only where the other is missing, and becomes a
    letter of the private area (U+D8xx is U+E8xx). A backslash that is itself written with one is
    put aside meanwhile, so that no other text is touched.
    """
    quoted = dialect.quoted
    text = f"REPLACE({body}, {quoted(chr(92) * 2)}, {quoted(chr(1))})"
    text = f"REPLACE({text}, {quoted(chr(92) + 'u0000')}, {quoted(chr(92) + 'ufffd')})"
    for digit in "89abcdef":
        half, mark = (quoted(f"{chr(92)}u{letter}{digit}") for letter in "de")
        text = f"REPLACE({text}, {half}, {mark})"
    text = f"REPLACE({text}, {quoted(chr(1))}, {quoted(chr(92) * 2)})"
    suspicious = " OR ".join(
        f"{dialect.find(body, quoted(chr(92) + start))} > 0" for start in ("u0000", "ud")
    )
    return f"CASE WHEN {suspicious} THEN {text} ELSE {body} END"


class _Sayer:
    """Parts of the statements of one store."""

    def __init__(self, dialect: Dialect, tables: Tables) -> None:
        self.dialect = dialect
        self._tables = tables

    def text(self, record: str, *path: str | int) -> str:
        return self.dialect.text(f"{record}.doc", path)

    def long(self, record: str, *path: str | int) -> str:
        return self.dialect.long(f"{record}.doc", path)

    def number(self, record: str, *path: str | int) -> str:
        return self.dialect.number(f"{record}.doc", path)

    def made(self, record: str) -> str:
        """Epoch seconds: when it was said, else when it was stored."""
        return f"COALESCE({self.number(record, 'created_at')}, {record}.at)"

    def select(self, columns: _Columns, kinds: Mapping[str, str]) -> str:
        """Columns of live records of a session, by their aliases; one of the first is needed."""
        listed = ", ".join(f"{text} AS {name}" for name, text in columns.items())
        first, *more = kinds.items()
        joined = f"JOIN ({self._live(first[1])}) {first[0]} ON {first[0]}.stream = o.stream"
        for alias, kind in more:
            same = f"{alias}.stream = o.stream AND {alias}.id = {first[0]}.id"
            joined += f" LEFT JOIN ({self._live(kind)}) {alias} ON {same}"
        own = self._live("session", "r.id = 'session'")
        return f"SELECT {listed} FROM ({own}) o {joined}"

    def whose(self) -> _Columns:
        """Of which session, and whose it is."""
        beginning = self.dialect.beginning("o.name")
        return {
            "namespace": beginning,
            "session_id": self.text("o", "id"),
            "user_id": self.text("o", "user"),
        }

    def _live(self, kind: str, *more: str) -> str:
        t, now = self._tables, self.dialect.now
        body = self.dialect.json(clean(self.dialect, "r.body"))
        tests = [
            f"r.kind = '{kind}'",
            *(f"({alias}.expires IS NULL OR {alias}.expires > {now})" for alias in "sr"),
            *more,
        ]
        return (
            f"SELECT s.{t.key} AS stream, s.stream AS name, r.id, r.seq, r.at, {body} AS doc "
            f"FROM {t.streams} s JOIN {t.records} r ON r.{t.key} = s.{t.key} "
            f"WHERE {' AND '.join(tests)}"
        )


def _messages(say: _Sayer) -> _Columns:
    readable = f"{say.text('m', 'role')} IS NOT NULL"
    return {
        **say.whose(),
        "agent": say.text("o", "agent"),
        "seq": "m.seq",
        "id": f"COALESCE({say.text('m', 'id')}, {say.dialect.named('m.id')})",
        "type": f"CASE WHEN {readable} THEN COALESCE({say.text('m', 'type')}, 'message') "
        "ELSE 'opaque' END",
        "role": f"COALESCE({say.text('m', 'role')}, 'unknown')",
        "name": say.text("m", "name"),
        "content": say.long("m", "content"),
        "tool_calls": say.long("m", "tool_calls"),
        "tool_call_id": say.text("m", "tool_call_id"),
        "status": say.text("m", "status"),
        "model": say.text("m", "model"),
        "metadata": say.long("m", "metadata"),
        "created_at": say.dialect.moment(say.made("m")),
    }


def _responses(say: _Sayer) -> _Columns:
    words, long = ("previous_response_id", "model", "status"), ("input", "output", "tool_calls")
    return {
        **say.whose(),
        "seq": "m.seq",
        "id": f"COALESCE({say.text('m', 'id')}, {say.dialect.named('m.id')})",
        **{name: say.text("m", name) for name in words},
        **{name: say.long("m", name) for name in long},
        **_tokens(say, "e"),
        "safety_identifier": say.text("m", "safety_identifier"),
        "metadata": say.long("m", "metadata"),
        "created_at": say.dialect.moment(say.made("m")),
    }


def _usage(say: _Sayer) -> str:
    model = f"COALESCE({say.text('m', 'model')}, '')"
    columns = {
        "namespace": say.whose()["namespace"],
        "day": say.dialect.day(say.made("m")),
        "model": model,
        **_tokens(say, "m"),
    }
    inner = say.select(columns, {"m": "response_entry"})
    sums = ", ".join(f"SUM({name}) AS {name}" for name in _tokens(say, "m"))
    keys = "namespace, day, model"
    return f"SELECT {keys}, COUNT(*) AS responses, {sums} FROM ({inner}) u GROUP BY {keys}"


def _feedback(say: _Sayer) -> _Columns:
    return {
        **say.whose(),
        "id": f"COALESCE({say.text('m', 'id')}, {say.dialect.named('m.id')})",
        **{name: say.text("m", name) for name in ("response", "rating")},
        "comment_text": say.long("m", "comment"),
        **{name: say.text("m", name) for name in ("author", "item", "model")},
        "metadata": say.long("m", "metadata"),
        "created_at": say.dialect.moment(say.made("m")),
    }


def _tokens(say: _Sayer, record: str) -> _Columns:
    names = ("input_tokens", "output_tokens", "total_tokens")
    return {name: f"COALESCE({say.number(record, 'tokens', n)}, 0)" for n, name in enumerate(names)}
