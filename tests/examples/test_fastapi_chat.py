"""The example of an application for production, over real HTTP."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from examples.fastapi_chat import create_app
from examples.fastapi_chat.settings import Settings
from tests.serve.running import serving
from tests.serve.upstreams import chat_chunk, misbehaving, start
from tests.servers import postgres
from tests.servers.signals import signal_all
from threadkeep import connect
from threadkeep.testing import ScriptedLearner, ScriptedModel

KEYS = {"key-of-ada": "ada", "key-of-bob": "bob"}
SLACK = 1.0  # of a loaded machine, in seconds


def of(user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key-of-{user}"}


@contextmanager
def served(url: str, model_url: str, monkeypatch: pytest.MonkeyPatch, **how: Any) -> Iterator[Any]:
    """A client of the running application, as ada."""
    monkeypatch.setenv("OPENAI_BASE_URL", model_url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    application = create_app(Settings(url, KEYS, **how))
    with serving(application) as base, httpx.Client(base_url=base, headers=of("ada")) as client:
        yield client


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path}/chat.db"


@pytest.fixture
def client(store, monkeypatch):
    def answer(request):
        return f"You said {request['messages'][-1]['content']}, {len(request['messages'])}."

    with ScriptedModel(answer) as model, served(store, model.base_url, monkeypatch) as client:
        yield client


def say(client, text, chat="c", user="ada", **fields):
    path = f"/chats/{chat}/messages"
    return client.post(path, json={"text": text, **fields}, headers=of(user), timeout=30)


def messages(client, chat="c"):
    page = client.get(f"/chats/{chat}/messages").json()
    return [(line["role"], line["text"]) for line in page["messages"]]


def test_a_chat_is_answered_with_what_was_said_before(client):
    assert say(client, "hello").text == "You said hello, 2."
    assert say(client, "more").text == "You said more, 4."
    assert messages(client)[-1] == ("assistant", "You said more, 4.")
    assert [chat["id"] for chat in client.get("/chats").json()["chats"]] == ["c"]


def test_pages_lead_on(client):
    for n in range(5):
        say(client, f"q{n}")
    texts, after = [], None
    while True:
        params = {"limit": 3, **({} if after is None else {"after": after})}
        page = client.get("/chats/c/messages", params=params).json()
        texts += [line["text"] for line in page["messages"] if line["role"] == "user"]
        after = page["next"]
        if after is None:
            break
    assert texts == [f"q{n}" for n in range(5)]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_another_user_s_chat_is_forbidden(client, method):
    say(client, "a secret")
    path = "/chats/c" if method == "DELETE" else "/chats/c/messages"
    body = {"text": "hi"} if method == "POST" else None
    refusal = client.request(method, path, json=body, headers=of("bob"))
    assert refusal.status_code == 403
    assert "secret" not in refusal.text
    assert messages(client)[0] == ("user", "a secret")


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer no", "Basic key-of-ada", "Bearer k\xe9y"])
def test_without_a_key_nothing_is_told(client, key):
    say(client, "a secret")
    refusal = client.get("/chats/c/messages", headers={"Authorization": key.encode("latin-1")})
    assert refusal.status_code == 401


def test_a_repeated_request_doubles_nothing(client):
    for _ in range(2):
        assert say(client, "hello", id="m1").status_code == 200
    assert [text for role, text in messages(client) if role == "user"] == ["hello"]


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": 5}, {"text": "x" * 100_001}])
def test_a_bad_body_is_refused_and_stores_nothing(client, body):
    assert client.post("/chats/c/messages", json=body).status_code == 422
    assert messages(client) == []


def test_deleting_and_forgetting(client, store):
    say(client, "hello")
    say(client, "hello", chat="d")
    assert client.delete("/chats/c").status_code == 204
    assert messages(client) == []
    receipt = client.delete("/me").json()
    assert receipt["records"] > 0
    assert messages(client, "d") == []
    with connect(store) as memory:
        assert list(memory.sessions()) == []


def test_what_a_worker_has_learned_is_in_the_prompt_and_can_be_forgotten(store, monkeypatch):
    def answer(request):
        return "I know." if "allergic" in request["messages"][0]["content"] else "Noted."

    with ScriptedModel(answer) as model, served(store, model.base_url, monkeypatch) as client:
        assert say(client, "By the way, I am allergic to nuts.").text == "Noted."
        learner = ScriptedLearner({"nuts": "The user is allergic to nuts"})
        with connect(store, llm=learner) as worker:
            worker.extract()
        [fact] = client.get("/me/facts").json()["facts"]
        assert say(client, "What may I eat?", chat="d").text == "I know."
        assert client.delete(f"/me/facts/{fact['id']}").status_code == 204
        assert client.get("/me/facts").json()["facts"] == []
        assert say(client, "What may I eat?", chat="e").text == "Noted."


def until(true, seconds=15):
    ends_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def test_an_answer_whose_reader_has_gone_is_stored_as_far_as_it_came(store, monkeypatch):
    def behave(handler, body):
        start(handler)
        for n in range(2_000):
            chat_chunk(handler, f"word{n} ")
            time.sleep(0.01)

    with misbehaving(behave) as model, served(store, model.url, monkeypatch) as client:
        with client.stream("POST", "/chats/c/messages", json={"text": "hello"}) as stream:
            assert next(stream.iter_text()).startswith("word0")
        until(lambda: len(messages(client)) == 2)
        assert messages(client)[1][1].startswith("word0 ")
        assert model.gone.wait(10), "the model goes on for nobody"
        with connect(store) as memory:
            assert memory.session("c", user="ada").items()[1].metadata == {"status": "incomplete"}


@pytest.mark.slow
@pytest.mark.proves("D10")
@pytest.mark.parametrize("trouble", ["kill", "stop"])
def test_a_store_that_dies_under_the_application(monkeypatch, trouble):
    """Readiness answers within a second, no request hangs, and it recovers without a restart."""
    server = postgres.Postgres()
    try:
        with ScriptedModel(lambda _: "Yes.") as model:
            how = {"timeout": 5.0, "pool_size": 4}
            with served(server.url(), model.base_url, monkeypatch, **how) as client:
                assert say(client, "before").status_code == 200
                signal_or_kill(server, trouble)
                with ThreadPoolExecutor(12) as pool:
                    asked = [pool.submit(timed, say, client, f"during{n}") for n in range(6)]
                    asked += [pool.submit(timed, client.get, "/chats/c/messages", timeout=30)] * 2
                    for _ in range(3):
                        seconds, probe = timed(client.get, "/ready")
                        assert probe.status_code == 503
                        assert seconds < 1 + SLACK
                    assert timed(client.get, "/live")[1].status_code == 200
                    answers = [request.result(30) for request in asked]
                assert {answer.status_code for _, answer in answers} == {503}
                assert all("5432" not in answer.text for _, answer in answers)
                assert max(seconds for seconds, _ in answers) < how["timeout"] + 2 + SLACK
                revive(server, trouble)
                until(lambda: client.get("/ready").status_code == 200, 30)
                assert say(client, "after").text == "Yes."
                stored = [text for role, text in messages(client) if role == "user"]
                assert stored[0] == "before"
                assert stored[-1] == "after"
    finally:
        server.instance.remove()


def timed(call, *args, **how):
    started_at = time.monotonic()
    answer = call(*args, **how)
    return time.monotonic() - started_at, answer


def signal_or_kill(server, trouble):
    if trouble == "kill":
        server.kill()
    else:
        signal_all(server, signal.SIGSTOP)


def revive(server, trouble):
    if trouble == "kill":
        server.start()
    else:
        signal_all(server, signal.SIGCONT)
