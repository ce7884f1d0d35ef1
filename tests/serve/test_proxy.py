"""The stateful proxy with the official client, in front of a scripted upstream over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest
from openai import OpenAI

from tests.serve.running import door as open_door
from tests.serve.upstreams import chat_chunk, event, misbehaving, response_start, start
from threadkeep.serve import Limits
from threadkeep.testing import ScriptedModel
from threadkeep.testing.model import ModelError

KEY = "upstream-secret"
CALL = {"tool_calls": [{"name": "weather", "args": {"city": "Rome"}}]}
TOOLS = [
    {
        "type": "function",
        "name": "weather",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }
]


@pytest.fixture
def proxied(memory, tmp_path):
    """Serves the memory before an upstream; gives the door and a client of Ada's."""
    opened = []

    def open_proxy(url, **options):
        context = open_door(memory, tmp_path, upstream=url, **options)
        door = context.__enter__()
        client = OpenAI(base_url=f"{door.url}/v1", api_key=door.ada, max_retries=0, timeout=20)
        opened.append((context, client))
        return door, client

    yield open_proxy
    for context, client in opened:
        client.close()
        context.__exit__(None, None, None)


def texts(memory, id):
    return [(item.role, item.text, item.status) for item in memory.session(id).items()]


@pytest.mark.proves("D17")
def test_a_conversation_goes_on(stored_memory, tmp_path):
    with (
        ScriptedModel(["Ciao", CALL, "Sunny"]) as model,
        open_door(stored_memory, tmp_path, upstream=model.base_url) as door,
        OpenAI(base_url=f"{door.url}/v1", api_key=door.ada, max_retries=0) as client,
    ):
        id = client.conversations.create().id
        first = client.responses.create(model="m", input="I am in Rome", conversation=id)
        assert (first.output_text, first.conversation.id) == ("Ciao", id)
        asked = client.responses.create(
            model="m", input="Weather?", conversation={"id": id}, tools=TOOLS
        )
        call = asked.output[0]
        told = {"type": "function_call_output", "call_id": call.call_id, "output": "sun"}
        last = client.responses.create(model="m", input=[told], conversation=id, tools=TOOLS)
        assert last.output_text == "Sunny"
        prompt = model.requests[2]["input"]
        assert [entry.get("type", "message") for entry in prompt] == [
            "message",
            "message",
            "message",
            "function_call",
            "function_call_output",
        ]
        assert all(request["store"] is False for request in model.requests)
        assert not any("conversation" in request for request in model.requests)
        listed = [entry.type for entry in client.conversations.items.list(id, order="asc")]
        assert listed == [*["message"] * 3, "function_call", "function_call_output", "message"]
        assert client.responses.retrieve(last.id).output_text == "Sunny"
        assert stored_memory.user("ada").responses.usage()["m"].responses == 3


@pytest.mark.proves("D17")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_chain_goes_on_and_branches(proxied, memory, stream):
    with ScriptedModel(lambda request: f"answer {len(request['input'])}") as model:
        _, client = proxied(model.base_url)

        def ask(text, previous=None):
            sent = {"model": "m", "input": text, "previous_response_id": previous}
            if not stream:
                return client.responses.create(**sent)
            events = list(client.responses.create(**sent, stream=True))
            assert events[0].type == "response.created"
            assert events[-1].type == "response.completed"
            ids = {e.response.id for e in events if hasattr(e, "response")}
            assert len(ids) == 1
            items = {e.item_id for e in events if hasattr(e, "item_id")}
            assert items == {events[-1].response.output[0].id}
            return events[-1].response

        first = ask("My name is Ada")
        assert first.id.startswith("resp_")
        second = ask("What is my name?", first.id)
        assert second.previous_response_id == first.id
        assert len(model.requests[1]["input"]) == 3
        branch = ask("And yours?", first.id)
        assert len(model.requests[2]["input"]) == 3
        assert len({first.id, second.id, branch.id}) == 3
        chain = memory.responses.chain(second.id, user="ada")
        assert [response.id for response in chain] == [first.id, second.id]
        stored = client.responses.retrieve(second.id)
        assert (stored.output_text, stored.conversation) == (second.output_text, None)
        inputs = client.responses.input_items.list(second.id)
        assert [entry.content[0].text for entry in inputs] == ["What is my name?"]


