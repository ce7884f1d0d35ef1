"""Whose a session is, what is stale, what is stored once, and what a turn costs."""

from __future__ import annotations

import asyncio
import base64

import pytest
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from google.adk.sessions import DatabaseSessionService, InMemorySessionService, Session
from google.adk.sessions.base_session_service import GetSessionConfig
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

import threadkeep
from google_adk_threadkeep import ThreadkeepSessionService, stored_session_id
from google_adk_threadkeep.session_ids import address_of
from tests.backends.conftest import REQUIRED, STORES
from tests.engine.doubles import Counting
from tests.integrations.google_adk.conftest import APP, USER, WHO
from threadkeep.backends.encrypted import new_key
from threadkeep.backends.memory import MemoryBackend
from threadkeep.core import parts
from threadkeep.errors import ConfigError, InputError, NotOwner

CHAT = {**WHO, "session_id": "chat"}
STORED = stored_session_id(APP, USER, "chat")


def said(text, author="guide", **delta):
    content = types.Content(role="model", parts=[types.Part(text=text)])
    actions = EventActions(state_delta=delta)
    return Event(author=author, content=content, invocation_id="i", actions=actions)


def create(service, **options):
    return asyncio.run(service.create_session(**{**CHAT, **options}))


def get(service, **config):
    asked = GetSessionConfig(**config) if config else None
    return asyncio.run(service.get_session(**CHAT, config=asked))


def append(service, session, event):
    return asyncio.run(service.append_event(session, event))


names = st.text(min_size=1, max_size=8) | st.text("a/%2F", min_size=1, max_size=8)


@given(st.lists(st.tuples(names, names, names), min_size=2, max_size=2, unique=True))
def test_no_two_sessions_share_a_stored_id(addresses):
    first, second = (stored_session_id(*address) for address in addresses)
    assert first != second
    assert [address_of(id) for id in (first, second)] == addresses


@pytest.mark.parametrize("user", ["", None, b"ada", True])
def test_a_user_without_an_id_is_refused(service, user):
    for call in (
        service.create_session(app_name=APP, user_id=user),
        service.get_session(app_name=APP, user_id=user, session_id="chat"),
        service.get_user_state(app_name=APP, user_id=user),
        service.delete_session(app_name=APP, user_id=user, session_id="chat"),
    ):
        with pytest.raises(ConfigError, match="user_id must be"):
            asyncio.run(call)


def test_a_stored_id_that_another_user_took_is_not_opened(service, memory):
    memory.session(STORED, user="mallory").add("mine")
    for call in (
        service.get_session(**CHAT),
        service.delete_session(**CHAT),
    ):
        with pytest.raises(NotOwner):
            asyncio.run(call)
    assert asyncio.run(service.list_sessions(**WHO)).sessions == []


def test_state_that_another_user_planted_is_not_read(service, memory):
    planted = {"google_adk": {"state": {"role": "admin"}}}
    for id in ("guide//state", "guide//state/ada"):
        memory.session(id, user="mallory", metadata=planted).add("x")
    assert create(service).state == {}
    assert asyncio.run(service.get_user_state(**WHO)) == {}
    with pytest.raises(NotOwner):
        append(service, get(service), said("x", **{"app:a": 1}))


def test_a_session_id_is_taken_once(service, memory):
    create(service, state={"a": 1})
    with pytest.raises(AlreadyExistsError):
        create(service, state={"a": 2, "user:a": 2})
    assert get(service).state == {"a": 1}
    assert create(service, session_id=None).id != create(service, session_id=" ").id


def test_many_who_create_one_session_at_once_make_one(memory):
    service = ThreadkeepSessionService(memory)

    async def race():
        calls = (service.create_session(**CHAT, state={"by": n}) for n in range(8))
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(race())
    made = [outcome for outcome in outcomes if isinstance(outcome, Session)]
    assert len(made) == 1
    assert {type(o) for o in outcomes if o not in made} == {AlreadyExistsError}
    assert get(service).state == made[0].state


