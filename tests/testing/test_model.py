"""`ScriptedModel` through the real `openai` client: what it says, refuses, and leaves behind."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from openai import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    RateLimitError,
)

from tests.durations import within
from threadkeep.testing.model import ModelError, ScriptedModel

USER = {"role": "user", "content": "Weather in Rome?"}
WEATHER = {"tool_calls": [{"name": "weather", "args": {"city": "Rome"}}]}


def connect(model, **options):
    return OpenAI(base_url=model.base_url, api_key="none", **options)


def chat(model, *messages, **options):
    """One request to Chat Completions, without retries."""
    retries = {"max_retries": options.pop("max_retries", 0)}
    with connect(model, **retries) as client:
        given = list(messages) or [USER]
        return client.chat.completions.create(model="gpt-5", messages=given, **options)


def respond(model, given="hi", **options):
    with connect(model, max_retries=0) as client:
        return client.responses.create(model="gpt-5", input=given, **options)


def test_replies_come_in_order_and_look_like_the_service():
    with ScriptedModel(["Hello", "Good bye"]) as model:
        first, second = chat(model), chat(model)
    choice = first.choices[0]
    assert (choice.message.role, choice.message.content) == ("assistant", "Hello")
    assert choice.message.tool_calls is None
    assert choice.finish_reason == "stop"
    assert (first.object, first.model) == ("chat.completion", "gpt-5")
    assert abs(first.created - time.time()) < 60
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens
    assert first.usage.prompt_tokens > first.usage.completion_tokens > 0
    assert second.choices[0].message.content == "Good bye"
    assert first.id.startswith("chatcmpl_")
    assert first.id != second.id


def test_tool_calls_and_their_answer():
    with ScriptedModel([WEATHER, "Sunny"]) as model:
        asked = chat(model).choices[0]
        call = asked.message.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        told = chat(model, USER, asked.message, result).choices[0]
    assert asked.finish_reason == "tool_calls"
    assert asked.message.content is None
    assert (call.type, call.function.name) == ("function", "weather")
    assert json.loads(call.function.arguments) == {"city": "Rome"}
    assert told.message.content == "Sunny"


def test_calls_may_be_given_in_openai_form_with_their_own_ids():
    function = {"name": "f", "arguments": "{no json"}
    reply = {
        "content": "let me see",
        "tool_calls": [{"id": "c1", "type": "function", "function": function}],
        "usage": {"prompt_tokens": 7},
        "finish_reason": "length",
    }
    with ScriptedModel([reply]) as model:
        answer = chat(model)
    assert answer.choices[0].message.tool_calls[0].id == "c1"
    assert answer.choices[0].message.tool_calls[0].function.arguments == "{no json"
    assert answer.choices[0].message.content == "let me see"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.prompt_tokens == 7


def test_ids_of_calls_differ_but_repeat_when_the_run_repeats():
    def ids():
        two = {"tool_calls": [{"name": "a"}, {"name": "a"}]}
        with ScriptedModel([two, two]) as model:
            replies = [chat(model), chat(model)]
        return [call.id for reply in replies for call in reply.choices[0].message.tool_calls]

    first = ids()
    assert len(set(first)) == 4
    assert first == ids()


def test_callables_see_the_request():
    def echo(request):
        return request["messages"][-1]["content"].upper()

    with ScriptedModel([echo, "x"]) as model:
        assert chat(model).choices[0].message.content == "WEATHER IN ROME?"
    with ScriptedModel(echo) as model:
        replies = [chat(model).choices[0].message.content for _ in range(3)]
    assert replies == ["WEATHER IN ROME?"] * 3


def test_a_whole_body_is_sent_as_it_stands():
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
    with ScriptedModel([body]) as model:
        assert chat(model).to_dict() == body


def test_requests_are_kept():
    with ScriptedModel(["a", "b"]) as model:
        chat(model, temperature=0)
        with pytest.raises(BadRequestError):
            chat(model, {"role": "tool", "tool_call_id": "c1", "content": "x"})
    assert model.requests[0] == {"model": "gpt-5", "messages": [USER], "temperature": 0}
    assert model.requests[1]["messages"][0]["role"] == "tool"


def test_streamed_text_with_usage_when_asked_for():
    text = "  Many words,\n\nand spaces at the end. \n"
    with ScriptedModel([text, text]) as model, connect(model) as client:
        ask = {"model": "gpt-5", "messages": [USER], "stream": True}
        plain = list(client.chat.completions.create(**ask))
        counted = list(
            client.chat.completions.create(**ask, stream_options={"include_usage": True})
        )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in plain) == text
    assert len(plain) > 5
    assert {chunk.object for chunk in plain} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in plain}) == 1
    assert [chunk.choices[0].finish_reason for chunk in plain][-2:] == [None, "stop"]
    assert all(chunk.usage is None for chunk in plain)
    assert counted[-1].choices == []
    assert counted[-1].usage.total_tokens > 0


def test_the_clients_own_accumulator_puts_a_stream_together():
    reply = {"content": "a b", **WEATHER}
    with (
        ScriptedModel([reply]) as model,
        connect(model) as client,
        client.chat.completions.stream(model="gpt-5", messages=[USER]) as stream,
    ):
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert message.content == "a b"
    assert message.tool_calls[0].function.arguments == '{"city": "Rome"}'
    assert final.choices[0].finish_reason == "tool_calls"


def test_responses():
    with ScriptedModel(["Hello", {"content": "x", **WEATHER}]) as model:
        first = respond(model)
        second = respond(model, [USER, *first.output], instructions="be brief")
    assert (first.object, first.status, first.output_text) == ("response", "completed", "Hello")
    assert first.usage.total_tokens == first.usage.input_tokens + first.usage.output_tokens
    assert first.usage.output_tokens_details.reasoning_tokens == 0
    assert [item.type for item in second.output] == ["message", "function_call"]
    assert json.loads(second.output[1].arguments) == {"city": "Rome"}
    assert second.instructions == "be brief"


def test_responses_that_are_streamed():
    with (
        ScriptedModel([{"content": "a b c", **WEATHER}]) as model,
        connect(model) as client,
        client.responses.stream(model="gpt-5", input="hi") as stream,
    ):
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds.count("response.output_text.delta") == 3
    assert "response.function_call_arguments.done" in kinds
    assert kinds[-1] == "response.completed"
    assert final.output_text == "a b c"
    assert final.output[1].name == "weather"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (401, AuthenticationError),
        (429, RateLimitError),
        (500, InternalServerError),
        (503, InternalServerError),
        (ModelError(400, "too long"), BadRequestError),
        (lambda request: 429, RateLimitError),
    ],
)
def test_errors_become_the_clients_own(reply, error):
    with ScriptedModel([reply]) as model, pytest.raises(error) as caught:
        chat(model)
    assert caught.value.message
    assert ("retry-after" in caught.value.response.headers) == (
        caught.value.status_code in {429, 503}
    )


def test_the_client_retries_a_rate_limit_and_then_gets_its_answer():
    with ScriptedModel([429, ModelError(500, headers={"retry-after-ms": "1"}), "Hello"]) as model:
        answer = chat(model, max_retries=2)
    assert answer.choices[0].message.content == "Hello"
    assert len(model.requests) == 3


def test_an_exception_in_a_callable_reaches_the_caller():
    def broken(request):
        raise LookupError("no such city")

    with ScriptedModel([broken, KeyError("x")]) as model:
        with pytest.raises(InternalServerError, match="LookupError: no such city"):
            chat(model, max_retries=2)
        with pytest.raises(InternalServerError, match="KeyError"):
            chat(model, max_retries=2)
    assert len(model.requests) == 2


def test_an_exhausted_script_says_so_and_is_not_asked_again():
    with ScriptedModel(["Hello"]) as model:
        chat(model)
        with pytest.raises(InternalServerError, match="exhausted: it holds 1 replies"):
            chat(model, max_retries=2)
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [None, 7, 200, {"text": "x"}, {"content": 7}, {"tool_calls": ["x"]}, lambda _: object()],
)
def test_a_script_that_makes_no_sense_says_so(reply):
    with ScriptedModel([reply]) as model, pytest.raises(InternalServerError, match="script holds"):
        chat(model, max_retries=2)


def test_an_invalid_prompt_is_refused_with_its_reason_and_uses_no_reply_up():
    orphan = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""}
    with ScriptedModel(["Hello"]) as model:
        with pytest.raises(BadRequestError, match=r"messages\[1\]: 'c1' .*orphan") as caught:
            chat(model, USER, orphan)
        assert caught.value.type == "invalid_request_error"
        with pytest.raises(BadRequestError, match=r"input\[1\]: .*unanswered"):
            respond(model, [USER, call, USER])
        assert chat(model).choices[0].message.content == "Hello"


def test_judging_can_be_turned_off():
    with ScriptedModel(["Hello"], validate=False) as model:
        answer = chat(model, {"role": "tool", "tool_call_id": "c1", "content": "sunny"})
    assert answer.choices[0].message.content == "Hello"


def test_prompts_that_continue_a_stored_response_are_taken():
    output = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}
    with ScriptedModel(["Hello"]) as model:
        assert respond(model, [output], previous_response_id="resp_1").output_text == "Hello"


def test_other_endpoints_are_not_found():
    with (
        ScriptedModel([]) as model,
        connect(model, max_retries=0) as client,
        pytest.raises(NotFoundError, match="POST /v1/responses"),
    ):
        client.models.list()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_a_bad_request(body):
    with ScriptedModel(["x"]) as model:
        request = Request(f"{model.base_url}/chat/completions", body)
        with pytest.raises(HTTPError, match="400") as caught:
            urlopen(request)
        caught.value.close()


def test_a_whole_body_cannot_be_streamed():
    with (
        ScriptedModel([{"choices": []}]) as model,
        pytest.raises(InternalServerError, match="cannot be streamed"),
    ):
        chat(model, stream=True)


def test_many_threads_share_one_script():
    script = [str(number) for number in range(60)]
    with ScriptedModel(script) as model, ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: chat(model).choices[0].message.content, script))
    assert sorted(map(int, replies)) == list(range(60))
    assert len(model.requests) == 60


def serving():
    return [thread for thread in threading.enumerate() if thread.name == "scripted-model"]


def test_nothing_runs_before_the_start_or_after_the_stop():
    model = ScriptedModel(["Hello"])
    assert not serving()
    with pytest.raises(RuntimeError, match="not running"):
        _ = model.base_url
    model.start()
    assert model.start().base_url == model.base_url
    assert len(serving()) == 1
    client = connect(model, max_retries=0)
    model.stop()
    model.stop()
    assert not serving()
    with client, pytest.raises(APIConnectionError):
        client.models.list()
    with model:
        assert chat(model).choices[0].message.content == "Hello"


def test_it_stops_within_a_second_even_while_an_answer_is_under_way():
    begun, release = threading.Event(), threading.Event()

    def slow(request):
        begun.set()
        release.wait(10)
        return "late"

    with ScriptedModel(slow) as model, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(chat, model)
        assert begun.wait(5)
        with within(1):
            model.stop()
        release.set()
        assert waiting.result().choices[0].message.content == "late"


@pytest.mark.parametrize("replies", ["Hello", None, 7])
def test_a_script_is_a_list_or_a_callable(replies):
    with pytest.raises(TypeError, match="list of replies"):
        ScriptedModel(replies)


def test_an_error_needs_the_status_of_one():
    with pytest.raises(ValueError, match="400 to 599"):
        ModelError(200)


def test_every_error_is_an_api_error_of_the_client():
    with ScriptedModel([418]) as model, pytest.raises(APIStatusError, match="418"):
        chat(model)
