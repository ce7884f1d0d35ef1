"""Long-term memory by configuration: whose it is, where it is kept, and how long it lives."""

from __future__ import annotations

import json
import threading
from urllib.parse import unquote, urlsplit

import pytest

from tests.servers import postgres
from tests.servers.instances import fresh_table
from threadkeep.core.settings import SWEEP_GRACE
from threadkeep.errors import ConfigError, NotOwner
from threadkeep.longterm import summaries
from threadkeep.longterm.markers import is_injected
from threadkeep.service import HistoryService
from threadkeep.service.settings import parse_settings
from threadkeep.testing import ScriptedModel
from threadkeep.types.knowledge import Summary
from threadkeep.types.versions import generation_of

LLM = {"model": "gpt-5", "api_key": "hunter2", "base_url": "http://127.0.0.1:9/v1"}


@pytest.fixture
def remember(serve, provider):
    """Makes services on the one store that remember users."""

    def make(identifier=None, *, store=None, life=None, **keys):
        config = {
            "llm_config": LLM,
            **({} if store is None else {"store_config": store}),
            **({} if life is None else {"summary_time_to_live": life}),
        }
        return serve(
            provider,
            identifier,
            enable_long_term_memory=True,
            long_term_memory_config=config,
            **keys,
        )

    return make


def sum_up(service, session, text):
    """Store a summary, as extraction does."""
    chat = service.memory.session(session)
    seen = chat._stream.read()
    summaries.write(
        chat._engine,
        summaries.load(chat._engine, session),
        Summary(session, text, last_seq=chat.items(last=1)[0].seq),
        generation=generation_of(seen.version),
        user=seen.info.user,
    )


@pytest.mark.proves("A12")
@pytest.mark.proves("A30")
def test_facts_instructions_and_summary_are_told_apart_from_the_history(remember):
    service = remember()
    service.store_history("s", "user", "I am Ada", identity="ada")
    ada = service.memory.user("ada")
    ada.facts.add("Ada has a cat")
    ada.instructions.add("Be brief", priority="preference")
    ada.instructions.add("Answer in French")
    ada.instructions.add("Show diffs", agent="coder")
    ada.instructions.add("Not today", session="other")
    sum_up(service, "s", "Ada said who she is.")
    assert service.get_facts("s", identity="ada") == ["Ada has a cat"]
    assert service.get_instructions("s", identity="ada") == ["Answer in French", "Be brief"]
    assert service.get_summary("s", identity="ada") == "Ada said who she is."
    context = service.get_context("s", identity="ada")
    for text in ("Ada has a cat", "Answer in French", "Be brief", "Ada said who she is."):
        assert f"- {text}" in context
    assert "diffs" not in context
    assert "today" not in context
    assert service.get_history("s") == [{"role": "user", "content": "I am Ada"}]


def test_a_context_is_as_long_as_it_may_be_and_names_files_if_asked(remember):
    service = remember()
    service.store_history("s", "user", "hello", identity="ada")
    service.store_file("s", {"name": "report.csv"})
    service.memory.user("ada").facts.add("Ada has a cat")
    assert "report.csv" not in service.get_context("s")
    assert "report.csv" in service.get_context("s", "ada", files=True)
    assert service.get_context("s", "ada", max_tokens=10) == ""


@pytest.mark.proves("A12")
def test_a_context_tells_what_was_said_before_about_a_query(remember):
    service = remember("web")
    service.store_history("old", "user", "I visited the tram museum in Porto", identity="ada")
    service.store_history("bobs", "user", "I hate the tram museum", identity="bob")
    service.store_history("new", "user", "Which tram museum did I see?", identity="ada")
    context = service.get_context("new", "ada", query="Which tram museum did I see?")
    assert "user: I visited the tram museum in Porto" in context
    assert "hate" not in context
    assert "did I see" not in context
    assert service.get_context("new", "ada") == ""


