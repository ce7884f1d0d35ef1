"""Which model it is: what can be said, what is refused, and that no key is ever shown."""

from __future__ import annotations

import gc
import logging

import pytest

from tests.longterm.extraction.conftest import answer, fact
from threadkeep import HistoryService, connect
from threadkeep.errors import ConfigError
from threadkeep.longterm.settings import ExtractionSettings, parse_settings
from threadkeep.testing.model import ModelError

SECRET = "sk-very-secret"
NUTS = answer(fact("Ada is allergic to nuts", 1))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("llm", "said"),
    [
        ({"modle": "m"}, "no key 'modle'; did you mean 'model'"),
        ({"api_key": SECRET}, "needs a model"),
        ({"model": "m"}, "api_key.*OPENAI_API_KEY"),
        ({"model": 5, "api_key": SECRET}, "llm.model must be"),
        ({"model": "m", "api_key": 5}, "llm.api_key must be"),
        ({"model": "m", "api_key": SECRET, "base_url": 5}, "llm.base_url must be"),
        ({"model": "m", "api_key": SECRET, "every": 0}, "llm.every must be"),
        ({"model": "m", "api_key": SECRET, "timeout": 0}, "llm.timeout must be"),
        ({"model": "m", "api_key": SECRET, "summaries": "yes"}, "llm.summaries must be"),
        ({"call": 5}, "llm.call must be"),
        ({"call": print, "api_key": SECRET}, "contradict"),
        ("gpt-5", "llm must be a dict"),
    ],
)
def test_a_key_that_makes_no_sense_is_named_at_construction(llm, said):
    with pytest.raises(ConfigError, match=said) as error:
        connect("memory://", llm=llm)
    assert SECRET not in str(error.value)


@pytest.mark.proves("A28")
def test_a_missing_key_is_a_clear_error_at_construction():
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        connect("memory://", llm={"model": "gpt-5-mini"})
    learned = {"llm_config": {"model": "m"}, "store_config": {}}
    config = {"enable_long_term_memory": True, "long_term_memory_config": learned}
    with pytest.raises(ConfigError, match="api_key"):
        HistoryService(config, identifier="no key")


def test_key_and_place_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    found = parse_settings({"model": "m"})
    assert (found.api_key, found.base_url) == (SECRET, "http://127.0.0.1:9/v1")


@pytest.mark.proves("A28")
def test_any_openai_compatible_endpoint_does(learning):
    memory, model = learning([NUTS])
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert memory.extract().facts == 1
    assert model.requests[0]["model"] == "scripted"


def test_a_callable_is_a_model(opened):
    heard = []

    def model(messages):
        heard.append(messages)
        return NUTS

    memory = opened(llm={"call": model, "idle": 3_600})
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    report = memory.extract()
    assert (report.facts, report.calls) == (1, 1)
    assert report.prompt_tokens > 100
    assert [message["role"] for message in heard[0]] == ["system", "user"]
    assert memory.user("ada").facts.list()[0].extractor == "callable/2"


@pytest.mark.parametrize("wrong", [lambda messages: 5, lambda messages: 1 / 0])
def test_a_callable_that_fails_is_a_model_that_failed(opened, wrong):
    memory = opened(llm={"call": wrong, "idle": 3_600})
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    assert memory.extract().failures == 1


def test_a_key_that_changes_is_asked_for_each_time(serve, opened):
    keys = iter(["one", "two"])
    given = []

    def key():
        given.append(next(keys))
        return given[-1]

    model = serve(lambda request: answer())
    llm = {"model": "m", "api_key": key, "base_url": model.base_url, "idle": 3_600}
    memory = opened(llm=llm)
    for _ in range(2):
        memory.session("chat", user="ada").add("Hello")
        memory.extract()
    assert given == ["one", "two"]


def test_no_key_is_shown_in_a_repr_a_log_or_an_error(serve, opened, caplog):
    caplog.set_level(logging.DEBUG, "threadkeep")
    model = serve([ModelError(401, f"Incorrect API key provided: {SECRET}")])
    llm = {"model": "m", "api_key": SECRET, "base_url": model.base_url, "idle": 3_600}
    memory = opened(llm=llm)
    memory.session("chat", user="ada").add("Hello")
    report = memory.extract()
    shown = repr(
        (memory, memory._engine.settings, report, ExtractionSettings(model="m", api_key=SECRET))
    )
    assert SECRET not in shown + caplog.text
    assert report.errors == ("401 AuthenticationError",)


def test_the_client_is_closed_with_the_memory(learning):
    memory, _ = learning([NUTS])
    memory.session("chat", user="ada").add("I'm allergic to nuts.")
    memory.extract()
    memory.close()
    gc.collect()  # a client left open would warn, and a warning is an error here
    memory.close()