def test_a_chain_goes_on_from_a_conversation(proxied):
    with ScriptedModel(["one", "two", "three"]) as model:
        _, client = proxied(model.base_url)
        id = client.conversations.create(items=[{"role": "user", "content": "zero"}]).id
        first = client.responses.create(model="m", input="a", conversation=id)
        client.responses.create(model="m", input="b", conversation=id)
        client.responses.create(model="m", input="c", previous_response_id=first.id)
        prompt = [str(entry["content"]) for entry in model.requests[2]["input"]]
        assert [text for text in ("zero", "a", "one", "c") if any(text in p for p in prompt)] == [
            "zero",
            "a",
            "one",
            "c",
        ]
        assert len(prompt) == 4
        assert len(list(client.conversations.items.list(id))) == 5


def test_store_false_stores_nothing(proxied, memory):
    with ScriptedModel(["one", "two", "three"]) as model:
        _door, client = proxied(model.base_url)
        id = client.conversations.create(items=[{"role": "user", "content": "zero"}]).id
        answer = client.responses.create(model="m", input="a", conversation=id, store=False)
        assert answer.model_extra["store"] is False
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(answer.id)
        list(client.responses.create(model="m", input="a", store=False, stream=True))
        headers = {"X-Threadkeep-Session": id}
        client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "b"}],
            store=False,
            extra_headers=headers,
        )
        assert len(model.requests[2]["messages"]) == 2
        assert len(memory.session(id).items()) == 1
        assert memory.responses.list() == []


def test_refused_before_the_model_is_asked(proxied, memory):
    memory.session("bobs", user="bob").add("secret")
    memory.responses.add({"id": "resp_bob", "output": []}, user="bob", input="secret")
    with ScriptedModel([]) as model:
        _, client = proxied(model.base_url)
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="m", input="a", conversation="bobs")
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="m", input="a", conversation="none")
        for id in ("resp_bob", "resp_none"):
            with pytest.raises(openai.BadRequestError) as refused:
                client.responses.create(model="m", input="a", previous_response_id=id)
            assert refused.value.code == "previous_response_not_found"
        with pytest.raises(openai.BadRequestError):
            client.responses.create(model="m", input="a", background=True)
        with pytest.raises(openai.BadRequestError):
            client.responses.create(
                model="m", input="a", conversation="c", previous_response_id="r"
            )
        with pytest.raises(openai.BadRequestError):
            client.responses.create(model="m", input=[{"role": "robot", "content": "x"}])
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "a"}],
                extra_headers={"X-Threadkeep-Session": "bobs"},
            )
        assert model.requests == []


@pytest.mark.proves("D17")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_chat_completions_behind_a_session(proxied, memory, stream):
    with ScriptedModel(["Ciao", CALL, "Sunny"]) as model:
        _, client = proxied(model.base_url)

        def ask(*messages):
            sent = {"model": "m", "messages": [{"role": "system", "content": "Be kind"}, *messages]}
            headers = {"X-Threadkeep-Session": "chat-1"}
            if not stream:
                return client.chat.completions.create(**sent, extra_headers=headers)
            chunks = client.chat.completions.create(**sent, extra_headers=headers, stream=True)
            return list(chunks)

        ask({"role": "user", "content": "I am in Rome"})
        ask({"role": "user", "content": "Weather?"})
        call = memory.session("chat-1").items()[-1].tool_calls[0]
        assert (call["name"], call["args"]) == ("weather", {"city": "Rome"})
        ask({"role": "tool", "tool_call_id": call["id"], "content": "sun"})
        roles = [message["role"] for message in model.requests[2]["messages"]]
        assert roles == ["system", "user", "assistant", "user", "assistant", "tool"]
        stored = [item.role for item in memory.session("chat-1").items()]
        assert stored == ["user", "assistant", "user", "assistant", "tool", "assistant"]
        assert memory.session("chat-1").info().user == "ada"
        responses = memory.responses.list(conversation="chat-1")
        assert [response.status for response in responses] == ["completed"] * 3


