"""A redactor sees every text before it is stored, whichever verb brings it."""

from __future__ import annotations

import dataclasses

import pytest

from threadkeep.adapters.revise import revise
from threadkeep.errors import ConfigError, Conflict, InputError

CARD = "1234 5678"


def mask(text, kind):
    return text.replace(CARD, f"[{kind}]")


@pytest.fixture
def memory(opened):
    return opened(redactor=mask)


@pytest.fixture
def chat(memory):
    return memory.session("chat", user="ada", metadata={"card": CARD})


def stored(memory):
    """Every body in the store, as one text."""
    backend, now = memory._engine.backend, memory._engine.now()
    from threadkeep.core.copy_streams import records, stream_names

    return "\n".join(r.body for name in stream_names(backend) for r in records(backend, name, now))


CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "pay", "arguments": f'{{"card": "{CARD}"}}'},
        }
    ],
}


def test_whatever_is_stored_was_redacted(memory, chat):
    chat.add(
        f"my card is {CARD}",
        {"role": "user", "content": [{"type": "text", "text": f"again {CARD}"}]},
        CALL,
        {"role": "tool", "tool_call_id": "c1", "content": f"paid by {CARD}"},
        {"role": "user", "content": "x", "metadata": {"note": [CARD]}},
        {"id": "edited", "role": "user", "content": "x"},
    )
    chat.replace("edited", f"now {CARD}")
    chat.update(title=f"about {CARD}", metadata={"other": CARD})
    chat.files.add({"url": f"https://example.com/{CARD}", "about": CARD})
    answer = {"id": "r1", "output": [{"type": "message", "content": CARD}], "metadata": {"a": CARD}}
    memory.responses.add(answer, conversation="chat", input=f"what of {CARD}", user="ada")
    memory.feedback.add("r1", rating="positive", comment=f"not {CARD}")
    memory.conversations.create(id="conv", title=CARD, metadata={"c": CARD}, items=[CARD])
    memory.session("whole").set_items(CARD, CALL)
    memory.user("ada").facts.add(f"Ada pays by {CARD}")
    memory.user("ada").instructions.add(f"Charge {CARD}")
    text = stored(memory)
    assert CARD not in text
    kinds = ("item", "session", "file", "response", "feedback", "fact", "instruction")
    assert all(f"[{kind}]" in text for kind in kinds)


def test_what_comes_back_at_once_is_what_was_stored(memory, chat):
    (item,) = chat.add(f"my card is {CARD}")
    assert item.content == "my card is [item]" == chat.items()[0].content
    assert chat.update(title=CARD).title == "[session]" == chat.info().title
    assert chat.files.add({"name": CARD}).name == "[file]" == chat.files.list()[0].name
    assert chat.window()[0].content == "my card is [item]"


def test_ids_types_and_payloads_of_bytes_are_no_words(opened):
    chat = opened(redactor=lambda text, kind: text.upper()).session("chat")
    image = {"type": "image", "base64": "abcd", "mime_type": "image/png"}
    (item,) = chat.add(
        {"id": "m1", "role": "user", "content": [{"type": "text", "text": "hi"}, image]}
    )
    assert item.id == "m1"
    assert item.content == [{"type": "text", "text": "HI"}, image]
    chat.add(CALL, {"role": "tool", "tool_call_id": "c1", "content": "ok"})
    call, result = chat.items()[1:]
    assert call.tool_calls[0]["id"] == result.tool_call_id == "c1"


def test_a_payload_that_tells_more_is_not_kept(chat):
    def said(text, extra):
        raw = {"format": "mine/1", "data": {"text": text, "extra": extra}}
        return {"role": "user", "content": text, "raw": raw}

    chat.add(said(CARD, "x"), said("x", CARD), said("x", "y"))
    assert [item.raw is None for item in chat.items()] == [True, True, False]


def test_what_must_not_be_kept_at_all_leaves_an_empty_item(opened):
    chat = opened(redactor=lambda text, kind: None if CARD in text else text).session("chat")
    chat.add("before", f"my card is {CARD}", "after")
    assert [item.content for item in chat.items()] == ["before", "", "after"]


def test_a_redactor_that_gives_something_else_is_an_error_and_nothing_is_written(opened):
    memory = opened(redactor=lambda text, kind: 5)
    with pytest.raises(ConfigError, match="redactor must return a str or None, got int"):
        memory.session("chat").add("hello")
    assert memory.session("chat").info() is None


def test_what_is_no_callable_is_refused(opened):
    with pytest.raises(ConfigError, match="redactor must be a callable"):
        opened(redactor="mask")


def test_names_of_branches_are_redacted_and_found_by_what_was_given(memory, chat):
    first, *_ = chat.add("hello", "hi", "and?")
    name = f"card {CARD}"
    assert chat.branch(name, at=first.id).name == "card [session]"
    chat.add("other")
    assert CARD not in stored(memory)
    chat.branch("main")
    assert [item.text for item in chat.window(branch=name)] == ["hello", "other"]
    assert chat.branch(name).is_shown
    assert chat.branch("card [session]").is_shown
    assert [branch.name for branch in chat.branches()] == ["main", "card [session]"]
    with pytest.raises(Conflict, match=r"has a branch 'card \[session\]' already"):
        chat.branch(name, at=first.id)


def test_a_redactor_of_every_text_leaves_branches_as_they_are(opened):
    chat = opened(redactor=lambda text, kind: text.upper()).session("chat")
    chat.add({"id": "a", "role": "user", "content": "a"}, "b")
    chat.branch("retry", at="a")
    chat.add("c")
    hidden = chat.items(hidden=True)[1]
    revise(chat, [dataclasses.replace(hidden, content="new")])
    chat.branch("main")
    assert [item.text for item in chat.items()] == ["A", "NEW"]
    assert [branch.name for branch in chat.branches()] == ["main", "RETRY"]


def test_a_name_of_a_branch_of_which_nothing_is_left_is_refused(opened):
    chat = opened(redactor=lambda text, kind: None if CARD in text else text).session("chat")
    chat.add("hello")
    with pytest.raises(InputError, match="leaves nothing of the branch's name"):
        chat.branch(CARD)
    assert [branch.name for branch in chat.branches()] == ["main"]
