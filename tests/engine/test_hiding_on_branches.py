"""What is done to an item whose branch is not shown is done on its branch, and nowhere else."""

from __future__ import annotations

import pytest

from tests.engine.branching import said, texts
from threadkeep import connect
from threadkeep.types.branches import Branch


@pytest.fixture
def chat():
    with connect("memory://") as memory:
        yield memory.session("chat", user="ada")


@pytest.fixture
def turn(chat):
    """Two questions with their answers, of which the second question has an id of its own."""
    return chat.add("q0", said("a0"), {"role": "user", "content": "q1", "id": "mine"}, said("a1"))


def test_rewind_leaves_what_is_hidden_on_another_branch(chat, turn):
    chat.hide(turn[2].id)
    chat.branch("retry", at=turn[1].id)
    assert texts(chat.rewind(before=turn[1].id)) == ["a0"]
    chat.branch("main")
    chat.unhide(turn[2].id)
    assert texts(chat.items()) == ["q0", "q1", "a1"]


def test_unhide_shows_an_item_on_its_branch_alone(chat, turn):
    chat.hide(turn[2].id)
    chat.branch("retry", at=turn[1].id)
    assert chat.unhide(turn[2].id) == 1
    assert texts(chat.items()) == ["q0", "a0"]
    chat.branch("main")
    assert texts(chat.items()) == ["q0", "a0", "q1", "a1"]


def test_unhide_does_not_take_an_item_from_its_branch(chat, turn):
    chat.branch("retry", at=turn[1].id)
    assert chat.unhide(turn[2].id) == 0
    assert texts(chat.items()) == ["q0", "a0"]
    assert texts(chat.window(branch="main")) == ["q0", "a0", "q1", "a1"]


def test_hide_holds_when_its_branch_is_shown_again(chat, turn):
    chat.branch("retry", at=turn[1].id)
    assert (chat.hide(turn[2].id), chat.hide(turn[2].id)) == (1, 0)
    assert texts(chat.window(branch="main")) == ["q0", "a0", "a1"]
    chat.branch("main")
    assert texts(chat.items()) == ["q0", "a0", "a1"]
    assert (chat.unhide(turn[2].id), chat.items()[2].metadata) == (1, {})


def test_an_edit_keeps_hidden_what_is_hidden_on_another_branch(chat, turn):
    chat.hide(turn[2].id)
    chat.branch("retry", at=turn[1].id)
    chat.replace(turn[2].id, "edited")
    chat.branch("main")
    assert [(item.text, item.hidden) for item in chat.items(hidden=True)][2] == ("edited", True)


def test_a_retried_add_stays_on_the_branch_of_its_item(chat, turn):
    chat.branch("retry", at=turn[1].id)
    [retried] = chat.add({"role": "user", "content": "q1 again", "id": "mine"})
    assert (retried.hidden, retried.seq) == (True, turn[2].seq)
    assert retried == chat.items(hidden=True)[2]
    assert texts(chat.items()) == ["q0", "a0"]
    assert texts(chat.window(branch="main")) == ["q0", "a0", "q1 again", "a1"]


def test_rewind_by_number_takes_nothing_where_nothing_is_shown(chat, turn):
    chat.hide(*(item.id for item in turn))
    assert chat.rewind(last=1) == []
    assert texts(chat.items(hidden=True)) == ["q0", "a0", "q1", "a1"]


def test_clear_ends_the_branches_of_a_session_without_items(chat, turn):
    chat.branch("retry")
    chat.rewind(last=4)
    chat.clear()
    assert chat.branches() == [Branch("main", is_shown=True)]


def test_the_runs_of_a_branch_are_counted_whichever_is_shown():
    with connect("memory://") as memory:
        chat = memory.session("s")
        answer = {"role": "assistant", "content": "a", "usage": {"input_tokens": 1}}
        first, first_answer, second, _ = chat.add("q0", answer, "q1", answer)
        chat.branch("retry", at=first_answer.id)
        runs = [(row.key, row.calls) for row in memory.usage(by="run", session="s")]
        assert sorted(runs) == sorted([(first.id, 1), (second.id, 1)])


