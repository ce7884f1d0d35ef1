"""Files that somebody made to hurt: one clear line each, in bounded memory, and nothing written."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc

import pytest

from threadkeep.cli.app import run

HEAD = b'{"threadkeep": "export", "schema": 2}\n'
OWN = b'{"session": "s", "kind": "session", "id": "session", "at": 1, "body": '
ITEM = b'{"session": "s", "kind": "item", "id": "i", "at": 1, "body": '
GOOD = OWN + b'{"id": "s", "created_at": 1}}\n'
MEGABYTE = 1_000_000


class Endless(io.RawIOBase):
    """A file of these first bytes, and of one line of so many more; none of it is ever held."""

    def __init__(self, start: bytes, size: int) -> None:
        self._start, self._left = start, size
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self._start:
            count = min(len(buffer), len(self._start))
            buffer[:count], self._start = self._start[:count], self._start[count:]
        else:
            count = min(len(buffer), self._left)
            buffer[:count] = b"x" * count
            self._left -= count
        self.given += count
        return count


def imported(monkeypatch, capsys, source, *options):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(source)))
    monkeypatch.setattr(sys, "argv", ["threadkeep", "import", "--url", "sqlite:///n.db", *options])
    capsys.readouterr()
    code = run()
    return code, capsys.readouterr().err


@pytest.mark.proves("D6")
@pytest.mark.parametrize("start", [b"", HEAD + GOOD + ITEM + b'"'], ids=["first line", "an item"])
def test_a_line_of_300_megabytes_is_refused_in_bounded_memory(monkeypatch, capsys, start):
    source = Endless(start, 300 * MEGABYTE)
    tracemalloc.start()
    code, err = imported(monkeypatch, capsys, source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    line = start.count(b"\n") + 1
    assert (code, err.count("\n")) == (2, 1)
    assert f"line {line} is longer than 32,000,000 characters" in err
    assert source.given < 40 * MEGABYTE, "the rest of it was never read"
    assert peak < 120 * MEGABYTE


def test_the_longest_line_can_be_set(monkeypatch, capsys):
    source = Endless(HEAD + GOOD + ITEM + b'"', 300 * MEGABYTE)
    code, err = imported(monkeypatch, capsys, source, "--max-line", "100000")
    assert code == 2
    assert "line 3 is longer than 100,000 characters" in err
    assert source.given < MEGABYTE


def own(**fields):
    return OWN + json.dumps({"id": "s", "created_at": 1, **fields}).encode() + b"}\n"


def item(body: bytes) -> bytes:
    return GOOD + ITEM + body + b"}\n"


HOSTILE = {
    "a session of ten megabytes": own(id="x" * 10 * MEGABYTE).replace(
        b'"session": "s"', b'"session": "' + b"x" * 10 * MEGABYTE + b'"'
    ),
    "an id of ten megabytes": item(b"{}").replace(b'"i"', b'"' + b"i" * 10 * MEGABYTE + b'"'),
    "a kind of ten megabytes": item(b"{}").replace(b'"item"', b'"' + b"i" * 10 * MEGABYTE + b'"'),
    "a name of ten megabytes": item(b'{"role": 5, "content": "' + b"x" * 10 * MEGABYTE + b'"}'),
    "an object of ten megabytes in the place of a text": item(
        b'{"role": "user", "content": {' + b'"a": [1, 2, 3], ' * 600_000 + b'"b": 1}}'
    ),
    "nested 100,000 deep": item(b"[" * 100_000 + b"]" * 100_000),
    "objects nested 100,000 deep": item(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "nested 65 deep": item(
        b'{"role": "user", "content": "x", "metadata": ' + b'{"a":' * 64 + b"1" + b"}" * 65
    ),
    "brackets without an end": item(b"[" * 1_000_000),
    "an endless number": item(b'{"role": "user", "content": "x", "created_at": 1e999}'),
    "a number of 5,000 digits": item(
        b'{"role": "user", "content": "x", "created_at": 1' + b"0" * 5_000 + b"}"
    ),
    "a number of a million digits": item(b"1" * MEGABYTE),
    "a number of 4,000 digits": item(
        b'{"role": "user", "content": "x", "created_at": 1' + b"0" * 4_000 + b"}"
    ),
    "not a number": item(b'{"role": "user", "content": "x", "created_at": NaN}'),
    "infinity": item(b'{"role": "user", "content": "x", "metadata": {"a": -Infinity}}'),
    "an id of half a character": item(b"{}").replace(b'"i"', b'"\\ud800"'),
    "an id with NUL": item(b"{}").replace(b'"i"', b'"a\\u0000b"'),
    "half of a UTF-8 character": item(b'{"role": "user", "content": "\xf0\x9f"}'),
    "UTF-16": item(b"{}").decode().encode("utf-16"),
    "zeros": b"\0" * MEGABYTE,
    "a terminal's escapes": item(b'{"role": ["\\u001b[2J\\u202e"], "content": "x"}'),
    "a date of another sort": GOOD.replace(b'"at": 1', b'"at": "\\u001b]0;x\\u0007"'),
}


@pytest.mark.proves("D6")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_one_bounded_line_and_nothing_is_written(
    monkeypatch, capsys, tmp_path, name
):
    monkeypatch.chdir(tmp_path)
    code, err = imported(monkeypatch, capsys, io.BytesIO(HEAD + HOSTILE[name]))
    assert (code, err.count("\n")) == (2, 1), err[:500]
    assert len(err) < 500
    assert err.rstrip("\n").isprintable()
    assert "line 2" in err or "line 3" in err
    assert not (tmp_path / "n.db").exists()


@pytest.mark.parametrize("part", ["metadata", "content", "name"])
def test_what_json_allows_and_every_store_keeps_is_imported(monkeypatch, capsys, tmp_path, part):
    """Lone surrogates and NUL in texts, and long whole numbers: they come back as they were."""
    from threadkeep import connect

    monkeypatch.chdir(tmp_path)
    fields = {
        "metadata": b'"content": "x", "metadata": {"a": "\\ud800\\u0000", "b": 1'
        + b"0" * 400
        + b"}",
        "content": b'"content": "\\ud800\\u0000"',
        "name": b'"content": "x", "name": "\\ud800\\u0000"',
    }
    line = item(b'{"role": "user", ' + fields[part] + b"}")
    code, err = imported(monkeypatch, capsys, io.BytesIO(HEAD + line))
    assert code == 0, err
    with connect("sqlite:///n.db") as memory:
        (stored,) = memory.session("s").items()
    expected = {
        "metadata": {"a": "\ud800\0", "b": 10**400},
        "content": "\ud800\0",
        "name": "\ud800\0",
    }
    assert getattr(stored, part) == expected[part]
