"""`export`, `import`, `sweep`, `repair`: what changes a store, or fills another."""

import json

import pytest

from tests.cli.conftest import NOW, STORES, opened
from threadkeep import connect
from threadkeep.core import copy_streams
from threadkeep.types import Query


def records(url):
    """All that a store holds of sessions, past our code for them; seqs as order only."""
    backend = opened(url)
    names = sorted(backend.streams("default/session/")[0])
    found = {
        (name, kind): [
            (r.id, r.body, r.at, r.expires)
            for r in backend.read(Query(name, kind), now=NOW)[0].records
        ]
        for name in names
        for kind in ("session", "item", "file")
    }
    backend.close()
    return found


@pytest.mark.parametrize("target", STORES.values())
def test_an_export_imported_is_exact(cli, filled, target, folder, monkeypatch):
    text = cli("export", "--all", "--url", filled)
    assert text.code == 0
    assert text.err == "3 sessions exported\n"
    assert text.out.isascii()
    head = json.loads(text.out.splitlines()[0])
    assert head == {"threadkeep": "export", "schema": 2}
    before = records(filled)
    (folder / "new").mkdir()
    monkeypatch.chdir(folder / "new")
    said = cli("import", "--url", target, stdin=text.out)
    assert (said.code, said.err) == (0, "3 sessions imported\n")
    assert records(target) == before
    again = cli("export", "--all", "--url", target).out
    assert sorted(again.splitlines()) == sorted(text.out.splitlines())
    with connect(target, clock=lambda: NOW) as memory:
        assert {info.id for info in memory.sessions(user="ada")} == {"plain", "broken"}


def test_what_is_there_already_is_left_as_it_is_and_named(cli, filled):
    text = cli("export", "plain", "--url", filled).out
    before = records(filled)
    said = cli("import", "--url", filled, stdin=text)
    assert said.code == 0
    assert "'plain' is there already, left as it is" in said.err
    assert records(filled) == before


def test_an_export_goes_to_a_new_file_only(cli, filled, folder):
    assert cli("export", "--user", "ada", "-o", "ada.jsonl", "--url", filled).code == 0
    assert len((folder / "ada.jsonl").read_text().splitlines()) > 5
    said = cli("export", "--user", "ada", "-o", "ada.jsonl", "--url", filled)
    assert said.code == 1
    assert said.err == "threadkeep: ada.jsonl: File exists\n"
    assert cli("export", "plain", "gone", "-o", "half.jsonl", "--url", filled).code == 1
    assert not (folder / "half.jsonl").exists(), "half an export looks like a whole one"
    assert cli("import", "ada.jsonl", "--url", "sqlite:///new.db").err == "2 sessions imported\n"


HEAD = '{"threadkeep": "export", "schema": 2}\n'
OWN = '{"session": "s", "kind": "session", "id": "session", "at": 1, "body": {"id": "s"}}\n'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "not an export of threadkeep"),
        ("hello", "line 1 must be JSON, found 'hello'"),
        ("[1]", "line 1 must be a JSON object"),
        ('{"threadkeep": "export", "schema": 3}', "schema 3.*upgrade"),
        (HEAD + "{}", "line 2 names no session"),
        (HEAD + '{"session": "s"}', "line 2: kind must be"),
        (HEAD + OWN.replace('"at": 1', '"at": "now"'), "line 2: at must be epoch seconds, found"),
        (HEAD + OWN.replace('"id": "session"', '"id": "a\\u0000b"'), "line 2: id must be a text"),
        (HEAD + OWN.replace('"id": "session"', '"id": "\\ud800"'), "line 2: id must be a text"),
        (HEAD + OWN.replace('"kind": "session"', '"kind": "item"'), "its own record"),
        (HEAD + OWN.replace('"body": {"id": "s"}', '"text": 5'), "line 2: text"),
        (HEAD + OWN.replace('"at": 1', '"at": 1, "expires": "soon"'), "line 2: expires"),
    ],
)
def test_what_is_no_export_is_refused_by_line(cli, text, word):
    said = cli("import", "--url", "sqlite:///new.db", stdin=text)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert pytest.importorskip("re").search(word, said.err)


def test_a_file_of_other_bytes_is_refused_by_line(cli, folder):
    (folder / "x").write_bytes(HEAD.encode() + b"\xff\xfe\n")
    assert "line 2 must be UTF-8" in cli("import", "x", "--url", "sqlite:///new.db").err
    assert "no file or folder" in cli("import", "gone", "--url", "sqlite:///new.db").err


def test_sweep_reclaims_what_has_expired(cli, url):
    with connect(url, ttl=10, clock=lambda: NOW) as memory:
        for n in range(5):
            memory.session(f"s{n}", user="ada").add("x")
    said = cli("sweep", "--url", url)
    assert said.code == 0
    assert int(said.out.split()[0]) >= 5
    assert cli("sweep", "--url", url).out == "0 expired entries reclaimed\n"
    assert copy_streams.stream_names(opened(url)) == []


def test_repair_names_what_is_broken_and_deletes_what_no_window_shows(cli, filled):
    said = cli("repair", "--url", filled)
    assert said.code == 1
    for word in ("unanswered call", "look c1", "result without call", "c9", "unreadable record"):
        assert word in said.out
    assert cli("repair", "plain", "--url", filled) == (0, "nothing is broken\n", "")
    fixed = cli("repair", "--fix", "--url", filled)
    assert fixed.out.count("fixed") == 2
    left = cli("repair", "--url", filled)
    assert "unanswered call" in left.out
    assert "unreadable" not in left.out
    assert "without" not in left.out
