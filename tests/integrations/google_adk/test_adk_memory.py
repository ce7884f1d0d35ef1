"""ADK's memory on recall and facts, beside its own in-memory service where both answer."""

from __future__ import annotations

import asyncio
import copy
import json

import pytest
from google.adk.events.event import Event
from google.adk.memory import InMemoryMemoryService
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions import Session
from google.adk.tools.preload_memory_tool import PreloadMemoryTool
from google.genai import types

import threadkeep
from google_adk_threadkeep import ThreadkeepMemoryService, stored_session_id
from tests.integrations.google_adk.conftest import APP, USER, WHO, ask, make_runner, said

BOB = {"app_name": APP, "user_id": "bob"}
OTHER = {"app_name": "other", "user_id": USER}


@pytest.fixture
def recall(memory):
    return ThreadkeepMemoryService(memory)


def event(text, author="user", **fields):
    role = "user" if author == "user" else "model"
    content = types.Content(role=role, parts=[types.Part(text=text)])
    return Event(author=author, content=content, invocation_id="i", **fields)


def search(service, query, **who):
    found = asyncio.run(service.search_memory(**(who or WHO), query=query)).memories
    return [entry.content.parts[0].text for entry in found]


def entries(service, query, **who):
    return asyncio.run(service.search_memory(**(who or WHO), query=query)).memories


def session_of(*events, id="old", **who):
    return Session(**(who or WHO), id=id, events=list(events))


def add(service, session):
    asyncio.run(service.add_session_to_memory(session))


TRAMS = event("The yellow tram goes to the harbour.", timestamp=1_000_000.5)
ANSWER = event("Noted: the harbour tram is yellow.", author="guide")


@pytest.mark.parametrize("make", [lambda _: InMemoryMemoryService(), ThreadkeepMemoryService])
class TestBesideInMemory:
    """What both services answer in the same way."""

    def test_what_was_added_is_found_by_its_words(self, make, memory):
        service = make(memory)
        add(service, session_of(TRAMS, event("Cats sleep."), event("", author="guide")))
        found = entries(service, "yellow tram")[0]
        assert found.content == TRAMS.content
        assert (found.author, found.timestamp[:10]) == ("user", "1970-01-12")
        assert search(service, "submarine") == []

    def test_of_the_user_and_the_app_alone(self, make, memory):
        service = make(memory)
        add(service, session_of(TRAMS))
        assert search(service, "yellow tram", **BOB) == []
        assert search(service, "yellow tram", **OTHER) == []

    def test_added_again_it_is_there_once(self, make, memory):
        service = make(memory)
        for events in ([TRAMS], [TRAMS, ANSWER], [TRAMS, ANSWER]):
            add(service, session_of(*copy.deepcopy(events)))
        assert len(search(service, "yellow tram harbour")) == 2

    def test_events_of_no_session(self, make, memory):
        service = make(memory)
        asyncio.run(service.add_events_to_memory(**WHO, events=[TRAMS, TRAMS]))
        assert search(service, "yellow tram") == [TRAMS.content.parts[0].text]

    @pytest.mark.parametrize("session_id", [None, "old"])
    def test_what_was_deleted_does_not_come_back(self, make, memory, session_id):
        service = make(memory)
        add_events = lambda: service.add_events_to_memory(  # noqa: E731
            **WHO, events=[TRAMS, ANSWER], session_id=session_id
        )
        asyncio.run(add_events())
        found = {e.content.parts[0].text: e.id for e in entries(service, "yellow tram harbour")}
        id = found[TRAMS.content.parts[0].text]
        for who in (BOB, OTHER):
            asyncio.run(service.delete_memory(**who, memory_id=id))
        assert len(search(service, "yellow tram harbour")) == 2
        asyncio.run(service.delete_memory(**WHO, memory_id=id))
        asyncio.run(service.delete_memory(**WHO, memory_id=id))
        asyncio.run(service.delete_memory(**WHO, memory_id="none"))
        asyncio.run(service.delete_memory(**WHO))
        asyncio.run(add_events())
        assert search(service, "yellow tram harbour") == [ANSWER.content.parts[0].text]

    def test_at_most_ten(self, make, memory):
        service = make(memory)
        add(service, session_of(*(event(f"The tram number {n} is late.") for n in range(30))))
        assert len(search(service, "late tram")) == 10