ANSWER = {"role": "assistant", "content": "a", "usage": {"input_tokens": 1}}


def runs_of(memory):
    return {row.key: row.calls for row in memory.usage(by="run", session="s")}


def test_an_answer_on_a_branch_counts_for_the_message_that_it_answers_there():
    with connect("memory://") as memory:
        chat = memory.session("s")
        first, _, second, _ = chat.add("q0", ANSWER, "q1", ANSWER)
        chat.branch("retry", at=first.id)
        chat.add(ANSWER)  # stored behind q1, which this branch does not have
        assert runs_of(memory) == {first.id: 2, second.id: 1}


def test_an_answer_counts_for_its_own_branch_after_a_switch_back():
    with connect("memory://") as memory:
        chat = memory.session("s")
        first, first_answer, second = chat.add("q0", ANSWER, "q1")
        chat.branch("retry", at=first_answer.id)
        [other] = chat.add("q1 again")
        chat.branch("main")
        chat.add(ANSWER, ANSWER)
        assert runs_of(memory) == {first.id: 1, second.id: 2}
        assert other.id not in runs_of(memory)


def test_answers_without_usage_on_two_branches_are_two_calls():
    with connect("memory://") as memory:
        chat = memory.session("s")
        question = chat.add("q0", {"role": "assistant", "content": "a"})[0]
        chat.branch("retry", at=question.id)
        chat.add({"role": "assistant", "content": "b"})
        assert runs_of(memory) == {question.id: 2}


def test_responses_on_a_branch_count_for_its_message():
    with connect("memory://") as memory:
        chat = memory.session("s")
        first, _, second, _ = chat.add("q0", ANSWER, "q1", ANSWER)
        chat.branch("retry", at=first.id)
        chat.add(ANSWER)
        memory.responses.add({"id": "r1", "output": [ANSWER]}, conversation="s")
        assert runs_of(memory) == {first.id: 2, second.id: 1}


@pytest.mark.parametrize("status", ["completed", "in_progress"])
def test_a_response_right_after_a_switch_counts_for_the_branch_that_is_shown(status):
    """As an answer that is written anew, whose response is stored before its item."""
    with connect("memory://") as memory:
        chat = memory.session("s")
        first, _, second, _ = chat.add("q0", ANSWER, "q1", ANSWER)
        chat.branch("retry", at=first.id)
        response = {"id": "r1", "output": [ANSWER], "usage": {"input_tokens": 10}}
        memory.responses.add({**response, "status": status}, conversation="s")
        chat.branch("main")
        memory.responses.add({**response, "status": "completed"}, conversation="s")
        chat.branch("retry")
        chat.add(ANSWER)  # the response's own, which is not counted again
        rows = [(row.key, row.calls, row.input_tokens) for row in memory.usage(by="run")]
        assert rows == [(first.id, 2, 11), (second.id, 1, 1)]
        third = chat.add("q2")[0]
        memory.responses.add({**response, "id": "r2"}, conversation="s")
        assert runs_of(memory) == {first.id: 2, second.id: 1, third.id: 1}


def test_pages_of_runs_on_branches_have_each_run_once():
    with connect("memory://") as memory:
        chat = memory.session("s")
        messages = chat.add("q0", ANSWER, "q1", ANSWER)
        for number in range(3):
            chat.branch(f"retry {number}", at=messages[number].id)
            chat.add(ANSWER, f"q of {number}", ANSWER)
        first_page = memory.usage(by="run", limit=2)
        rest = memory.usage(by="run", limit=100, cursor=first_page.cursor)
        assert [*first_page, *rest] == memory.usage(by="run")
        assert sum(row.calls for row in memory.usage(by="run")) == 8