@pytest.mark.proves("A26")
def test_it_is_off_unless_it_is_switched_on(serve, provider):
    service = serve(provider)
    service.store_history("s", "user", "hello", identity="ada")
    service.memory.user("ada").facts.add("Ada has a cat")
    service.memory.user("ada").instructions.add("Answer in French")
    assert service.get_context("s") == ""
    assert service.get_facts("s") == service.get_instructions("s") == []
    assert service.get_summary("s") == ""


@pytest.mark.proves("A2")
@pytest.mark.proves("A30")
@pytest.mark.parametrize("where", ["beside the histories", "elsewhere"])
def test_it_is_the_users_whatever_the_identifier(remember, provider, tmp_path, where):
    if provider["type"] == "memory":
        pytest.skip("each service has a memory of its own")
    store = {"type": "sqlite", "path": str(tmp_path / "users.db")} if where == "elsewhere" else None
    web, chat = remember("web", store=store), remember("chat", store=store)
    for service in (web, chat):
        service.store_history("s", "user", "hello", identity="ada")
    web.memory.user("ada").facts.add("Ada has a cat")
    sum_up(web, "s", "In the web.")
    assert chat.get_facts("s", "ada") == ["Ada has a cat"]
    assert "Ada has a cat" in chat.get_context("s", "ada")
    assert web.get_summary("s", "ada") == "In the web."
    assert chat.get_summary("s", "ada") == "", "sessions are an identifier's own"
    web.close()
    again = remember("web", store=store)
    assert again.get_facts("s", "ada") == ["Ada has a cat"]
    assert again.get_summary("s", "ada") == "In the web."


@pytest.mark.proves("A29")
@pytest.mark.parametrize("identifier", ["default", "web"])
def test_its_store_may_be_the_database_of_the_histories(remember, provider, identifier):
    service = remember(identifier, store=provider, time_to_live=0)
    service.store_history("s", "user", "hello", identity="ada")
    service.memory.user("ada").facts.add("Ada has a cat")
    sum_up(service, "s", "Hello was said.")
    service.memory.sweep()
    assert service.get_history("s") == [{"role": "user", "content": "hello"}]
    assert service.get_facts("s", "ada") == ["Ada has a cat"]
    assert service.get_summary("s") == "Hello was said."
    service.memory.session("s").delete()
    assert service.get_history("s") == []
    assert service.get_summary("s") == ""
    assert service.get_facts("new", "ada") == ["Ada has a cat"]


OTHERS = {
    "a class name": {"type": "Plain", "module_path": "tests.service.shelves"},
    "custom": {"type": "custom", "module_path": "tests.service.shelf"},
    "memory": {"type": "memory"},
    "nothing": {"type": "none"},
}


@pytest.mark.proves("A29")
@pytest.mark.parametrize("store", OTHERS.values(), ids=OTHERS)
def test_its_store_may_be_any_provider(remember, store):
    service = remember(store=store)
    service.store_history("s", "user", "hello", identity="ada")
    service.memory.user("ada").facts.add("Ada has a cat")
    assert service.get_facts("s", "ada") == ([] if store["type"] == "none" else ["Ada has a cat"])
    assert service.memory._engine.longterm.backend is not service.memory._engine.backend


@pytest.mark.proves("A27")
@pytest.mark.parametrize("store", [None, {"type": "memory"}], ids=["beside", "elsewhere"])
def test_a_summary_is_forgotten_when_nobody_asks_for_it(remember, clock, store):
    service = remember(life=1_000, store=store, time_to_live=60)
    service.store_history("s", "user", "hello", identity="ada")
    sum_up(service, "s", "Hello was said.")
    for ask in (service.get_summary, service.get_context):
        clock.now += 900
        assert service.get_history("s") == [], "the history went long before"
        assert "Hello was said." in ask("s", "ada")
    clock.now += 1_000
    assert service.get_summary("s", "ada") == ""
    clock.now += SWEEP_GRACE
    assert service.memory.sweep() > 0


