"""When the summary of a session is told beside its window: where it says more than that."""

from __future__ import annotations

import pytest

from tests.longterm.extraction.conftest import answer


def summing(request):
    return answer(summary="They talked.")


def tells(chat, **limits):
    """Whether the summary is told beside a window."""
    return "They talked." in chat.context(window=chat.window(**limits))


@pytest.fixture
def summed(learning):
    """A session of six messages that was summed up to its end."""
    memory, _ = learning(summing)
    chat = memory.session("chat", user="ada")
    for n in range(3):
        chat.add(f"question {n}", {"role": "assistant", "content": f"answer {n}"})
    memory.extract()
    return chat


def test_a_summary_is_told_where_the_model_does_not_see_all_that_it_sums_up(summed):
    assert tells(summed, max_messages=5)
    assert "They talked." in summed.context(), "without a window nobody knows what is seen"


def test_a_summary_of_what_the_window_has_in_full_is_not_told(summed):
    assert not tells(summed)
    assert not tells(summed, max_messages=6)
    summed.add("question 3")
    assert not tells(summed)
    assert tells(summed, max_messages=6)


def test_a_window_with_a_gap_does_not_stand_for_the_summary(summed):
    window = summed.window()
    assert "They talked." in summed.context(window=[*window[:2], *window[3:]])
    assert "They talked." in summed.context(window=[])
    assert "They talked." not in summed.context(window=iter(window))


def test_a_summary_that_rolled_on_stands_for_all_of_it(learning):
    memory, _ = learning(summing, llm={"batch": 2})
    chat = memory.session("chat", user="ada")
    for n in range(6):
        chat.add({"role": ("user", "assistant")[n % 2], "content": f"message {n}"})
    assert memory.extract().batches == 3
    assert not tells(chat)
    assert tells(chat, max_messages=5)


def test_a_summary_with_a_hole_in_it_is_always_told(learning):
    memory, _ = learning([answer(summary="They talked."), answer(), answer(summary="They talked.")])
    chat = memory.session("chat", user="ada")
    for n in range(3):
        chat.add(f"question {n}", {"role": "assistant", "content": f"answer {n}"})
        memory.extract()
    assert tells(chat)


def test_what_was_deleted_since_is_told_by_the_summary(learning):
    memory, _ = learning(summing, retain={"max_messages": 2})
    chat = memory.session("chat", user="ada")
    for n in range(3):
        chat.add(f"question {n}", {"role": "assistant", "content": f"answer {n}"})
    memory.extract()
    chat.add("one more", {"role": "assistant", "content": "and on"})
    assert len(chat.items()) < 6
    assert tells(chat)


def test_a_summary_of_an_earlier_life_is_told(learning, clock):
    memory, _ = learning(summing, ttl=3_600)
    chat = memory.session("chat", user="ada")
    chat.add("Hello")
    memory.extract()
    clock.tick(3_601)
    chat.add("Hello again")
    assert tells(chat)
    memory.extract()
    assert tells(chat), "what it says of the life before stands nowhere else"
