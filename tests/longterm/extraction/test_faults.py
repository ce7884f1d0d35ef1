"""A model that fails in every way there is: nothing is lost, nothing is learned twice."""

from __future__ import annotations

import json
import threading
import time

import pytest

from tests.engine.doubles import Meddling
from tests.longterm.extraction.conftest import answer, asked, fact
from threadkeep.core import copy_streams
from threadkeep.errors import BackendError
from threadkeep.longterm.extraction.watermark import MAX_BACKOFF, parse_watermark
from threadkeep.testing.model import ModelError

NUTS = answer(fact("Ada is allergic to nuts", 1), summary="Nuts.")
LATER = 2 * MAX_BACKOFF


def facts(memory):
    return [(one.text, one.seen) for one in memory.user("ada").facts.list(status=None)]


def said(memory, text="I'm allergic to nuts."):
    chat = memory.session("chat", user="ada")
    chat.add(text)
    return chat


def mark(memory, chat):
    held = memory.user("ada").facts._user_stream().load()
    life = chat._stream.read().version >> 20
    return parse_watermark(held.watermarks.get(chat._stream.stream_name), life)


FAULTS = {
    "429": ModelError(429, headers={"retry-after": "7"}),
    "500": 500,
    "503": 503,
    "no JSON, twice": ["I would rather not.", "Really."],
    "no text": {"content": None},
    "no chat completion": {"object": "something else"},
    "a client's error": ModelError(401),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_tried_again_later_and_nothing_is_lost(learning, clock, fault):
    replies = FAULTS[fault]
    replies = replies if isinstance(replies, list) else [replies]
    memory, _ = learning([*replies, NUTS])
    chat = said(memory)
    report = memory.extract()
    assert (report.failures, report.facts, report.dead) == (1, 0, 0)
    assert report.errors
    assert "nuts" not in str(report.errors)
    assert mark(memory, chat).seq == 0
    assert memory.extract().waiting == 1  # not yet
    clock.tick(LATER)
    assert memory.extract().facts == 1
    assert facts(memory) == [("Ada is allergic to nuts", 1)]
    assert mark(memory, chat).seq == chat.items()[-1].seq


def test_a_time_out_is_a_failure_that_is_tried_again(learning, clock):
    def reply(request):
        if len(model.requests) == 1:
            time.sleep(1)
        return NUTS

    memory, model = learning(reply, llm={"timeout": 0.2})
    said(memory)
    assert memory.extract().errors == ("APITimeoutError",)
    clock.tick(LATER)
    memory.extract()
    assert facts(memory) == [("Ada is allergic to nuts", 1)]


def test_retry_after_is_honoured(learning, clock):
    memory, _model = learning([ModelError(429, headers={"retry-after": "900"}), NUTS])
    said(memory)
    memory.extract()
    clock.tick(899)
    assert memory.extract().waiting == 1
    clock.tick(92)  # a tenth more, at most
    assert memory.extract().facts == 1


def test_after_so_many_tries_it_is_dead_until_it_is_asked_for(learning, clock):
    replies = [500, 500, 500, NUTS]
    memory, model = learning(replies, llm={"tries": 3})
    chat = said(memory)
    for _ in range(3):
        report = memory.extract()
        clock.tick(LATER)
    assert report.dead == 1
    assert mark(memory, chat).state == "dead"
    assert mark(memory, chat).error == "500 InternalServerError"
    assert memory.extract().dead == 1
    assert len(model.requests) == 3
    assert memory.extract(retry=True).facts == 1
    assert mark(memory, chat).state == "ok"


WORDINGS = {
    "fenced": f"Here you are:\n```json\n{NUTS}\n```\nAnything else?",
    "a bare array": json.dumps([fact("Ada is allergic to nuts", 1)]),
    "numbers in quotes": NUTS.replace("[1]", '["1"]'),
    "one bad entry": answer(fact("Ada is allergic to nuts", 1), {"text": 5}, "what?", fact("", 1)),
    "hallucinated numbers": answer(
        fact("Ada is allergic to nuts", 1, 77, -1, relation="same", known=99),
        fact("Ada is allergic to dogs", 12),
    ),
    "twice": answer(fact("Ada is allergic to nuts", 1), fact("ada is allergic to NUTS.", 1)),
    "thinking aloud": f"<think>{{not this}}</think>{NUTS}",
}


@pytest.mark.parametrize("wording", WORDINGS)
def test_an_answer_is_understood_as_far_as_it_goes(learning, wording):
    memory, model = learning([WORDINGS[wording]])
    said(memory)
    memory.extract()
    assert [text.casefold().rstrip(".") for text, _ in facts(memory)] == ["ada is allergic to nuts"]
    assert len(model.requests) == 1


def test_an_answer_that_was_cut_off_is_asked_for_once_more(learning):
    cut = answer(fact("Ada is allergic to nuts", 1), fact("Ada keeps a cat", 1))[:-160]
    memory, _model = learning([cut, answer(fact("Ada is allergic to nuts", 1))])
    said(memory)
    assert memory.extract().calls == 2
    assert facts(memory) == [("Ada is allergic to nuts", 1)]


def test_what_is_whole_of_one_that_is_cut_off_twice_is_kept(learning):
    whole = answer(fact("Ada is allergic to nuts", 1), fact("Ada is allergic to nuts and dust", 1))
    cut = whole[: whole.index("and dust")]
    memory, _ = learning([cut, cut])
    said(memory)
    memory.extract()
    assert ("Ada is allergic to nuts", 1) in facts(memory)


def test_an_endpoint_that_takes_no_schema_is_asked_in_simpler_ways(learning):
    def reply(request):
        kind = request.get("response_format", {}).get("type")
        return ModelError(400, "no such response_format") if kind == "json_schema" else NUTS

    memory, model = learning(reply)
    chat = said(memory)
    memory.extract()
    chat.add("Hello")
    memory.extract()
    kinds = [request.get("response_format", {}).get("type") for request in model.requests]
    assert kinds == ["json_schema", "json_object", "json_object"]
    assert len(facts(memory)) == 1


def test_what_the_user_asked_to_be_kept_is_kept_although_the_model_fails(learning, clock):
    memory, _ = learning([500, answer(fact("Ada's sister is called Anna", 1))])
    said(memory, "Please remember that my sister is called Anna.")
    assert memory.extract().facts == 1
    text = "The user asked to remember: my sister is called Anna"
    assert [one.text for one in memory.user("ada").facts.list()] == [text]
    clock.tick(LATER)
    report = memory.extract()
    assert (report.failures, report.waiting, report.facts) == (0, 0, 1), report
    assert [one.text for one in memory.user("ada").facts.list()] == ["Ada's sister is called Anna"]


def test_budgets_of_calls_are_kept_in_the_store_and_end_with_the_day(learning, opened, clock):
    memory, model = learning(lambda request: answer(), llm={"calls_per_day": 2})
    chat = memory.session("chat", user="ada")
    for n in range(3):
        chat.add(f"message {n}")
        report = memory.extract()
    assert report.exhausted == 1
    assert len(model.requests) == 2
    memory.session("other", user="bob").add("Hello")
    assert memory.extract(user="bob").batches == 1
    clock.tick(86_400)
    assert memory.extract(user="ada").batches == 1


def test_budgets_of_tokens_end_with_the_day_too(learning, clock):
    memory, _ = learning(lambda request: answer(), llm={"tokens_per_day": 100})
    chat = said(memory)
    assert memory.extract().batches == 1
    chat.add("more")
    assert memory.extract().exhausted == 1
    clock.tick(86_400)
    assert memory.extract().batches == 1


def test_two_workers_on_one_user_pay_and_learn_once(learning, opened):
    entered, go_on = threading.Event(), threading.Event()

    def reply(request):
        entered.set()
        go_on.wait(20)
        return NUTS

    memory, model = learning(reply)
    another = opened(llm=memory._engine.settings.llm)
    said(memory)
    reports = []
    first = threading.Thread(target=lambda: reports.append(memory.extract()))
    first.start()
    assert entered.wait(20)
    assert another.extract().busy == 1
    go_on.set()
    first.join()
    assert (reports[0].facts, len(model.requests)) == (1, 1)
    assert facts(memory) == [("Ada is allergic to nuts", 1)]


def test_a_worker_that_was_taken_for_dead_writes_nothing(learning, opened, clock):
    """Its lease ended, another one read the batch, and then it came back."""

    def reply(request):
        if len(model.requests) == 1:
            clock.tick(LATER)
            assert another.extract().facts == 1
        return answer(fact("Ada is allergic to nuts", 1), fact("Ada is allergic", 1), summary="S")

    memory, model = learning(reply)
    another = opened(llm=memory._engine.settings.llm)
    chat = said(memory)
    assert memory.extract().facts == 0
    assert len(facts(memory)) == 2
    assert {seen for _, seen in facts(memory)} == {1}
    assert chat.summary().version == 1


def test_code_merges_again_where_it_met_another_and_the_model_is_not_asked_again(learning):
    def reply(request):
        memory.user("ada").facts.add("Ada is allergic to nuts")  # meanwhile
        return NUTS

    memory, model = learning(reply)
    said(memory)
    memory.extract()
    assert facts(memory) == [("Ada is allergic to nuts", 2)]
    assert len(model.requests) == 1


def test_a_user_who_was_forgotten_meanwhile_stays_forgotten(learning):
    def reply(request):
        memory.user("ada").forget()
        return NUTS

    memory, _ = learning(reply)
    said(memory)
    assert memory.extract().facts == 0
    assert facts(memory) == []
    assert memory.session("chat").summary() is None
    assert copy_streams.stream_names(memory._engine.backend) in ([], ["default/sessions/ada"])


def test_a_user_who_came_back_after_being_forgotten_is_a_new_one(learning):
    def reply(request):
        if len(model.requests) == 1:
            memory.user("ada").forget()
            memory.user("ada").facts.add("Ada is new here")
        return NUTS

    memory, model = learning(reply)
    said(memory)
    memory.extract()
    assert facts(memory) == [("Ada is new here", 1)]


@pytest.mark.parametrize("jump", [-86_400, -60, 60, 86_400, 10 * 365 * 86_400])
def test_clocks_that_jump_lose_and_double_nothing(learning, clock, jump):
    def reply(request):
        if len(model.requests) == 1:
            clock.tick(jump)
        return answer(*(fact(f"Ada said {line['text']}", line["number"])
                        for line in asked(request)["messages"]))  # fmt: skip

    memory, model = learning(reply)
    chat = said(memory, "apples and pears")
    memory.extract()
    chat.add("plums and cherries")
    memory.extract()
    clock.tick(LATER)
    memory.extract()
    assert sorted(facts(memory)) == [("Ada said apples and pears", 1),
                                     ("Ada said plums and cherries", 1)]  # fmt: skip


@pytest.mark.parametrize("back", [-3_600, -86_400 * 400])
def test_a_clock_that_was_ahead_keeps_nobody_waiting(learning, clock, back):
    memory, _ = learning([500, NUTS])
    said(memory)
    memory.extract()
    clock.tick(back - LATER)  # the failure was noted by a clock that was ahead
    assert memory.extract(retry=False).facts == 1


def test_a_store_that_fails_at_the_commit_loses_nothing(learning, clock):
    class Failing(Meddling):
        broken = False

        def commit(self, stream, **how):
            if self.broken and "/user/" in stream:
                raise BackendError("no space left")
            return super().commit(stream, **how)

    def reply(request):
        store.broken = len(model.requests) == 1
        return NUTS

    memory, model = learning(reply, wrap=Failing)
    store = memory._engine.backend
    said(memory)
    with pytest.raises(BackendError):
        memory.extract()
    store.broken = False
    clock.tick(LATER)
    memory.extract()
    assert facts(memory) == [("Ada is allergic to nuts", 1)]
    assert memory.session("chat").summary().version == 1


def test_a_fault_of_our_own_or_of_a_redactor_is_counted_as_well(learning, clock):
    """Else it would be paid for again and again."""
    broken = [True]

    def redactor(text, kind):
        if kind == "fact" and broken[0]:
            raise RuntimeError(text)
        return text

    memory, model = learning(lambda request: NUTS, llm={"tries": 2}, redactor=redactor)
    said(memory)
    for _ in range(4):
        report = memory.extract()
        clock.tick(LATER)
    assert (report.dead, len(model.requests)) == (1, 2)
    broken[0] = False
    assert memory.extract(retry=True).facts == 1