@pytest.mark.proves("A27")
def test_a_summary_lives_five_days_unless_told_otherwise(remember, clock):
    service = remember(time_to_live=60)
    service.store_history("s", "user", "hello", identity="ada")
    sum_up(service, "s", "Hello was said.")
    clock.now += 431_000
    assert service.get_summary("s", "ada") == "Hello was said."
    clock.now += 432_000
    assert service.get_summary("s", "ada") == ""


@pytest.mark.proves("A27")
def test_a_summary_may_live_for_ever(remember, clock):
    service = remember(life=0, time_to_live=60)
    service.store_history("s", "user", "hello", identity="ada")
    sum_up(service, "s", "Hello was said.")
    clock.now += 1e8
    assert service.get_summary("s", "ada") == "Hello was said."


@pytest.mark.proves("A31")
def test_without_a_user_a_session_remembers_for_itself(remember, clock):
    service = remember(time_to_live=100)
    for session in ("one", "two"):
        service.store_history(session, "user", "hello")
    service.memory.session("one").facts.add("Somebody has a cat")
    assert service.get_facts("one") == ["Somebody has a cat"]
    assert "Somebody has a cat" in service.get_context("one")
    assert service.get_facts("two") == []
    assert service.get_context("two") == service.get_context("three") == ""
    clock.now += 100
    assert service.get_facts("one") == [], "it goes with its session"


def test_another_user_is_refused(remember):
    service = remember()
    service.store_history("s", "user", "hello", identity="ada")
    service.memory.user("ada").facts.add("Ada has a cat")
    for ask in (service.get_context, service.get_summary):
        with pytest.raises(NotOwner):
            ask("s", "bob")
    assert service.get_facts("s", "bob") == service.get_instructions("s", "bob") == []


@pytest.mark.proves("A2")
def test_another_long_term_memory_is_another_configuration(remember, provider):
    service = remember("web", life=5)
    with pytest.raises(ConfigError, match="summary_time_to_live"):
        remember("web", life=6)
    with pytest.raises(ConfigError, match="store_config"):
        remember("web", life=5, store={"type": "memory"})
    with pytest.raises(ConfigError, match="enable_long_term_memory"):
        HistoryService(provider, "web")
    assert remember("web", life=5) is service
    with pytest.raises(ConfigError, match="llm_config") as refused:
        HistoryService(
            {
                **provider,
                "enable_long_term_memory": True,
                "long_term_memory_config": {
                    "summary_time_to_live": 5,
                    "llm_config": {**LLM, "api_key": "another"},
                },
            },
            "web",
        )
    assert "hunter2" not in str(refused.value)


@pytest.mark.proves("A28")
def test_the_environment_is_asked_for_keys(monkeypatch):
    monkeypatch.setenv("MODEL", "gpt-5")
    monkeypatch.setenv("KEY", "hunter2")
    settings = parse_settings(
        {
            "enable_long_term_memory": "${ON, true}",
            "long_term_memory_config": {
                "summary_time_to_live": "${LIFE, 60}",
                "llm_config": {"model": "${MODEL}", "api_key": "${KEY}", "base_url": "${URL, x}"},
                "store_config": {"type": "sqlite", "path": "${FOLDER, here}/users.db"},
            },
        }
    )
    assert settings.longterm is not None
    assert settings.longterm.store is not None
    assert settings.longterm.llm == {"model": "gpt-5", "api_key": "hunter2", "base_url": "x"}
    assert settings.longterm.summary_ttl == 60
    assert settings.longterm.store.options == {"path": "here/users.db"}


def test_no_secret_is_shown(remember):
    service = remember()
    shown = f"{service!r} {service.memory!r} {service.memory._engine.settings!r}"
    assert "hunter2" not in shown


@pytest.mark.parametrize("store", [None, {"type": "custom", "module_path": "tests.service.shelf"}])
def test_closing_closes_everything(remember, store):
    service = remember("web", store=store)
    service.store_history("s", "user", "hello", identity="ada")
    service.get_context("s")
    engine = service.memory._engine
    service.close()
    assert engine.closed
    assert engine.longterm.closed
    assert not [one for one in threading.enumerate() if one.name.startswith("threadkeep")]
    assert remember("web", store=store) is not service