def test_chat_bytes_are_unchanged(proxied):
    def behave(handler, body):
        start(handler)
        handler.wfile.write(b': a comment\r\n\r\ndata: {"strange":  1}\n\n')
        chat_chunk(handler, "Hi")
        chat_chunk(handler, None, "stop")
        handler.wfile.write(b"data: [DONE]\r\r")

    with misbehaving(behave) as upstream:
        door, _ = proxied(upstream.url)
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
        direct = httpx.post(f"{upstream.url}/chat/completions", json=body).content
        headers = {"authorization": f"Bearer {door.ada}"}
        for session in ({}, {"x-threadkeep-session": "s"}):
            through = httpx.post(
                f"{door.url}/v1/chat/completions", json=body, headers=headers | session
            )
            assert through.content == direct


@pytest.mark.parametrize("kind", ["text", "file", "callable", "none"])
def test_the_clients_key_is_never_forwarded(proxied, tmp_path, kind):
    def behave(handler, body):
        start(handler, 401, "application/json")
        handler.wfile.write(json.dumps({"error": {"message": f"wrong {KEY}"}}).encode())

    file = tmp_path / "upstream"
    file.write_text(f"{KEY}\n")
    keys = {"text": KEY, "file": file, "callable": lambda: KEY, "none": None}
    with misbehaving(behave) as upstream:
        door, client = proxied(upstream.url, upstream_key=keys[kind])
        with pytest.raises(openai.APIStatusError) as failed:
            client.responses.create(model="m", input="a")
        assert failed.value.status_code == 502
        assert KEY not in failed.value.message
        sent = upstream.requests[0][1]
        assert door.ada not in str(sent)
        expected = None if kind == "none" else f"Bearer {KEY}"
        assert {k.lower(): v for k, v in sent.items()}.get("authorization") == expected


def test_redirects_are_not_followed(proxied):
    with ScriptedModel(["never"]) as elsewhere:

        def behave(handler, body):
            start(handler, 307, location=f"{elsewhere.base_url}/responses")

        with misbehaving(behave) as upstream:
            _, client = proxied(upstream.url, upstream_key=KEY)
            with pytest.raises(openai.APIStatusError) as failed:
                client.responses.create(model="m", input="a")
        assert failed.value.status_code == 502
        assert elsewhere.requests == []


@pytest.mark.parametrize("status", [404, 405])
def test_an_upstream_without_responses_answers_501(proxied, status):
    def behave(handler, body):
        start(handler, status, "text/plain")

    with misbehaving(behave) as upstream:
        _, client = proxied(upstream.url)
        with pytest.raises(openai.APIStatusError) as failed:
            client.responses.create(model="m", input="a")
        assert failed.value.status_code == 501


def test_an_unknown_model_stays_404(proxied):
    def behave(handler, body):
        start(handler, 404, "application/json")
        error = {"message": "no such model", "code": "model_not_found", "param": "model"}
        handler.wfile.write(json.dumps({"error": error}).encode())

    with misbehaving(behave) as upstream:
        _, client = proxied(upstream.url)
        with pytest.raises(openai.NotFoundError, match="no such model"):
            client.responses.create(model="m", input="a")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(ModelError(429, "slow down"), 429), (500, 500), (503, 503), (ModelError(400, "no"), 400)],
    ids=["429", "500", "503", "400"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_errors_of_the_upstream_come_through_and_nothing_is_stored(
    proxied, memory, failure, expected, stream
):
    with ScriptedModel([failure, failure]) as model:
        _, client = proxied(model.base_url)
        id = client.conversations.create().id
        for attempt in (
            lambda: client.responses.create(model="m", input="a", conversation=id, stream=stream),
            lambda: client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "a"}],
                stream=stream,
                extra_headers={"X-Threadkeep-Session": id},
            ),
        ):
            with pytest.raises(openai.APIStatusError) as failed:
                attempt()
            assert failed.value.status_code == expected
            assert ("retry-after" in failed.value.response.headers) == (expected in {429, 503})
        assert memory.session(id).items() == []
        assert memory.responses.list() == []


def _nothing(handler):
    """Hang up."""


def _cut_chat(handler):
    start(handler)
    chat_chunk(handler, "Hel")
    chat_chunk(handler, "lo")


def _cut_chunked_chat(handler):
    start(handler, transfer_encoding="chunked")
    chunk = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
    handler.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n400\r\nhalf")


