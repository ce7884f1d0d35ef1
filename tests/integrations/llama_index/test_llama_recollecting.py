"""What an agent's next step of the same turn costs: what is known is read, and nothing searched."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage

import threadkeep
from llama_index.memory.threadkeep import ThreadkeepMemory
from tests.engine.doubles import Counting
from threadkeep.backends.memory import MemoryBackend


@pytest.fixture
def store():
    return Counting(MemoryBackend())


@pytest.fixture
def memory(store):
    with threadkeep.connect(store) as memory:
        ada = memory.user("ada")
        ada.facts.add("Ada has a cat")
        ada.session("old").add("I rode the oldest tram")
        ada.session("boat").add("Our ferry was yellow")
        yield memory


@pytest.fixture
def kept(memory):
    kept = ThreadkeepMemory.from_defaults(memory=memory, session_id="chat", user="ada")
    kept.put(ChatMessage(role="user", content="Which tram did I ride?"))
    return kept


def told(kept, **how):
    return "\n".join(message.content or "" for message in kept.get(**how))


def reads(store, act):
    store.reset()
    act()
    return store.reads


def step(kept):
    """What an agent puts between two looks of one turn."""
    kept.put(ChatMessage(role="assistant", content="Let me see."))


def test_later_steps_of_a_turn_read_the_window_and_what_is_known(store, kept):
    first = told(kept)
    assert "oldest tram" in first
    step(kept)
    assert reads(store, kept.get) <= 2
    assert told(kept).startswith(first)


def test_the_next_turn_searches_again(memory, kept):
    assert "yellow" not in told(kept)
    kept.put(ChatMessage(role="user", content="Which ferry was it?"))
    assert "yellow" in told(kept)


def test_another_question_of_an_engine_searches_again(kept):
    assert "yellow" not in told(kept, input="the oldest tram")
    assert "yellow" in told(kept, input="the ferry")


@pytest.mark.parametrize("how", ["learn", "instruct"])
def test_what_is_learned_within_a_turn_is_told_at_once(memory, kept, how):
    told(kept)
    if how == "learn":
        memory.user("ada").facts.add("Ada lives in Lisbon")
    else:
        memory.user("ada").instructions.add("Speak of Lisbon")
    assert "Lisbon" in told(kept)


def test_what_is_forgotten_within_a_turn_is_told_no_more(memory, kept):
    assert "Ada has a cat" in told(kept)
    facts = memory.user("ada").facts
    facts.forget(facts.list()[0].id)
    assert "Ada has a cat" not in told(kept)


def test_a_user_who_is_forgotten_within_a_turn_is_not_spoken_of(memory, kept):
    assert "oldest tram" in told(kept)
    memory.user("ada").forget()
    assert told(kept) == ""