def test_state_that_many_sessions_of_a_user_write_at_once_is_all_there(service):
    async def write(number):
        where = {**WHO, "session_id": f"s{number}"}
        session = await service.create_session(**where, state={f"user:a{number}": 1})
        await service.append_event(session, said("x", **{f"user:b{number}": 2, f"app:{number}": 3}))

    async def all_of_them():
        await asyncio.gather(*(write(number) for number in range(8)))

    asyncio.run(all_of_them())
    numbers = [(f"a{n}", 1) for n in range(8)] + [(f"b{n}", 2) for n in range(8)]
    assert asyncio.run(service.get_user_state(**WHO)) == dict(numbers)
    state = create(service).state
    assert {key for key in state if key.startswith("app:")} == {f"app:{n}" for n in range(8)}


class TestStale:
    """As ADK's database service: an append to what others changed since is refused."""

    @pytest.fixture(params=["ours", "theirs"])
    def either(self, request, tmp_path):
        if request.param == "theirs":
            service = DatabaseSessionService(f"sqlite+aiosqlite:///{tmp_path}/adk.db")
            yield service
            asyncio.run(service.close())
            return
        with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db") as memory:
            yield ThreadkeepSessionService(memory)

    def test_the_later_of_two_writers_is_refused_and_nothing_of_it_is_stored(self, either):
        async def program():
            await either.create_session(**CHAT)
            one = await either.get_session(**CHAT)
            other = await either.get_session(**CHAT)
            await either.append_event(one, said("first"))
            late = said("late", a=1, **{"app:a": 1, "user:a": 1})
            with pytest.raises(StaleSessionError):
                await either.append_event(other, late)
            fresh = await either.get_session(**CHAT)
            assert [e.content.parts[0].text for e in fresh.events] == ["first"]
            assert fresh.state == {}
            await either.append_event(fresh, late)
            assert (await either.get_session(**CHAT)).state["user:a"] == 1

        asyncio.run(program())

    def test_an_object_that_no_service_read_is_known_by_its_last_event(self, either):
        async def program():
            session = await either.create_session(**CHAT)
            event = said("first")
            await either.append_event(session, event)
            made = Session(app_name=APP, user_id=USER, id="chat", events=[event])
            await either.append_event(made, said("second"))
            old = Session(app_name=APP, user_id=USER, id="chat", events=[event])
            with pytest.raises(StaleSessionError):
                await either.append_event(old, said("third"))

        asyncio.run(program())


def test_a_title_or_a_recorded_response_makes_nothing_stale(service, memory):
    session = create(service)
    append(service, session, said("one"))
    memory.session(STORED).update(title="Trams")
    memory.responses.add({"id": "r1", "output": [], "conversation": STORED})
    append(service, session, said("two"))
    assert len(get(service).events) == 2
    assert memory.session(STORED).info().title == "Trams"


def test_what_another_framework_adds_or_takes_back_makes_a_session_stale(service, memory):
    session = create(service)
    append(service, session, said("one"))
    memory.session(STORED).add("by another framework")
    with pytest.raises(StaleSessionError):
        append(service, session, said("two"))
    session = get(service)
    memory.session(STORED).rewind(last=1)
    with pytest.raises(StaleSessionError):
        append(service, session, said("two"))


def test_a_session_that_began_anew_is_another(service):
    session = create(service)
    append(service, session, said("one"))
    asyncio.run(service.delete_session(**CHAT))
    with pytest.raises(SessionNotFoundError):
        append(service, session, said("two"))
    append(service, create(service), said("one of the new"))
    with pytest.raises(StaleSessionError):
        append(service, session, said("two"))


def test_an_event_whose_answer_was_lost_is_stored_once(service):
    create(service)
    lost, event = get(service), said("one", a=1)
    append(service, lost, event.model_copy(deep=True))
    again = get(service, num_recent_events=0)
    append(service, again, event)
    append(service, again, said("two"))
    assert [e.content.parts[0].text for e in get(service).events] == ["one", "two"]


def test_two_events_of_one_id_are_both_stored(service):
    session = create(service)
    first, second = said("one"), said("two")
    second.id = first.id
    append(service, session, first)
    append(service, session, second)
    assert get(service).events == [first, second]