def _malformed_chat(handler):
    start(handler)
    chat_chunk(handler, "Hello")
    event(handler, "{not json")


@pytest.mark.parametrize(
    "behave", [_cut_chat, _cut_chunked_chat, _malformed_chat], ids=["cut", "chunked", "malformed"]
)
def test_a_chat_stream_that_breaks_off_is_stored_once_as_incomplete(proxied, memory, behave):
    with misbehaving(lambda handler, body: behave(handler)) as upstream:
        _, client = proxied(upstream.url)
        stream = client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "a"}],
            stream=True,
            extra_headers={"X-Threadkeep-Session": "s"},
        )
        with pytest.raises((openai.APIError, ValueError)):
            list(stream)
        wait_for(lambda: memory.responses.list())
    assert texts(memory, "s") == [("user", "a", None), ("assistant", "Hello", "incomplete")]
    assert [response.status for response in memory.responses.list()] == ["incomplete"]


def _cut_response(handler):
    start(handler)
    response_start(handler)


def _malformed_response(handler):
    start(handler)
    response_start(handler)
    event(handler, "[1, 2]", "response.output_text.delta")


def _binary_response(handler):
    start(handler)
    response_start(handler)
    handler.wfile.write(b"data: \xff\xfe\n\n")


@pytest.mark.parametrize(
    "behave",
    [_cut_response, _malformed_response, _binary_response],
    ids=["cut", "malformed", "binary"],
)
def test_a_response_stream_that_breaks_off_is_stored_once_as_incomplete(proxied, memory, behave):
    with misbehaving(lambda handler, body: behave(handler)) as upstream:
        _, client = proxied(upstream.url)
        id = client.conversations.create().id
        events = list(client.responses.create(model="m", input="a", conversation=id, stream=True))
        assert events[-1].type == "error"
        assert events[-1].code == "upstream_disconnected"
        stored = client.responses.retrieve(events[0].response.id)
    assert (stored.status, stored.output_text) == ("incomplete", "Hello")
    assert texts(memory, id) == [("user", "a", None), ("assistant", "Hello", "incomplete")]
    assert len(memory.responses.list()) == 1


def _html(handler):
    start(handler, 200, "text/html")
    handler.wfile.write(b"<html>busy</html>")


def _list(handler):
    start(handler, 200, "application/json")
    handler.wfile.write(b"[]")


def _empty(handler):
    start(handler, 200, "application/json")
    handler.wfile.write(b"{}")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "behave", [_nothing, _html, _list, _empty], ids=["hangs-up", "html", "list", "empty"]
)
def test_an_answer_that_is_none_is_502_and_nothing_is_stored(proxied, memory, behave, stream):
    with misbehaving(lambda handler, body: behave(handler)) as upstream:
        _, client = proxied(upstream.url)
        id = client.conversations.create().id
        with pytest.raises(openai.InternalServerError) as failed:
            client.responses.create(model="m", input="a", conversation=id, stream=stream)
        assert failed.value.status_code == 502
        with pytest.raises(openai.InternalServerError) as failed:
            client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "a"}],
                stream=stream,
                extra_headers={"X-Threadkeep-Session": id},
            )
        assert failed.value.status_code == 502
    assert texts(memory, id) == []


def wait_for(condition):
    until = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_a_client_that_hangs_up_ends_the_upstream_and_what_arrived_is_stored(proxied, memory, api):
    def behave(handler, body):
        start(handler)
        if api == "chat":
            chat_chunk(handler, "Hello")
        else:
            response_start(handler)
        for _ in range(1_500):  # comments, until nobody listens
            handler.wfile.write(b": still thinking\n\n")
            handler.wfile.flush()
            time.sleep(0.01)

    with misbehaving(behave) as upstream:
        _door, client = proxied(upstream.url)
        memory.session("s", user="ada").add("before")
        if api == "chat":
            stream = client.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "a"}],
                stream=True,
                extra_headers={"X-Threadkeep-Session": "s"},
            )
            next(iter(stream))
        else:
            stream = client.responses.create(model="m", input="a", conversation="s", stream=True)
            for arrived in stream:
                if getattr(arrived, "delta", "") == "lo":
                    break
        stream.close()
        wait_for(lambda: memory.responses.list())
        assert upstream.gone.wait(15)
    assert texts(memory, "s") == [
        ("user", "before", None),
        ("user", "a", None),
        ("assistant", "Hello", "incomplete"),
    ]
    assert [response.status for response in memory.responses.list()] == ["incomplete"]


