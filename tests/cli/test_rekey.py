"""`rekey`: an encrypted store under a new key, told by the environment alone."""

from __future__ import annotations

import pytest

from threadkeep import connect
from threadkeep.backends.encrypted import new_key

OLD, NEW = new_key(), new_key()


@pytest.fixture
def encrypted(url):
    for namespace in ("default", "tenant"):
        with connect(url, key=OLD, namespace=namespace) as memory:
            memory.session("chat", user="ada").add("Hello", "again")
    return url


def texts(url, key, namespace="default"):
    with connect(url, key=key, namespace=namespace) as memory:
        return [item.text for item in memory.session("chat").items()]


@pytest.mark.proves("C7")
def test_the_new_key_opens_all_and_the_old_none(cli, encrypted, monkeypatch):
    monkeypatch.setenv("THREADKEEP_KEY", f"{NEW},{OLD}")
    said = cli("rekey", "--all", "--url", encrypted)
    assert said.code == 0
    # two namespaces: the secret of ids, the session, two items, an entry of the user's list
    assert said.out.startswith("10 records under key ")
    assert said.out.endswith(" now, 0 already were\n")
    assert OLD not in said.out + said.err
    assert NEW not in said.out + said.err
    assert texts(encrypted, NEW) == texts(encrypted, NEW, "tenant") == ["Hello", "again"]
    monkeypatch.setenv("THREADKEEP_KEY", OLD)
    wrong = cli("show", "chat", "--url", encrypted)
    assert wrong.code == 1
    assert "encrypted with key" in wrong.err


def test_repeated_it_finds_nothing_to_do(cli, encrypted, monkeypatch):
    monkeypatch.setenv("THREADKEEP_KEY", f"{NEW},{OLD}")
    cli("rekey", "--url", encrypted)
    said = cli("rekey", "--url", encrypted)
    assert said.out.startswith("0 records under key ")
    assert "5 already were" in said.out
    assert texts(encrypted, OLD, "tenant") == ["Hello", "again"]  # another namespace


def test_without_the_old_key_nothing_is_changed(cli, encrypted, monkeypatch):
    monkeypatch.setenv("THREADKEEP_KEY", NEW)
    said = cli("rekey", "--url", encrypted)
    assert said.code == 1
    assert "encrypted with key" in said.err
    assert texts(encrypted, OLD) == ["Hello", "again"]


def test_a_plain_store_is_encrypted_and_closed_to_who_has_no_key(cli, url, monkeypatch, tmp_path):
    monkeypatch.delenv("THREADKEEP_KEY", raising=False)
    with connect(url) as memory:
        memory.session("chat", user="ada").add("the eagle lands")
        memory.user("ada").facts.add("likes eagles")
    monkeypatch.setenv("THREADKEEP_KEY", NEW)
    refused = cli("show", "chat", "--url", url)
    assert refused.code == 1
    assert "threadkeep rekey" in refused.err
    said = cli("rekey", "--url", url)
    assert said.code == 0
    assert "plain text until now; where that may be left: backups" in said.out
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if b"eagle" in file.read_bytes()]
    assert texts(url, NEW) == ["the eagle lands"]
    monkeypatch.delenv("THREADKEEP_KEY")
    closed = cli("show", "chat", "--url", url)
    assert closed.code == 1
    assert "no key was given" in closed.err


def test_without_a_key_it_says_what_to_set(cli, encrypted, monkeypatch):
    monkeypatch.delenv("THREADKEEP_KEY", raising=False)
    said = cli("rekey", "--url", encrypted)
    assert said.code == 2
    assert "THREADKEEP_KEY must hold the new key" in said.err


def test_what_is_no_key_is_wrong_usage_and_not_repeated(cli, encrypted, monkeypatch):
    monkeypatch.setenv("THREADKEEP_KEY", "hunter2")
    said = cli("sessions", "--url", encrypted)
    assert said.code == 2
    assert "hunter2" not in said.err