def test_what_cannot_be_stored_is_refused_and_changes_nothing(service):
    session = create(service, state={"a": 1})
    loop: list = []
    loop.append(loop)
    event = said("x", a=2)
    event.custom_metadata = {"loop": loop}
    with pytest.raises(InputError, match="event cannot be stored as JSON"):
        append(service, session, event)
    assert get(service).state == {"a": 1}
    assert get(service).events == []


def test_a_partial_event_is_not_stored(service):
    session, event = create(service), said("so f")
    event.partial = True
    assert append(service, session, event) is event
    assert session.events == get(service).events == []


def test_temporary_state_reaches_the_object_and_no_store(service, memory):
    session = create(service)
    append(service, session, said("x", **{"temp:a": "secret-temp", "b": 1}))
    assert session.state == {"temp:a": "secret-temp", "b": 1}
    assert get(service).state == {"b": 1}
    assert "secret-temp" not in memory.user(USER).export()


def test_large_parts_come_back_whole(service):
    data = base64.b64decode(base64.b64encode(bytes(range(256)) * 2_000))
    part = types.Part(inline_data=types.Blob(data=data, mime_type="image/png"))
    answer = types.FunctionResponse(id="c", name="report", response={"result": "long " * 50_000})
    parts = [part, types.Part(function_response=answer), types.Part(text="text " * 50_000)]
    event = Event(author="user", content=types.Content(role="user", parts=parts))
    append(service, create(service), event)
    assert get(service).events == [event]


def test_a_session_is_exported_and_restored_with_its_state(service, memory):
    append(service, create(service, state={"a": 1, "user:b": 2}), said("one"))
    exported, before = memory.user(USER).export(), get(service)
    memory.user(USER).forget()
    assert get(service) is None
    memory.user(USER).restore(exported)
    assert get(service).model_dump() == before.model_dump()


def test_a_forgotten_message_is_gone_from_the_event(service, memory):
    append(service, create(service), said("secret-word"))
    chat = memory.session(STORED)
    chat.forget(chat.items()[0].id)
    assert get(service).events == []
    assert "secret-word" not in memory.user(USER).export()


def test_an_edited_message_is_what_adk_reads(service, memory):
    append(service, create(service), said("wrong"))
    chat = memory.session(STORED)
    chat.replace(chat.items()[0].id, {"role": "assistant", "content": "right"})
    (event,) = get(service).events
    assert (event.content.role, event.content.parts[0].text) == ("model", "right")


def test_an_event_that_is_too_large_is_cut_and_counted(monkeypatch, service, memory):
    monkeypatch.setattr(parts, "MAX_MESSAGE", 1_000_000)
    session = create(service)
    append(service, session, said("word " * 400_000, a=1))
    append(service, session, said("more"))
    first, second = get(service).events
    assert first.content.parts[0].text.startswith("word word")
    assert "left out" in first.content.parts[0].text
    assert second.content.parts[0].text == "more"
    assert get(service).state == {"a": 1}
    assert memory.session(STORED).items()[0].metadata["left_out"]["parts"] == 1


def test_a_store_that_keeps_nothing_stops_no_run():
    with threadkeep.connect("none://") as memory:
        service = ThreadkeepSessionService(memory)
        session = create(service, state={"a": 1})
        append(service, session, said("one", b=2, **{"app:c": 3}))
        assert (session.state, len(session.events)) == ({"a": 1, "b": 2, "app:c": 3}, 1)
        assert get(service) is None


def test_what_is_redacted_is_neither_stored_nor_told_and_stored_once():
    def redactor(text, kind):
        return text.replace("nut", "***")

    with threadkeep.connect("memory://", redactor=redactor) as memory:
        service = ThreadkeepSessionService(memory)
        create(service)
        lost, event = get(service), said("no nuts", food="nuts")
        append(service, lost, event.model_copy(deep=True))
        append(service, get(service, num_recent_events=0), event)
        session = get(service)
        assert [e.content.parts[0].text for e in session.events] == ["no ***s"]
        assert session.state == {"food": "***s"}
        assert "nut" not in memory.user(USER).export()


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_names_of_any_length_are_listed(tmp_path, is_encrypted):
    options = {"key": new_key()} if is_encrypted else {}
    app, user = "app/" * 300, "user%" * 200
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db", **options) as memory:
        service = ThreadkeepSessionService(memory)
        for name in (app, "guide"):
            create(service, app_name=name, user_id=user, state={"user:a": name})
        for who in ({"app_name": app}, {"app_name": app, "user_id": user}):
            (session,) = asyncio.run(service.list_sessions(**who)).sessions
            assert (session.user_id, session.id) == (user, "chat")
            assert session.state == {"user:a": app}