def test_a_silent_upstream_holds_no_client_that_is_gone(proxied, memory):
    silent = threading.Event()

    def behave(handler, body):
        start(handler)
        response_start(handler)
        silent.wait(15)

    with misbehaving(behave) as upstream:
        _, client = proxied(upstream.url)
        stream = client.responses.create(model="m", input="a", stream=True)
        for arrived in stream:
            if getattr(arrived, "delta", "") == "lo":
                break
        stream.close()
        wait_for(lambda: memory.responses.list())
        silent.set()
    (stored,) = memory.responses.list()
    assert (stored.status, stored.text) == ("incomplete", "Hello")


@pytest.mark.parametrize("begun", [False, True], ids=["at-once", "in-the-middle"])
def test_an_upstream_that_falls_silent_is_given_up(proxied, memory, begun):
    silent = threading.Event()

    def behave(handler, body):
        if begun:
            start(handler)
            response_start(handler)
        silent.wait(15)

    with misbehaving(behave) as upstream:
        _, client = proxied(upstream.url, limits=Limits(upstream_seconds=0.3))
        if begun:
            events = list(client.responses.create(model="m", input="a", stream=True))
            assert events[-1].type == "error"
        else:
            with pytest.raises(openai.InternalServerError) as failed:
                client.responses.create(model="m", input="a", stream=True)
            assert failed.value.status_code == 504
        silent.set()
    assert [stored.status for stored in memory.responses.list()] == ["incomplete"] * begun


def test_two_hundred_streams_at_once(proxied, memory):
    count = 200
    barrier = threading.Barrier(count)

    def behave(handler, body):
        start(handler)
        chat_chunk(handler, body["messages"][-1]["content"])
        barrier.wait(60)  # none ends before all have begun
        chat_chunk(handler, None, "stop")
        event(handler, "[DONE]")

    with misbehaving(behave) as upstream:
        door, _ = proxied(upstream.url)

        def ask(number):
            messages = [{"role": "user", "content": f"n{number}"}]
            body = {"model": "m", "stream": True, "messages": messages}
            headers = {
                "authorization": f"Bearer {door.ada}",
                "x-threadkeep-session": f"s{number}",
            }
            answer = httpx.post(
                f"{door.url}/v1/chat/completions", json=body, headers=headers, timeout=90
            )
            return answer.status_code, answer.text.count("[DONE]")

        with ThreadPoolExecutor(count) as pool:
            assert set(pool.map(ask, range(count))) == {(200, 1)}
    for number in range(count):
        stored = [item.text for item in memory.session(f"s{number}").items()]
        assert stored == [f"n{number}", f"n{number}"]
    assert memory.user("ada").responses.usage()["m"].responses == count


def test_without_an_upstream_the_model_is_501(client):
    for attempt in (
        client.models.list,
        lambda: client.responses.create(model="m", input="a"),
        lambda: client.chat.completions.create(model="m", messages=[]),
    ):
        with pytest.raises(openai.InternalServerError) as failed:
            attempt()
        assert failed.value.status_code == 501


def test_models_are_passed_through(proxied):
    def behave(handler, body):
        start(handler, 200, "application/json")
        listed = {"object": "list", "data": [{"id": "org/m", "object": "model"}]}
        one = handler.path == "/v1/models/org/m"
        handler.wfile.write(json.dumps(listed["data"][0] if one else listed).encode())

    with misbehaving(behave) as upstream:
        _, client = proxied(upstream.url)
        assert [model.id for model in client.models.list()] == ["org/m"]
        assert client.models.retrieve("org/m").id == "org/m"


def test_an_item_reference_is_refused(proxied):
    with ScriptedModel([]) as model:
        _, client = proxied(model.base_url)
        with pytest.raises(openai.BadRequestError, match="item_reference"):
            client.responses.create(model="m", input=[{"type": "item_reference", "id": "x"}])
        assert model.requests == []
