"""An application runs unchanged on `none://`: every write is accepted, every read is empty."""

import pytest

import threadkeep
from threadkeep.errors import InputError, NotFound


@pytest.fixture(params=["memory", "none", "none encrypted and observed"])
def memory(request):
    options = {"key": b"k" * 32, "observe": True} if "encrypted" in request.param else {}
    with threadkeep.connect(f"{request.param.partition(' ')[0]}://", **options) as memory:
        yield memory


@pytest.fixture
def discards(memory):
    return memory._engine.discards


def test_sessions(memory, discards):
    chat = memory.session("c", user="ada")
    first, second = chat.add("Hello", {"role": "assistant", "content": "Hi", "id": "msg_1"})
    chat.add({"type": "item_reference", "id": "msg_1"}, "And then?")
    assert chat.replace(second.id, {"role": "assistant", "content": "Hey"}).text == "Hey"
    chat.update(title="T", metadata={"a": 1})
    chat.files.add({"name": "f"})
    chat.fork("d", upto=first.id)
    chat.rewind(before=second.id)
    chat.remove(first.id)
    chat.clear()
    assert (chat.info() is None) is discards
    assert bool(chat.files.list()) is not discards
    assert bool(memory.session("d").items()) is not discards


def test_conversations(memory, discards):
    id = memory.conversations.create(metadata={"count": 42}, items=["Hello"]).id
    updated = memory.conversations.update(id, title="T", metadata={"a": "b"})
    assert (updated.id, updated.title) == (id, "T")
    (item,) = memory.conversations.add_items(id, {"role": "user", "content": "Hi"})
    assert bool(memory.conversations.items(id, after=None)) is not discards
    assert memory.conversations.items(id, after=item.id) == []
    if discards:  # what must be returned cannot be empty
        with pytest.raises(NotFound):
            memory.conversations.item(id, item.id)
    memory.conversations.remove_item(id, item.id)
    memory.conversations.delete(id)
    assert memory.conversations.list() == []


def test_responses_and_feedback(memory, discards):
    memory.responses.add({"id": "resp_1", "model": "gpt-5", "input": "Hi", "output": []})
    feedback = memory.feedback.add("resp_1", rating="positive", comment="Good", user="ada")
    assert (feedback.response, feedback.rating, feedback.author) == ("resp_1", "positive", "ada")
    assert bool(memory.feedback.list()) is not discards
    assert bool(memory.responses.chain("resp_1")) is not discards
    memory.feedback.delete("resp_1", feedback.id)
    memory.responses.delete("resp_1")


def test_long_term_memory(memory, discards):
    ada = memory.user("ada")
    fact, rule = ada.facts.add("Ada likes tea"), ada.instructions.add("Answer in French")
    assert ada.facts.update(fact.id, pinned=True).pinned
    assert ada.instructions.update(rule.id, priority="explicit").priority == "explicit"
    ada.facts.add("Ada likes coffee", replaces=fact.id)
    ada.instructions.add("Answer in German", replaces=rule.id)
    assert bool(ada.facts.list()) is not discards
    ada.facts.forget(fact.id)
    ada.forget()


def test_what_is_wrong_is_refused_all_the_same(memory):
    with pytest.raises(InputError):
        memory.feedback.add("resp_1", rating="meh")
    with pytest.raises(InputError):
        memory.session("c").add({"content": {1, 2}})
    with pytest.raises(InputError):
        memory.conversations.update("c", metadata={"a": [1]})