class TestBesideOurSessions:
    """What ADK has no words for: a session service and a memory service on one store."""

    def test_what_was_said_is_found_without_being_added(self, recall, service):
        runner, _ = make_runner(service, [said("Noted.")])
        asyncio.run(ask(runner, "The yellow tram goes to the harbour."))
        assert search(recall, "yellow tram")[0] == "The yellow tram goes to the harbour."
        assert search(recall, "yellow tram", **BOB) == []
        assert search(recall, "yellow tram", **OTHER) == []

    def test_adding_a_stored_session_changes_nothing_and_revives_nothing(
        self, recall, service, memory
    ):
        runner, _ = make_runner(service, [said("Noted.")])
        asyncio.run(ask(runner, "The yellow tram goes to the harbour."))
        held = asyncio.run(service.get_session(**WHO, session_id="chat"))
        chat = memory.session(stored_session_id(APP, USER, "chat"))
        add(recall, held)
        assert asyncio.run(service.get_session(**WHO, session_id="chat")) == held
        chat.forget(chat.items()[0].id)
        add(recall, held)
        assert search(recall, "yellow tram") == []

    def test_deleting_a_memory_deletes_it_in_the_session(self, recall, service, memory):
        runner, _ = make_runner(service, [said("Noted.")])
        asyncio.run(ask(runner, "The yellow tram goes to the harbour."))
        found = entries(recall, "yellow tram")[0]
        asyncio.run(recall.delete_memory(**WHO, memory_id=found.id))
        assert search(recall, "yellow tram") == []
        assert "yellow" not in str(memory.session(stored_session_id(APP, USER, "chat")).items())

    def test_the_framework_preloads_it(self, recall, service):
        runner, _ = make_runner(service, [said("Noted.")])
        asyncio.run(ask(runner, "The yellow tram goes to the harbour."))
        runner, model = make_runner(
            service, [said("The harbour.")], tools=[PreloadMemoryTool()], memory_service=recall
        )
        asyncio.run(ask(runner, "Where does the yellow tram go?", session="new"))
        assert "goes to the harbour" in str(model.requests[0])

    def test_memories_without_a_session_are_in_no_list(self, recall, service, memory):
        asyncio.run(recall.add_events_to_memory(**WHO, events=[TRAMS]))
        assert asyncio.run(service.list_sessions(**WHO)).sessions == []
        assert asyncio.run(service.list_sessions(app_name=APP)).sessions == []

    def test_forgetting_the_user_takes_them_all(self, recall, service, memory):
        asyncio.run(recall.add_events_to_memory(**WHO, events=[TRAMS]))
        add(recall, session_of(ANSWER))
        note = MemoryEntry(content=types.Content(parts=[types.Part(text="Ada likes harbours.")]))
        asyncio.run(recall.add_memory(**WHO, memories=[note]))
        state = {"user:city": "Oslo", "mood": "good", "app:open": True}
        asyncio.run(service.create_session(**WHO, session_id="chat", state=state))
        memory.user(USER).forget()
        assert search(recall, "harbour tram likes") == []
        assert asyncio.run(service.get_user_state(**WHO)) == {}
        fresh = asyncio.run(service.create_session(**WHO, session_id="chat"))
        assert fresh.state == {"app:open": True}


class TestFacts:
    def note(self, text, **fields):
        return MemoryEntry(content=types.Content(parts=[types.Part(text=text)]), **fields)

    def test_added_memories_are_facts_of_the_app(self, recall, memory):
        when = "2025-05-01T10:00:00+00:00"
        notes = [self.note("Ada is allergic to nuts.", timestamp=when), self.note(" ")]
        asyncio.run(recall.add_memory(**WHO, memories=notes))
        (found,) = entries(recall, "nuts allergic")
        assert (found.content.parts[0].text, found.timestamp) == ("Ada is allergic to nuts.", when)
        assert search(recall, "nuts allergic", **OTHER) == []
        assert search(recall, "nuts allergic", **BOB) == []
        assert [fact.text for fact in memory.user(USER).facts.list()] == [
            "Ada is allergic to nuts."
        ]

    def test_added_in_two_apps_it_is_found_in_both(self, recall):
        for who in (WHO, OTHER):
            asyncio.run(recall.add_memory(**who, memories=[self.note("Ada likes trams.")]))
        assert search(recall, "trams") == search(recall, "trams", **OTHER) == ["Ada likes trams."]

    def test_what_the_application_knows_is_found_in_every_app_and_deleted_by_its_id(
        self, recall, memory
    ):
        memory.user(USER).facts.add("Ada lives in Oslo.")
        (found,) = entries(recall, "lives Oslo", **OTHER)
        asyncio.run(recall.delete_memory(**BOB, memory_id=found.id))
        assert search(recall, "lives Oslo") == ["Ada lives in Oslo."]
        asyncio.run(recall.delete_memory(**WHO, memory_id=found.id))
        assert memory.user(USER).facts.list() == []

    def test_facts_of_other_apps_do_not_take_the_places_of_ours(self, recall):
        asyncio.run(
            recall.add_memory(
                **OTHER, memories=[self.note(f"Ada likes tram number {n}.") for n in range(60)]
            )
        )
        asyncio.run(recall.add_memory(**WHO, memories=[self.note("Ada likes the old tram.")]))
        assert search(recall, "likes tram") == ["Ada likes the old tram."]

    def test_facts_are_learned_when_a_session_is_added(self, tmp_path):
        fact = {"text": "Ada rides the yellow tram.", "sources": [0], "quote": "yellow tram"}
        asked = []

        def model(messages):
            asked.append(str(messages))
            return json.dumps({"facts": [fact], "instructions": []})

        llm = {"call": model, "idle": 3_600, "every": 1_000, "summaries": False}
        with threadkeep.connect(f"sqlite:///{tmp_path}/chat.db", llm=llm) as memory:
            add(ThreadkeepMemoryService(memory), session_of(TRAMS))
            assert [prompt for prompt in asked if "yellow tram" in prompt]


def test_the_number_of_results_is_checked(memory):
    with pytest.raises(threadkeep.errors.ConfigError, match="max_results"):
        ThreadkeepMemoryService(memory, max_results=0)
