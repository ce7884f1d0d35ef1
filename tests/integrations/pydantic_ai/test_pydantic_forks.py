"""What of a deleted conversation stays for its forks, long after they were made."""

from __future__ import annotations

import pytest
from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import ModelRequest, UserPromptPart

import threadkeep
from pydantic_ai_threadkeep import ThreadkeepConversationStore
from tests.engine.doubles import Clock
from tests.integrations.pydantic_ai.conftest import run

MINUTE = 60.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def memory(request, tmp_path, clock):
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with threadkeep.connect(url, clock=clock) as memory:
        yield memory


@pytest.fixture
def store(memory):
    store = ThreadkeepConversationStore(memory)
    messages = [ModelRequest([UserPromptPart(text)]) for text in "abcd"]
    run(store.save(Conversation(conversation_id="c", messages=messages)))
    return store


def texts(conversation):
    return [message.parts[0].content for message in conversation.messages]


def stored(memory, session):
    return [item.text for item in memory.session(session).items(hidden=True)]


@pytest.mark.parametrize("age", [0.0, 2 * MINUTE], ids=["new", "old"])
def test_what_a_fork_has_stays_when_its_source_is_deleted_and_no_more(store, memory, clock, age):
    run(store.fork("c", at=2, new_conversation_id="f"))
    clock.tick(age)
    run(store.delete("c"))
    assert run(store.load("c")) is None
    assert texts(run(store.load("f"))) == ["a", "b"]
    assert stored(memory, "c") == ["a", "b"]


@pytest.mark.parametrize("age", [0.0, 2 * MINUTE], ids=["new", "old"])
def test_what_forks_had_goes_with_the_last_of_them(store, memory, clock, age):
    run(store.fork("c", at=3, new_conversation_id="f"))
    run(store.fork("c", at=1, new_conversation_id="g"))
    run(store.delete("c"))
    clock.tick(age)
    run(store.delete("f"))
    assert texts(run(store.load("g"))) == ["a"]
    run(store.delete("g"))
    assert memory.session("c").info() is None
    assert stored(memory, "c") == []


def test_a_fork_that_was_never_made_holds_its_source_for_a_minute(store, memory, clock):
    run(store.fork("c", at=2, new_conversation_id="f"))
    memory.session("f").delete()  # what a process that ended before it wrote the fork leaves
    clock.tick(MINUTE / 2)
    run(store.delete("c"))
    assert stored(memory, "c") == ["a", "b", "c", "d"]


def test_a_fork_that_was_never_made_is_forgotten_after_a_minute(store, memory, clock):
    run(store.fork("c", at=2, new_conversation_id="f"))
    memory.session("f").delete()
    clock.tick(2 * MINUTE)
    run(store.delete("c"))
    assert memory.session("c").info() is None
    assert stored(memory, "c") == []