@pytest.mark.parametrize("length", [100, 10_000])
def test_the_cost_of_a_turn_does_not_grow_with_the_session(length):
    backend = Counting(MemoryBackend())
    with threadkeep.Memory(backend) as memory:
        service = ThreadkeepSessionService(memory)
        create(service, state={"a": 1, "user:a": 1, "app:a": 1})
        messages = [
            {"role": ("user", "assistant")[n % 2], "content": f"m{n}"} for n in range(length)
        ]
        memory.session(STORED).add(*messages)
    with threadkeep.Memory(backend) as memory:  # another process: nothing is cached
        service = ThreadkeepSessionService(memory, window={"max_messages": 10})
        backend.reset()
        session = get(ThreadkeepSessionService(memory), num_recent_events=10)
        assert (len(session.events), backend.reads) == (10, 1)
        assert backend.records <= 15
        backend.reset()
        append(service, session, said("more", b=1))
        assert backend.reads <= 2
        assert backend.records <= 5
        assert len(backend.commits) <= 2
        backend.reset()
        assert 5 <= len(get(service).events) <= 10
        assert backend.records <= 200
        backend.reset()
        recent = get(ThreadkeepSessionService(memory), after_timestamp=session.last_update_time + 1)
        assert recent.events == []
        assert backend.records <= 60


@pytest.fixture(params=["postgres", "mysql", "redis", "redis-cluster", "mongodb"])
def server(request, tmp_path):
    try:
        backend = STORES[request.param](tmp_path).open()
    except pytest.skip.Exception:
        assert request.param not in REQUIRED, "promised by THREADKEEP_TEST_REQUIRE"
        raise
    with threadkeep.Memory(backend, owned=True) as memory:
        yield memory


@pytest.mark.proves("D22")
@pytest.mark.slow
def test_every_server_holds_sessions_as_the_in_memory_service_does(server):
    services = ThreadkeepSessionService(server), InMemorySessionService()
    stamp = 1_000_000.0
    for service in services:
        session = create(service, state={"a": None, "app:a": [1], "user:a": {"b": "é\x01"}})
        for number in range(3):
            event = said(f"event {number}", **{"a": number, "app:n": number, "temp:x": 1})
            event.id, event.timestamp = f"e{number}", stamp + number
            append(service, session, event)
        asyncio.run(service.create_session(**{**CHAT, "user_id": "bob"}, state={"user:b": 1}))
    ours, theirs = (get(service) for service in services)
    assert ours.model_dump() == theirs.model_dump()
    ours, theirs = (get(service, num_recent_events=2) for service in services)
    assert ours.events == theirs.events
    ours, theirs = (asyncio.run(s.list_sessions(app_name=APP)).sessions for s in services)
    assert sorted((s.user_id, s.id, str(s.state)) for s in ours) == sorted(
        (s.user_id, s.id, str(s.state)) for s in theirs
    )
    stale = get(services[0])
    append(services[0], get(services[0]), said("newer"))
    with pytest.raises(StaleSessionError):
        append(services[0], stale, said("late"))
    asyncio.run(services[0].delete_session(**CHAT))
    assert get(services[0]) is None


def test_retention_keeps_the_newest_events_and_makes_nothing_stale(tmp_path):
    with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db", retain={"max_messages": 4}) as memory:
        service = ThreadkeepSessionService(memory)
        session = create(service, state={"a": 0})
        for number in range(20):
            append(service, session, said(f"event {number}", a=number))
        texts = [event.content.parts[0].text for event in get(service).events]
        assert texts == [f"event {number}" for number in range(20)][-len(texts) :]
        assert 4 <= len(texts) < 20
        assert get(service).state == {"a": 19}
        append(service, get(service), said("more"))
