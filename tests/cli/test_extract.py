"""`threadkeep extract`: learning by a job of its own."""

from __future__ import annotations

import json

import pytest

from tests.longterm.extraction.conftest import answer, fact
from threadkeep import connect
from threadkeep.testing import ScriptedModel

NUTS = answer(fact("Ada is allergic to nuts", 1), summary="Nuts.")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.delenv("THREADKEEP_LLM_MODEL", raising=False)


@pytest.fixture
def said(url):
    with connect(url) as memory:
        memory.session("chat", user="ada").add("I'm allergic to nuts.")
        memory.session("other", user="bob").add("Hello")
    return url


def test_it_learns_from_what_nobody_read_yet(cli, said):
    with ScriptedModel(lambda request: NUTS) as model:
        first = cli("extract", "--url", said, "--model", "m", "--base-url", model.base_url)
        second = cli("extract", "--url", said, "--model", "m", "--base-url", model.base_url)
    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith("1 fact, 0 instructions and 2 summaries from 2 batches of 2")
    assert second.out.startswith("0 facts")
    with connect(said) as memory:
        assert len(memory.user("ada").facts.list()) == 1


def test_model_and_endpoint_may_come_from_the_environment(cli, said, monkeypatch):
    with ScriptedModel(lambda request: NUTS) as model:
        monkeypatch.setenv("THREADKEEP_LLM_MODEL", "m")
        monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
        done = cli("extract", "--url", said, "--user", "ada", "--json")
    assert json.loads(done.out)["facts"] == 1


def test_failures_are_told_and_change_the_exit_code(cli, said):
    with ScriptedModel(lambda request: 500) as model:
        where = ("--url", said, "--model", "m", "--base-url", model.base_url)
        done = cli("extract", *where, "--session", "chat")
    assert done.code == 1
    assert "the model failed: 500 InternalServerError" in done.err


def test_without_a_model_it_says_so(cli, said):
    done = cli("extract", "--url", said)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "extract needs a model to read with: --model, or THREADKEEP_LLM_MODEL" in done.err


def test_what_is_learned_may_be_kept_elsewhere(cli, said):
    with ScriptedModel(lambda request: NUTS) as model:
        where = ("--url", said, "--model", "m", "--base-url", model.base_url)
        assert cli("extract", *where, "--longterm", "sqlite:///learned.db").code == 0
    with connect(said) as memory:
        assert memory.user("ada").facts.list() == []
    with connect(said, longterm="sqlite:///learned.db") as memory:
        assert len(memory.user("ada").facts.list()) == 1


def test_it_makes_no_store(cli, tmp_path):
    assert cli("extract", "--url", "sqlite:///none.db", "--model", "m").code == 1
    assert not (tmp_path / "none.db").exists()


def test_watching_goes_on_until_it_is_interrupted(cli, said, monkeypatch):
    rounds = []

    def sleep(seconds):
        rounds.append(seconds)
        if len(rounds) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("threadkeep.cli.extract.time.sleep", sleep)
    with ScriptedModel(lambda request: NUTS) as model:
        where = ("--url", said, "--model", "m", "--base-url", model.base_url)
        done = cli("extract", *where, "--watch", "--pause", "5")
    assert (done.code, rounds) == (130, [5, 5, 5])
    assert len(done.out.splitlines()) == 1  # rounds in which nothing happened are not told


def test_the_doctor_says_how_far_it_came_and_what_is_dead(cli, said):
    assert "learning" not in cli("doctor", "--url", said).out
    with ScriptedModel(lambda request: 500 if "nuts" in str(request) else NUTS) as model:
        llm = {"model": "m", "api_key": "none", "base_url": model.base_url, "tries": 1}
        with connect(said, llm=llm) as memory:
            assert memory.extract().dead == 1
    told = cli("doctor", "--url", said)
    assert "1 of 2 sessions read to the end" in told.out
    assert "1 failed too often (500 InternalServerError) -> threadkeep extract --retry" in told.out
    with ScriptedModel(lambda request: NUTS) as model:
        cli("extract", "--url", said, "--model", "m", "--base-url", model.base_url, "--retry")
    assert "2 of 2 sessions read to the end" in cli("doctor", "--url", said).out
