"""No part of a password is shown, however oddly a URL is written."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from threadkeep import connect
from threadkeep.errors import ThreadkeepError

CHUNKS = ("zq7x", "k9w1", "vm4d")
MARKS = st.text("#/?@:%[]&=;+ \\,!", min_size=1, max_size=2)
PASSWORDS = st.tuples(MARKS, MARKS, st.booleans()).map(
    lambda parts: (
        (parts[0] if parts[2] else "").join(["", CHUNKS[0]])
        + parts[0].join(["", CHUNKS[1]])
        + parts[1].join(["", CHUNKS[2]])
    )
)
SCHEMES = (
    *("mongodb", "mongodb+srv", "postgresql", "postgresql+psycopg", "mysql", "mariadb"),
    *("redis", "rediss", "redis+cluster", "oracle", "sqlite", "memory", "nosuch"),
)
SHAPES = (
    "{scheme}://u:{password}@127.0.0.1:1/db",
    "{scheme}://u:{password}@127.0.0.1/db?timeout=5",
    "{scheme}://:{password}@127.0.0.1",
    "{scheme}://u:{password}@one:1,two:2/db",
    "{scheme}://u:{password}@[::1]:1/db",
    "{scheme}://u:{password}@",
    "{scheme}:u:{password}@127.0.0.1/db",
    "{scheme}:/u:{password}@127.0.0.1/db",
    "{scheme}:///u:{password}@127.0.0.1/db",
    "{scheme}://127.0.0.1:1/db?user=u&password={password}",
)


@settings(max_examples=600)
@given(scheme=st.sampled_from(SCHEMES), shape=st.sampled_from(SHAPES), password=PASSWORDS)
@example("mongodb", SHAPES[0], "zq7x?k9w1")
@example("mongodb", SHAPES[0], "zq7x@vm4d?k9w1")
@example("mongodb", "mongodb://u:{password}", "zq7x")
@example("postgresql", SHAPES[-1], "zq7x&k9w1=vm4d")
@example("mysql", SHAPES[-1], "zq7x&k9w1=vm4d")
@example("mysql", SHAPES[-1], "zq7x&timeout=vm4d")
@example("redis", SHAPES[-1], "zq7x&timeout=vm4d")
@example("oracle", SHAPES[-1], "zq7x&thick=vm4d")
def test_password_is_in_no_text(scheme, shape, password):
    if scheme == "sqlite" or (scheme == "memory" and "?" not in password):
        shape = SHAPES[0]  # a path may be shown, and a URL of SQLite has no password elsewhere
    url = shape.format(scheme=scheme, password=password)
    for chunk in CHUNKS:
        if chunk in password:
            assert chunk not in shown(url)


def shown(url: str) -> str:
    """All that a program may print of it: reprs, or the error with its causes."""
    try:
        memory = connect(url)
    except ThreadkeepError as error:
        return "".join(traceback.format_exception_only(error)) + repr(error.__cause__)
    with memory:
        inner = memory.backend
        return f"{memory!r} {inner!r} {memory.user('ada')!r}"


@pytest.mark.parametrize("url", ["mongodb://db1,db2:27018/chat", "mongodb://[::1]:27017/chat"])
def test_hosts_are_shown(url):
    assert url.removeprefix("mongodb://").partition("/")[0] in repr(connect(url).backend)
