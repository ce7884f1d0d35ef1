"""`threadkeep import` of what other products have written."""

from __future__ import annotations

import json

import pytest

from tests.importers import exports, peers
from tests.servers import redis
from threadkeep import connect


def test_a_dry_run_then_an_import_then_nothing_new(cli, folder, url):
    (folder / "conversations.json").write_text(
        json.dumps([exports.simple_chatgpt("a"), exports.simple_chatgpt("b"), None])
    )
    tried = cli("import", "conversations.json", "--dry-run", "--user", "ada", "--url", url)
    assert tried.code == 1
    assert "would import: 4 messages in 2 sessions (2 new)" in tried.out
    assert tried.err.startswith("conversations.json[2]: ")
    assert [path.name for path in folder.iterdir()] == ["conversations.json"]
    done = cli("import", "conversations.json", "--user", "ada", "--url", url)
    assert "imported: 4 messages in 2 sessions (2 new)" in done.out
    again = cli("import", "conversations.json", "--user", "ada", "--url", url, "--json")
    assert json.loads(again.out)["existing"] == 4
    with connect(url) as memory:
        assert {info.user for info in memory.sessions()} == {"ada"}


def test_our_own_exports_take_a_user_and_a_dry_run_too(cli, url):
    with connect(url) as memory:
        memory.session("s").add("hi")
    cli("export", "--all", "-o", "own.jsonl", "--url", url)
    assert (
        "1 session could be imported"
        in cli("import", "own.jsonl", "--dry-run", "--url", "sqlite:///other.db").err
    )
    done = cli("import", "own.jsonl", "--user", "ada", "--url", "sqlite:///other.db")
    assert done.code == 0
    with connect("sqlite:///other.db") as memory:
        assert memory.sessions(user="ada")[0].id == "s"


def test_wrong_usage_says_what_to_do(cli, folder):
    missing = cli("import", "missing.json", "--url", "memory://")
    assert (missing.code, "no file or folder" in missing.err) == (2, True)
    web = cli("import", "https://example.org/x.json", "--url", "memory://")
    assert (web.code, "download" in web.err) == (2, True)
    (folder / "a.json").write_text("[]")
    unknown = cli("import", "a.json", "--as", "chatgptt", "--url", "memory://")
    assert (unknown.code, "did you mean 'chatgpt'" in unknown.err) == (2, True)


def test_names_in_a_report_cannot_write_to_the_terminal(cli, folder):
    chat = exports.simple_chatgpt("a")
    chat["mapping"]["a-0"]["message"]["author"]["role"] = "\x1b[31mwizard"
    (folder / "a.json").write_text(json.dumps([chat]))
    result = cli("import", "a.json", "--url", "memory://")
    assert "\x1b" not in result.err + result.out
    assert "wizard" in result.err


@pytest.mark.slow
def test_a_history_in_redis_by_its_url(cli, url):
    server = redis.Redis()
    peers.langchain_redis(server.url(), "s1")
    done = cli("import", server.url(), "--user", "ada", "--url", url)
    assert (done.code, "imported: 4 messages in 1 session" in done.out) == (0, True)
    server.kill()
    down = cli("import", server.url().replace("127", "x:s3cret@127"), "--url", url)
    assert (down.code, "cannot be read" in down.err) == (1, True)
    assert "s3cret" not in down.err
    server.remove()
