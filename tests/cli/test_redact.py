"""`redact`: a pattern is replaced wherever it is stored, and what was changed is named."""

from __future__ import annotations

import pytest

from threadkeep import connect
from threadkeep.core.response_codec import ENTRY, read_entry
from threadkeep.types import Query


@pytest.fixture
def secret(filled):
    """A store that has a number in each place."""
    with connect(filled) as memory:
        chat = memory.session("secret", user="ada", metadata={"card": "4711-0815"})
        _, hidden = chat.add(
            "My card is 4711-0815", {"role": "assistant", "content": "4711-0815, noted"}
        )
        chat.hide(hidden.id)
        chat.update(title="About 4711-0815")
        chat.files.add({"url": "https://example.com/4711-0815.pdf", "name": "bill"})
        memory.responses.add(
            {"id": "r1", "input": "card 4711-0815", "output_text": "x", "output": []},
            conversation="secret",
        )
        memory.user("ada").facts.add("Ada's card is 4711-0815")
        memory.user("ada").instructions.add("Never say 4711-0815")
    return filled


def everything(cli, url):
    return cli("export", "--url", url).out + cli("export", "--user", "ada", "--url", url).out


def test_a_dry_run_names_what_has_a_match_and_changes_nothing(cli, secret):
    before = everything(cli, secret)
    said = cli("redact", "4711-0815", "--dry-run", "--url", secret)
    assert said.code == 0
    assert "7 entries with a match" in said.out
    assert "1 fact, 1 file, 1 instruction, 2 items, 1 response, 1 session" in said.out
    assert "4711-0815" not in said.out, "not even in the id of a file"
    assert everything(cli, secret) == before


def test_it_is_nowhere_afterwards(cli, secret):
    said = cli("redact", r"47\d\d-0815", "--replacement", "****", "--url", secret)
    assert said.code == 0
    assert "4711-0815" not in everything(cli, secret)
    with connect(secret) as memory:
        chat = memory.session("secret", user="ada")
        assert chat.items()[0].text == "My card is ****"
        assert chat.items(hidden=True)[1].hidden
        assert [f.text for f in memory.user("ada").facts.list()] == ["Ada's card is ****"]
        assert chat.files.list()[0].name == "bill"
        assert memory.session("plain").items()[0].text == "Hello"
    assert "0 entries changed" in cli("redact", r"47\d\d-0815", "--url", secret).out


def test_only_in_some_sessions(cli, secret):
    assert "0 entries" in cli("redact", "Good day", "--session", "other", "--url", secret).out
    assert "1 item" in cli("redact", "Good day", "--session", "plain", "--url", secret).out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("(",), "regular expression"),
        (("x*",), "empty text"),
        (("a", "--replacement", r"\1"), "replacement"),
        (("a", "--replacement", "aa"), "match itself"),
    ],
    ids=["no expression", "matches all", "no such group", "would match again"],
)
def test_what_makes_no_sense_is_refused(cli, filled, arguments, reason):
    said = cli("redact", *arguments, "--url", filled)
    assert said.code == 2
    assert reason in said.err


def test_names_of_branches_are_replaced_and_stay_apart(cli, filled):
    with connect(filled) as memory:
        chat = memory.session("tree", user="ada")
        first, *_ = chat.add("hello", "hi")
        for name, text in (("try 4711", "one"), ("try 4712", "two")):
            chat.branch("main")
            chat.branch(name, at=first.id)
            chat.add(text)
            memory.responses.add({"id": f"r {text}", "output": []}, conversation="tree")
        other = memory.session("ended", user="ada")
        other.add("hello")
        other.branch("try 4713")
        memory.responses.add({"id": "r ended", "output": []}, conversation="ended")
        other.clear()
    before = cli("export", "--url", filled).out
    assert "1 session" in cli("redact", r"47\d\d", "--dry-run", "--url", filled).out
    assert cli("export", "--url", filled).out == before
    assert cli("redact", r"47\d\d", "--replacement", "*", "--url", filled).code == 0
    assert "471" not in cli("export", "--url", filled).out
    with connect(filled) as memory:
        chat = memory.session("tree", user="ada")
        assert [branch.name for branch in chat.branches()] == ["main", "try *", "try * 2"]
        assert [item.text for item in chat.items()] == ["hello", "two"]
        entries = chat._stream.read(Query(chat._stream.stream_name, ENTRY)).pages[0].records
        assert [read_entry(entry).branch for entry in entries] == ["try *", "try * 2"]
        windows = {b.name: [i.text for i in chat.window(branch=b.name)] for b in chat.branches()}
    assert windows == {
        "main": ["hello", "hi"],
        "try *": ["hello", "one"],
        "try * 2": ["hello", "two"],
    }
    assert "0 entries changed" in cli("redact", r"47\d\d", "--url", filled).out