LEARNED = {
    "facts": [{"text": "Ada is allergic to nuts", "items": [1]}],
    "instructions": [{"text": "Answer in French", "items": [1], "priority": "explicit"}],
    "summary": {"text": "Ada said what she is allergic to.", "topics": []},
}


@pytest.mark.proves("A28")
@pytest.mark.proves("A30")
def test_users_are_learned_from_what_they_say(serve, provider):
    with ScriptedModel(lambda _: json.dumps(LEARNED)) as model:
        llm = {"model": "gpt-5-mini", "api_key": "hunter2", "base_url": model.base_url}
        service = serve(
            provider,
            enable_long_term_memory=True,
            long_term_memory_config={"llm_config": llm},
        )
        service.store_history(
            "s", "user", "I am allergic to nuts. Answer in French.", identity="ada"
        )
        service.store_history("s", "assistant", "I will remember that.", identity="ada")
        service.memory.extract()
        assert model.requests[0]["model"] == "gpt-5-mini"
        assert service.get_facts("new", "ada") == ["Ada is allergic to nuts"]
        assert service.get_instructions("new", "ada") == ["Answer in French"]
        assert service.get_facts("new", "bob") == service.get_instructions("new", "bob") == []
        assert service.get_summary("s", "ada") == "Ada said what she is allergic to."
        context = service.get_context("s", "ada")
        service.store_history("s", "assistant", context, identity="ada")
        service.memory.extract()
        assert not any(is_injected(json.dumps(request)) for request in model.requests)
        service.close()


@pytest.mark.proves("A29")
@pytest.mark.proves("A30")
def test_postgresql_keeps_histories_and_users_side_by_side(serve):
    url = urlsplit(postgres.url())
    keys = {
        "db_type": "postgres",
        "sql_host": f"{url.hostname}:{url.port}",
        "sql_user": url.username,
        "sql_password": unquote(url.password or ""),
        "sql_database": url.path.strip("/"),
        "table_name": fresh_table(),
    }
    config = {"llm_config": LLM, "store_config": {"type": "sql", **keys}}
    on = {"enable_long_term_memory": True, "long_term_memory_config": config}
    service = serve({"type": "sql", **keys}, "web", **on)
    service.store_history("s", "user", "hello", identity="ada")
    service.memory.user("ada").facts.add("Ada has a cat")
    service.memory.user("ada").instructions.add("Answer in French")
    sum_up(service, "s", "Hello was said.")
    on["long_term_memory_config"] = {"llm_config": LLM}
    beside = serve({"type": "sql", **keys}, "chat", **on)
    for one in (service, beside):
        assert one.get_facts("t", "ada") == ["Ada has a cat"]
        assert one.get_instructions("t", "ada") == ["Answer in French"]
        assert "Ada has a cat" in one.get_context("t", "ada")
        assert one.get_context("t", "bob") == ""
    assert service.get_summary("s", "ada") == "Hello was said."
    assert beside.get_summary("s", "ada") == ""


def test_get_history_tells_what_is_remembered_if_asked(remember, serve, provider):
    service = remember()
    service.store_history("s", "user", "Hello", identity="ada")
    entries = [{"role": "user", "content": "Hello"}]
    assert service.get_history("s", {"identity": "ada"}, context=True) == entries
    service.memory.user("ada").facts.add("Ada is allergic to nuts")
    context, *rest = service.get_history("s", {"identity": "ada"}, context=True)
    assert rest == service.get_history("s", {"identity": "ada"}) == entries
    assert context == {"role": "history", "content": service.get_context("s", "ada")}
    assert "Ada is allergic to nuts" in context["content"]
    plain = serve(provider)
    plain.store_history("s", "user", "Hello", identity="ada")
    assert plain.get_history("s", identity="ada", context=True) == entries
