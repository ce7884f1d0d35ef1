"""Learning by configuration alone: the history service with a scripted model behind it."""

from __future__ import annotations

import pytest

from tests.longterm.extraction.conftest import answer, fact, instruction
from threadkeep import HistoryService

REPLY = answer(
    fact("Ada is allergic to nuts", 1),
    instructions=[instruction("Answer in French", 1)],
    summary="Nuts, in French.",
)


@pytest.fixture
def service(serve, tmp_path, clock, monkeypatch):
    """A service that learns; it is closed when the test ends."""
    made = []

    def start(replies, **keys):
        model = serve(replies)
        monkeypatch.setenv("LLM_KEY", "none")
        config = {
            "type": "file",
            "path": str(tmp_path / "chats"),
            "enable_long_term_memory": True,
            "long_term_memory_config": {
                "llm_config": {
                    "model": "scripted",
                    "api_key": "${LLM_KEY}",
                    "base_url": model.base_url,
                },
                "store_config": {"type": "sqlite", "path": str(tmp_path / "learned.db")},
            },
            **keys,
        }
        made.append(HistoryService(config, identifier="learning", clock=clock))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.mark.proves("A28", "A29", "A30")
def test_facts_instructions_and_summary_are_learned(service):
    history = service([REPLY])
    said = "I'm allergic to nuts. From now on, answer in French."
    history.store_history("s", "user", said, identity="ada")
    history.memory.extract()
    assert history.get_facts("other", identity="ada") == ["Ada is allergic to nuts"]
    assert history.get_instructions("other", identity="ada") == ["Answer in French"]
    assert history.get_summary("s", identity="ada") == "Nuts, in French."
    (known,) = history.memory.user("ada").facts.list()
    assert history.memory.user("ada").facts.explain(known.id)[0].text == said


@pytest.mark.proves("A31")
def test_without_an_identity_it_is_learned_for_the_session_alone(service):
    history = service(lambda request: REPLY)
    history.store_history("s", "user", "I'm allergic to nuts.")
    history.memory.extract()
    assert history.get_facts("s") == ["Ada is allergic to nuts"]
    assert history.get_facts("t") == []


@pytest.mark.proves("A16")
def test_what_falls_outside_the_policy_is_deleted_once_it_was_read(service):
    history = service(lambda request: answer(), max_turns=2)
    talk(history, 6)
    assert len(history.get_history("s")) == 2
    assert len(history.memory.session("s").items()) == 6
    history.memory.extract()
    talk(history, 1)
    assert len(history.memory.session("s").items()) == 2


@pytest.mark.proves("A16")
def test_what_nobody_reads_is_deleted_beyond_ten_times_the_policy(service):
    history = service(lambda request: 500, max_turns=2)
    talk(history, 60)
    assert len(history.memory.session("s").items()) <= 2 * 10 + 16


@pytest.mark.proves("A27")
def test_the_summary_outlives_the_history(service, clock):
    history = service([answer(summary="Hello was said.")], time_to_live=60)
    history.store_history("s", "user", "Hello", identity="ada")
    history.memory.extract()
    clock.tick(3_600)
    assert history.get_history("s", identity="ada") == []
    assert history.get_summary("s", identity="ada") == "Hello was said."


def talk(history, entries):
    for n in range(entries):
        history.store_history("s", ("user", "assistant")[n % 2], f"entry {n}")
