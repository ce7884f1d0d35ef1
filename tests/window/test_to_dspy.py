"""`window.to_dspy()`: what DSPy's own adapter makes of it says what was said, turn by turn."""

from __future__ import annotations

import subprocess
import sys

import dspy  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import threadkeep
from threadkeep import Item, Window
from threadkeep.errors import ConfigError

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(
    lambda text: "a" + text.replace("#", "").strip()
)


def sent(turns, question="And now?"):
    """What the adapter sends to a model, without the prompt of the system and the question."""

    class Ask(dspy.Signature):  # type: ignore[misc]  # as above
        """Answer."""

        question: str = dspy.InputField()
        history: dspy.History = dspy.InputField()
        answer: str = dspy.OutputField()

    inputs = {"question": question, "history": dspy.History(messages=turns)}
    adapter = dspy.ChatAdapter()
    system, *earlier, now = adapter.format(Ask, demos=[], inputs=inputs)
    assert (system["role"], now["role"]) == ("system", "user")
    return Ask, adapter, earlier


@pytest.mark.proves("D22")
@settings(max_examples=60)
@given(turns=st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_every_turn_comes_out_of_the_adapter(turns):
    with threadkeep.connect("memory://") as memory:
        chat = memory.session("c")
        for asked, answered in turns:
            chat.add(asked, {"role": "assistant", "content": answered})
        chat.add("And now?")
        history = chat.window().to_dspy()
    assert history == [{"question": q, "answer": a} for q, a in turns]
    signature, adapter, earlier = sent(history)
    assert [message["role"] for message in earlier] == ["user", "assistant"] * len(turns)
    pairs = zip(earlier[::2], earlier[1::2], strict=True)
    for (asked, answered), (user, assistant) in zip(turns, pairs, strict=True):
        assert f"[[ ## question ## ]]\n{asked}" in user["content"]
        assert adapter.parse(signature, assistant["content"]) == {"answer": answered.strip()}


def test_a_turn_with_tools_is_its_question_and_its_answer():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with threadkeep.connect("memory://") as memory:
        chat = memory.session("c")
        chat.add(
            {"role": "system", "content": "Be brief."},
            "Which?",
            {"role": "assistant", "content": "I look.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "21"},
            {"role": "assistant", "content": "Rome.", "reasoning_content": "Hm."},
        )
        history = chat.window().to_dspy(question="city_question", answer="city")
    assert history == [{"city_question": "Which?", "city": "I look.\n\nRome."}]


def test_what_has_no_answer_yet_is_the_question_of_the_call():
    assert Window([Item(content="hi")]).to_dspy() == []
    assert Window([]).to_dspy() == []
    items = [Item(content="one"), Item(content="two"), Item(role="assistant", content="both")]
    assert Window(items).to_dspy() == [{"question": "one\n\ntwo", "answer": "both"}]


def test_an_answer_without_a_question_is_told_all_the_same():
    history = Window([Item(role="assistant", content="Welcome")]).to_dspy()
    assert history == [{"answer": "Welcome"}]
    assert [message["role"] for message in sent(history)[2]] == ["assistant"]
    assert "Welcome" in sent(history)[2][0]["content"]


@pytest.mark.parametrize("names", [("a", "a"), ("", "b"), ("a b", "c"), (1, "c")])
def test_names_that_are_no_fields_are_refused(names):
    with pytest.raises(ConfigError):
        Window([]).to_dspy(question=names[0], answer=names[1])


def test_dspy_is_not_imported():
    code = "import sys, threadkeep; threadkeep.Window([]).to_dspy(); print('dspy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
