"""`threadkeep recall`: what a user's sessions and facts say, for people and programs."""

from __future__ import annotations

import json

import pytest

from threadkeep import connect


@pytest.fixture
def told(url):
    with connect(url) as memory:
        ada = memory.user("ada")
        ada.session("old").add(
            {"role": "user", "content": "a red kite \x1b[31m", "created_at": "2024-01-01T00:00:00Z"}
        )
        ada.session("new").add({"role": "assistant", "content": "the kite is blue"})
        ada.facts.add("Ada owns a kite")
        memory.user("ben").session("b").add("the kite of Ben")
    return url


def test_what_is_found_is_a_table(cli, told):
    said = cli("recall", "ada", "Which kite is red?", "--url", told)
    assert said.code == 0
    assert "a red kite" in said.out.splitlines()[1]
    assert "Ada owns a kite" in said.out
    assert "Ben" not in said.out
    assert "\x1b" not in said.out


def test_programs_read_json(cli, told):
    found = json.loads(cli("recall", "ada", "kite", "--json", "--url", told).out)
    assert {hit["session"] for hit in found if hit["item"]} == {"old", "new"}
    assert [hit["fact"]["text"] for hit in found if hit["fact"]] == ["Ada owns a kite"]
    assert [hit["score"] for hit in found] == sorted((h["score"] for h in found), reverse=True)


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (("-k", "1", "--role", "assistant"), ["the kite is blue"]),
        (("--session", "old"), ["a red kite \x1b[31m"]),
        (("--until", "2024-02-01"), ["a red kite \x1b[31m"]),
        (("--since", "2024-02-01", "--role", "user"), []),
    ],
)
def test_the_question_may_be_narrowed(cli, told, options, texts):
    said = cli("recall", "ada", "kite", "--json", *options, "--url", told)
    assert [hit["item"]["content"] for hit in json.loads(said.out)] == texts


def test_wrong_usage_is_named(cli, told):
    said = cli("recall", "ada", "kite", "--since", "soon", "--url", told)
    assert said.code == 2
    assert "since" in said.err


def test_looking_for_something_makes_no_store(cli, folder):
    assert cli("recall", "ada", "kite", "--url", "sqlite:///none.db").code != 0
    assert not (folder / "none.db").exists()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_note_says_that_older_items_were_not_searched(cli, told, reads_thirty, options):
    complete = cli("recall", "ada", "kite", *options, "--url", told)
    assert "not searched" not in complete.err
    with connect(told) as memory:
        for n in range(50):
            memory.session(f"s{n}", user="ada").add(f"kite{n}", f"string{n}")
    said = cli("recall", "ada", "kite", *options, "--url", told)
    assert said.code == 0
    assert "older items were not searched" in said.err
    assert "not searched" not in said.out
