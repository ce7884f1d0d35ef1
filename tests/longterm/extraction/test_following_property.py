"""Whatever is added, edited, taken back and read, in any order: memory is what the chat says."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.longterm.extraction.conftest import answer, fact
from threadkeep import connect

ANIMALS = ("cat", "dog", "horse", "goat", "mule")
EXAMPLES = int(os.environ.get("THREADKEEP_TEST_EXAMPLES", "40"))

steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(ANIMALS), st.just(0)),
        st.tuples(st.just("replace"), st.sampled_from(ANIMALS), st.integers(0, 5)),
        st.tuples(st.just("remove"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("rewind"), st.just(""), st.integers(0, 5)),
        st.tuples(st.just("extract"), st.just(""), st.just(0)),
    ),
    min_size=2,
    max_size=14,
)


def read_animals(messages):
    """A model that finds an animal in each message, cites it, and counts what it read."""
    lines = json.loads(messages[1]["content"])["messages"]
    return answer(
        *(
            fact(f"The user has a {animal}", line["number"], quote=line["text"])
            for line in lines
            for animal in ANIMALS
            if f" {animal}." in line["text"]
        )
    )


def take(chat, kind, animal, index):
    """One step; items that are not there are passed over."""
    items = chat.items()
    if kind == "add":
        chat.add(f"I have a {animal}.")
    elif index < len(items) and kind == "replace":
        chat.replace(items[index].id, f"I have a {animal}.")
    elif index < len(items) and kind == "remove":
        chat.remove(items[index].id)
    elif index < len(items) and kind == "rewind":
        chat.rewind(before=items[index].id)


@pytest.mark.proves("D13")
@settings(max_examples=EXAMPLES)
@given(steps)
def test_memory_is_what_the_conversation_says(program):
    with connect(
        "memory://", llm={"call": read_animals, "idle": 3_600, "summaries": False}
    ) as memory:
        chat, ada = memory.session("chat", user="ada"), memory.user("ada")
        for kind, animal, index in program:
            if kind == "extract":
                assert memory.extract().failures == 0
            else:
                take(chat, kind, animal, index)
            said = {f"The user has a {item.text[9:-1]}" for item in chat.items()}
            known = {entry.text for entry in ada.facts.list(status=None)}
            assert known <= said
        memory.extract()
        assert {entry.text for entry in ada.facts.list()} == said
        assert memory.extract().calls == 0
        for entry in ada.facts.list():
            assert {f"The user has a {i.text[9:-1]}" for i in ada.facts.explain(entry.id)} == {
                entry.text
            }


TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(max_examples=EXAMPLES)
@given(TEXTS, TEXTS, TEXTS)
def test_nothing_a_model_cites_or_a_user_says_breaks_the_gate(said, meant, quote):
    reply = answer(fact(meant, 1, quote=quote), instructions=[{**fact(meant, 1, quote=quote)}])
    with connect(
        "memory://", llm={"call": lambda messages: reply, "idle": 3_600, "summaries": False}
    ) as memory:
        ada = memory.user("ada")
        ada.session("chat").add(said or "?")
        report = memory.extract()
        assert report.failures == 0
        kept = len(ada.facts.list(status=None)) + len(ada.instructions.list(status=None))
        assert report.facts + report.instructions >= kept
        ada.restore(ada.export())
