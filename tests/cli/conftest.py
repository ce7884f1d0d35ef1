"""The command line run here, as its script runs it: what it said, and its exit code."""

from __future__ import annotations

import io
import re
import sys
from functools import cache
from typing import NamedTuple

import pytest
import typer.main

from threadkeep import connect
from threadkeep.backends.file import FileBackend
from threadkeep.backends.sqlite import SqliteBackend
from threadkeep.cli.app import run
from threadkeep.types import Record

NOW = 1_750_000_000.0
ONE_OF_SEVERAL = re.compile(r"(?<![\w.,:/#-])1 (?:\w+ )?\w{2,}(?<!s)s\b")
"""What a count of one must not be followed by."""


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def parser():
    """Made once in this process, as in that of a script: it takes longer than most commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("THREADKEEP_URL", "THREADKEEP_HISTORY_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def cli(monkeypatch, capsys):
    """Runs a command line: `cli("sessions", "--json")`."""

    def call(*arguments, stdin=""):
        monkeypatch.setattr(sys, "argv", ["threadkeep", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        code = run()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        for said in (out, err):
            assert not ONE_OF_SEVERAL.search(said), said
        return Said(code, out, err)

    return call


STORES = {"sqlite": "sqlite:///chat.db", "file": "file:chats"}


@pytest.fixture(params=STORES)
def url(request):
    return STORES[request.param]


@pytest.fixture
def filled(url):
    """A store with three sessions, one of them broken in three ways."""
    with connect(url, clock=lambda: NOW) as memory:
        plain = memory.session("plain", user="ada", metadata={"model": "gpt-5"})
        plain.add("Hello", {"role": "assistant", "content": "Good day, \u00c1da \U0001f9f5"})
        plain.update(title="A greeting")
        plain.files.add({"url": "https://example.com/a", "name": "a", "expiration_timestamp": 9e9})
        memory.session("other", user="bob").add("Hi")
        break_in(memory)
    return url


def break_in(memory):
    chat = memory.session("broken", user="ada")
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    chat.add("Look", {"role": "assistant", "content": None, "tool_calls": [call]}, "Well?")
    chat.add({"role": "tool", "tool_call_id": "c9", "content": "42"})
    bad = Record("item", "bad", '{"not": "an item', NOW)
    memory._engine.commit(memory._engine.stream("session", "broken"), put=[bad], ttl=None)


def opened(url):
    if url.startswith("file"):
        return FileBackend("chats")
    return SqliteBackend("chat.db")
