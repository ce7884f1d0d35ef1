"""Sessions for people: Markdown, HTML and CSV; `threadkeep export --format`."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final

from threadkeep.api.memory import Memory
from threadkeep.cli.dates import Period
from threadkeep.printable import escaped
from threadkeep.types import Item, SessionInfo
from threadkeep.window.tokens import as_text

_PAGE: Final = 500
_COLUMNS: Final = ("session", "user", "title", "seq", "id", "time", "role", "name", "text")
_FORMULA: Final = re.compile(r"\s*[=+\-@\t\r\0]")
_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "section{border-top:1px solid #ccc}pre{white-space:pre-wrap;font:inherit}"
    "small{color:#666}"
)


class ExportFormat(StrEnum):
    """What an export is written as."""

    JSONL = "jsonl"
    MARKDOWN = "markdown"
    HTML = "html"
    CSV = "csv"


Session = tuple[SessionInfo, Iterable[Item]]


def texts(memory: Memory, ids: Iterable[str], as_: ExportFormat, within: Period) -> Iterator[str]:
    """The parts of a document of these sessions; a session that is gone is left out."""
    sessions = (
        (info, _items(memory, id, within))
        for id in ids
        if (info := memory.session(id).info()) is not None
    )
    yield from _WRITERS[as_](sessions)


def spreadsheet_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before it.

    Tabs, line breaks and spaces before the sign do not hide it.
    """
    cell_text = "" if value is None else escaped(str(value))
    return f"'{cell_text}" if _FORMULA.match(cell_text) else cell_text


def _items(memory: Memory, id: str, within: Period) -> Iterator[Item]:
    chat, last_seq = memory.session(id), None
    while True:
        item_page = chat.items(after=last_seq, limit=_PAGE)
        yield from (item for item in item_page if within.has(item.created_at))
        last_seq = item_page.cursor
        if last_seq is None:
            return


def _markdown(sessions: Iterable[Session]) -> Iterator[str]:
    for info, items in sessions:
        yield f"# {_one_line(info.title or info.id)}\n\n"
        yield f"Session `{_one_line(info.id)}`, user {_one_line(info.user or 'nobody')}\n\n"
        for item in items:
            yield f"**{_one_line(_speaker(item))}** {_time(item)}\n\n"
            yield "".join(f"> {line}\n" for line in _text(item).split("\n")) + "\n"


def _html(sessions: Iterable[Session]) -> Iterator[str]:
    yield (
        '<!doctype html>\n<html><head><meta charset="utf-8"><title>threadkeep</title>'
        f"<style>{_STYLE}</style></head><body>\n"
    )
    for info, items in sessions:
        title, user = html.escape(info.title or info.id), html.escape(info.user or "nobody")
        yield f"<section><h1>{title}</h1><p><small>{html.escape(info.id)}, {user}</small></p>\n"
        for item in items:
            heading = f"<b>{html.escape(_speaker(item))}</b> <small>{_time(item)}</small>"
            yield f"<article>{heading}<pre>{html.escape(_text(item))}</pre></article>\n"
        yield "</section>\n"
    yield "</body></html>\n"


def _csv(sessions: Iterable[Session]) -> Iterator[str]:
    yield _row(_COLUMNS)
    for info, items in sessions:
        for item in items:
            item_columns = (info.id, info.user, info.title, item.seq, item.id)
            yield _row((*item_columns, _time(item), item.role, item.name, _text(item)))


def _row(cells: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(
        map(spreadsheet_cell, cells)
    )
    return buffer.getvalue()


def _speaker(item: Item) -> str:
    return f"{item.name} ({item.role})" if item.name else item.role


def _time(item: Item) -> str:
    return "" if item.created_at is None else f"{item.created_at:%Y-%m-%d %H:%M:%S} UTC"


def _text(item: Item) -> str:
    return escaped("\n".join(item_lines(item)))


def item_lines(item: Item) -> list[str]:
    """What an item says, and what stands in it besides texts."""
    lines = [item.text] if item.text else []
    if not isinstance(item.content, str):
        lines += [f"[{block['type']}]" for block in item.content if block["type"] != "text"]
    for call in item.tool_calls:
        lines.append(f"calls {call.get('name')}({as_text(call.get('args'))})")
    return lines


def _one_line(text: str) -> str:
    return " ".join(escaped(text).split()).replace("`", "'")


_WRITERS: Final[dict[ExportFormat, Callable[[Iterable[Session]], Iterator[str]]]] = {
    ExportFormat.MARKDOWN: _markdown,
    ExportFormat.HTML: _html,
    ExportFormat.CSV: _csv,
}
