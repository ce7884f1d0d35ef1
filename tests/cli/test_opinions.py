"""`feedback`, `stats`, and responses on their way through `export` and `import`."""

import json
import re

import pytest

from tests.responses.conftest import answer
from threadkeep import connect

NOW = 1_750_000_000.0
DAY = 86_400


@pytest.fixture
def asked(url):
    """Three responses of two models on two days, and four opinions."""
    now = [NOW]
    with connect(url, clock=lambda: now[0]) as memory:
        memory.session("chat", user="ada").add("Hi")
        for n, model in enumerate(("gpt-5", "gpt-5", "small")):
            previous = {"previous_response_id": f"r{n - 1}"} if n else {}
            said = answer(f"r{n}", model=model, user="ada", **previous)
            memory.responses.add(said, conversation="chat" if n < 2 else "other")
            memory.feedback.add(f"r{n}", rating="positive", author="ada", id=f"f{n}")
            now[0] += DAY
        memory.feedback.add("r0", rating="negative", comment="\x1b[2JWrong", author="bob", id="f3")
    return url


@pytest.mark.proves("B54")
def test_feedback_is_listed(cli, asked):
    said = cli("feedback", "--url", asked)
    assert said.code == 0
    for word in ("gpt-5", "small", "negative", "Wrong", "bob", "r2"):
        assert word in said.out
    assert "\x1b" not in said.out
    assert "... and more" in cli("feedback", "--limit", "1", "--url", asked).err


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("", {"f0", "f1", "f2", "f3"}),
        ("--rating negative", {"f3"}),
        ("--model gpt-5", {"f0", "f1", "f3"}),
        ("--session other", {"f2"}),
        ("--response r0 --rating positive", {"f0"}),
        ("--since 2025-06-16T00:00:00Z --until 2025-06-17T00:00:00Z", {"f1"}),
        ("--user bob", set()),
    ],
)
def test_feedback_is_chosen(cli, asked, options, wanted):
    said = cli("feedback", "--json", *options.split(), "--url", asked)
    assert {one["id"] for one in json.loads(said.out)} == wanted
    lines = cli("feedback", "--jsonl", *options.split(), "--url", asked).out.splitlines()
    assert {json.loads(line)["id"] for line in lines} == wanted


@pytest.mark.proves("B54")
def test_feedback_is_counted(cli, asked):
    found = json.loads(cli("feedback", "--by", "model", "--json", "--url", asked).out)
    assert found == {
        "gpt-5": {"positive": 2, "negative": 1},
        "small": {"positive": 1, "negative": 0},
    }
    assert re.search(r"gpt-5 +2 +1 +67%", cli("feedback", "--by", "model", "--url", asked).out)
    by_day = json.loads(cli("feedback", "--by", "day", "--json", "--url", asked).out)
    assert list(by_day) == ["2025-06-15", "2025-06-16", "2025-06-17", "2025-06-18"]


def test_stats_add_up(cli, asked):
    said = cli("stats", "--url", asked)
    assert said.code == 0
    assert "2 sessions of 1 user" in said.out
    assert re.search(r"gpt-5 +2 +20 +10 +30 +2 +1", said.out)
    found = json.loads(cli("stats", "--by", "day", "--json", "--url", asked).out)
    assert (found["sessions"], found["users"]) == (2, 1)
    assert found["by_day"]["2025-06-15"]["total_tokens"] == 15
    assert json.loads(cli("stats", "--user", "bob", "--json", "--url", asked).out)["by_model"] == {}


@pytest.mark.parametrize("command", ["feedback", "stats"])
def test_looking_makes_no_store(cli, url, folder, command):
    said = cli(command, "--url", url)
    assert (said.code, said.out) == (1, "")
    assert "does not exist" in said.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", ["--rating great", "--since soon", "--by colour", "--limit 0", "--user="]
)
def test_wrong_usage_is_named(cli, asked, wrong):
    said = cli("feedback", *wrong.split(), "--url", asked)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1


def test_responses_and_feedback_move_with_their_session(cli, asked):
    cli("export", "--all", "-o", "all.jsonl", "--url", asked)
    assert cli("import", "all.jsonl", "--url", "sqlite:///copy.db").code == 0
    with connect(asked) as one, connect("sqlite:///copy.db") as two:
        for n in range(3):
            before, after = (memory.responses.get(f"r{n}") for memory in (one, two))
            assert before is not None
            assert after is not None
            assert (after.output, after.conversation) == (before.output, before.conversation)
        assert [r.id for r in two.responses.chain("r2")] == ["r0", "r1", "r2"]
        by_id = [sorted(m.feedback.list(), key=lambda f: f.id) for m in (one, two)]
        assert by_id[0] == by_id[1]
    out = [cli("export", "chat", "other", "--url", u).out for u in (asked, "sqlite:///copy.db")]
    assert out[0] == out[1]


def test_an_import_takes_no_response_away(cli, asked):
    cli("export", "chat", "-o", "chat.jsonl", "--url", asked)
    with connect("sqlite:///copy.db") as memory:
        memory.responses.add(answer("r0", model="mine"), conversation="mine")
    cli("import", "chat.jsonl", "--url", "sqlite:///copy.db")
    with connect("sqlite:///copy.db") as memory:
        found = [memory.responses.get(id) for id in ("r0", "r1")]
        assert [one and one.conversation for one in found] == ["mine", "chat"]


def test_usage_is_shown_and_given_to_programs(cli, asked):
    said = cli("usage", "--by", "model", "--url", asked)
    assert said.code == 0
    assert said.out.split()[:2] == ["model", "calls"]
    rows = json.loads(cli("usage", "--by", "session", "--json", "--url", asked).out)
    assert {row["key"]: row["total_tokens"] for row in rows} == {"chat": 30, "other": 15}
    shown = cli("usage", "--by", "call", "--limit", "1", "--url", asked)
    assert "... and more" in shown.err
    assert "session" in shown.out
    [day] = json.loads(cli("usage", "--by", "day", "--json", "--since", "2025-06-17",
                           "--url", asked).out)  # fmt: skip
    assert (day["key"], day["calls"]) == ("2025-06-17", 1)
    assert cli("usage", "--url", "sqlite:///none.db").code == 1
