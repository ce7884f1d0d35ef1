"""`doctor`, `sessions`, `show`: looking into a store, and making none."""

import json

import pytest

from threadkeep import connect


def checks(said):
    return {check["about"]: check for check in json.loads(said.out)}


def test_doctor_says_what_the_store_is_and_how_fast(cli, filled):
    said = cli("doctor", "--url", filled)
    assert said.code == 0
    for word in ("version", "store", "read", "works", "bytes", "schema", "retention", "limits"):
        assert word in said.out
    found = checks(cli("doctor", "--url", filled, "--json", "--write"))
    assert {check["state"] for check in found.values()} <= {"ok", "note"}
    assert found["schema"]["found"] in ("1", "2")
    assert int(found["bytes"]["found"].replace(",", "")) > 500
    assert "ms" in found["write"]["found"]
    assert found["retention"]["remedy"]


def test_doctor_leaves_nothing_behind(cli, filled):
    before = cli("sessions", "--url", filled, "--json").out
    cli("doctor", "--url", filled, "--write")
    assert cli("sessions", "--url", filled, "--json").out == before


def test_doctor_names_a_life(cli):
    assert "3600 s after the last write" in cli("doctor", "--url", "memory://?ttl=3600").out


@pytest.mark.parametrize("command", ["doctor", "sessions", "show x", "sweep", "repair", "export x"])
def test_looking_at_a_store_that_is_not_there_makes_none(cli, url, folder, command):
    said = cli(*command.split(), "--url", url)
    assert list(folder.iterdir()) == []
    if command == "doctor":
        assert said.code == 0
        assert "not yet" in said.out
        assert "-> it is made at the first write" in said.out
    else:
        assert said.code == 1
        assert said.err.count("\n") == 1
        assert "does not exist" in said.err


@pytest.mark.parametrize(
    ("url", "word", "remedy"),
    [
        ("sqlite:///chat.db", "not a SQLite database", "name"),
        ("file:chats", "other things", "name"),
    ],
)
def test_doctor_fails_with_a_remedy_where_the_store_is_not_ours(cli, folder, url, word, remedy):
    (folder / "chat.db").write_text("something else" * 100)
    (folder / "chats").mkdir()
    (folder / "chats" / "notes.txt").write_text("mine")
    said = cli("doctor", "--url", url)
    assert said.code == 1
    assert "fail" in said.out
    assert word in said.out
    failed = [
        c for c in json.loads(cli("doctor", "--url", url, "--json").out) if c["state"] == "fail"
    ]
    assert len(failed) == 1
    assert remedy in failed[0]["remedy"]


def test_sessions_are_listed_the_one_written_last_first(cli, filled):
    said = cli("sessions", "--url", filled, "--user", "ada")
    assert said.code == 0
    assert "A greeting" in said.out
    listed = json.loads(cli("sessions", "--url", filled, "--user", "ada", "--json").out)
    assert {one["id"] for one in listed} == {"plain", "broken"}
    assert len(json.loads(cli("sessions", "--url", filled, "--json").out)) == 3
    assert "... and more" in cli("sessions", "--url", filled, "--limit", "1").err


def test_show_is_readable(cli, filled):
    said = cli("show", "plain", "--url", filled)
    assert said.code == 0
    for word in ("plain", "A greeting", "user ada", "Hello", "Good day, \u00c1da \U0001f9f5"):
        assert word in said.out
    assert cli("show", "plain", "--url", filled, "--last", "1").out.count("Hello") == 0
    assert "calls look({})" in cli("show", "broken", "--url", filled).out
    window = json.loads(cli("show", "broken", "--max-tokens", "500", "--json", "--url", filled).out)
    assert [item["role"] for item in window["items"]] == ["user", "assistant", "tool", "user"]


def test_what_was_said_cannot_command_the_terminal(cli, url):
    with connect(url) as memory:
        memory.session("chat").add("\x1b]0;owned\x07 [bold]text[/bold] \x9b2J")
    out = cli("show", "chat", "--url", url).out
    assert not {"\x1b", "\x07", "\x9b"} & set(out)
    assert "[bold]text[/bold]" in out


def test_a_session_that_is_not_there_is_named(cli, filled):
    said = cli("show", "plane", "--url", filled)
    assert (said.code, said.out) == (1, "")
    assert said.err == "threadkeep: there is no session 'plane'; `threadkeep sessions` lists them\n"
