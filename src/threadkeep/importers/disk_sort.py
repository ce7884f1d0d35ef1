"""Puts entries in order on disk, so that memory stays bounded whatever their number."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from typing import NamedTuple

from threadkeep.importers.values import JsonEntry


class Keyed(NamedTuple):
    """An entry, the group that it belongs to, and its order there."""

    group: str
    order: str
    entry: JsonEntry


def grouped(keyed: Iterable[Keyed]) -> Iterator[tuple[str, Iterator[JsonEntry]]]:
    """The entries of each group in their order; what is equal stays as it came."""
    with closing(sqlite3.connect("")) as connection:  # a temporary file, which nobody else sees
        connection.execute(
            "CREATE TABLE entries (grouping TEXT, position TEXT, place TEXT, value TEXT)"
        )
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", map(_row, keyed))
        rows = connection.execute(
            "SELECT grouping, place, value FROM entries ORDER BY grouping, position, rowid"
        )
        for group, group_rows in groupby(rows, key=lambda row: row[0]):
            yield json.loads(group), (JsonEntry(row[1], json.loads(row[2])) for row in group_rows)


def _row(keyed: Keyed) -> tuple[str, str, str, str]:
    location, parsed_value = keyed.entry  # as JSON, since a text may hold half a character
    return json.dumps(keyed.group), json.dumps(keyed.order), location, json.dumps(parsed_value)
