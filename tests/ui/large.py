"""A large store, written row by row past our API: copies of one session that it wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from threadkeep import connect

PATTERN = "pattern0"
USERS = 1_000


def fill(path, sessions: int) -> None:
    """Write so many sessions, half of them Ada's, the others of a thousand users."""
    with connect(path) as memory:
        memory.session(PATTERN, user="ada").add("Hello, what is the weather in Oslo?")
    with closing(sqlite3.connect(path)) as database, database:
        _copy_sessions(database, sessions)


def name(number: int) -> str:
    """The id of a session."""
    return f"s{number:07}"


def owner(number: int) -> str:
    """Whose session it is."""
    return "ada" if number % 2 else f"user{number // 2 % USERS}"


def _copy_sessions(database, count):
    streams = list(database.execute("SELECT * FROM threadkeep_streams"))
    (pattern,) = [row for row in streams if row[1].endswith(f"/session/{PATTERN}")]
    (listed,) = [row for row in streams if row[1].endswith("/sessions/ada")]
    records = list(database.execute("SELECT * FROM threadkeep WHERE sid = ?", (pattern[0],)))
    (entry,) = database.execute("SELECT * FROM threadkeep WHERE sid = ?", (listed[0],))
    first = max(row[0] for row in streams) + 1
    owners = sorted({owner(number) for number in range(min(count, 2 * USERS))})
    lists = {user: first + place for place, user in enumerate(owners)} | {"ada": listed[0]}
    begin = first + len(owners)
    database.executemany(
        "INSERT INTO threadkeep_streams VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(
                _stream(listed, lists[user], f"/{user}", "/ada", 10**6)
                for user in owners
                if user != "ada"
            ),
            *(
                _stream(pattern, begin + number, name(number), PATTERN, pattern[3])
                for number in range(count)
            ),
        ],
    )
    database.execute("UPDATE threadkeep_streams SET seq = ? WHERE sid = ?", (10**6, listed[0]))
    database.executemany(
        "INSERT INTO threadkeep VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            row
            for number in range(count)
            for row in (
                *(_record(record, begin + number, number) for record in records),
                (
                    lists[owner(number)],
                    entry[1],
                    number + 10,
                    name(number),
                    entry[4].replace(PATTERN, name(number)),
                    *entry[5:],
                ),
            )
        ),
    )


def _stream(pattern, sid, new, old, seq):
    return (sid, pattern[1].removesuffix(old) + new, pattern[2], seq, *pattern[4:])


def _record(record, sid, number):
    _, kind, seq, id, body, *dates = record
    body = body.replace(PATTERN, name(number)).replace('"ada"', f'"{owner(number)}"')
    return (sid, kind, seq, id, body, *dates)
