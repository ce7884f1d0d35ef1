"""Generated programs on ADK's own in-memory service and on ours: what both answer is the same.

What differs is asserted here too: an in-memory service merges what a stale object appends, ours
refuses it as ADK's database service does; state that is no JSON becomes JSON.
"""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.sessions import InMemorySessionService
from google.adk.sessions.base_session_service import GetSessionConfig
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import threadkeep
from google_adk_threadkeep import ThreadkeepSessionService
from tests.integrations.google_adk import generated

PLACES = [
    ("guide", "ada", "s"),
    ("guide", "ada", "x/s"),
    ("guide", "ada/x", " s "),
    ("guide/ada", "x", "s"),
    ("guide%2Fada", "bob", "s"),
    ("guide", "bob", "s"),
]
"""Names that one id would be made of, if `/` and `%` were not told apart."""

places = st.sampled_from(PLACES).map(
    lambda place: dict(zip(("app_name", "user_id", "session_id"), place, strict=True))
)
configs = st.none() | st.builds(
    GetSessionConfig,
    num_recent_events=st.none() | st.integers(0, 5),
    after_timestamp=st.none() | st.floats(0, 2e9),
)


def plain(session: Any) -> Any:
    return None if session is None else session.model_dump(exclude={"last_update_time"})


class Services(RuleBasedStateMachine):
    """Both services side by side; each append goes to an object that was just read."""

    @initialize()
    def start(self):
        self.memory = threadkeep.connect("memory://")
        self.ours = ThreadkeepSessionService(self.memory)
        self.theirs = InMemorySessionService()
        for app, user, id in PLACES[:3]:
            self.both("create_session", app_name=app, user_id=user, session_id=id)

    def teardown(self):
        self.memory.close()

    def both(self, verb: str, **arguments: Any) -> tuple[Any, Any]:
        answers = []
        for service in (self.theirs, self.ours):
            call = getattr(service, verb)
            try:
                answers.append(asyncio.run(call(**copy.deepcopy(arguments))))
            except (AlreadyExistsError, SessionNotFoundError) as error:
                answers.append(type(error))
        return answers[0], answers[1]

    @rule(where=places, state=st.none() | generated.states)
    def create(self, where, state):
        theirs, ours = self.both("create_session", **where, state=state)
        if isinstance(theirs, type):
            assert ours is theirs
        else:
            assert plain(ours) == plain(theirs)

    @rule(where=places, config=configs)
    def get(self, where, config):
        theirs, ours = self.both("get_session", **where, config=config)
        assert plain(ours) == plain(theirs)
        if theirs is not None and theirs.events and config is None:
            assert ours.last_update_time == theirs.last_update_time

    @rule(where=places, batch=st.lists(generated.events, max_size=3))
    def append(self, where, batch):
        theirs, ours = self.both("get_session", **where)
        for event in batch if theirs is not None else ():
            one, other = copy.deepcopy(event), copy.deepcopy(event)
            first = asyncio.run(self.theirs.append_event(theirs, one))
            second = asyncio.run(self.ours.append_event(ours, other))
            assert second == first
            assert plain(ours) == plain(theirs)
            assert ours.last_update_time == theirs.last_update_time

    @rule(where=places, event=generated.events)
    def append_to_what_is_not_stored(self, where, event):
        theirs, _ = self.both("get_session", **where)
        if theirs is not None:
            self.both("delete_session", **where)
            answers = self.both("append_event", session=theirs, event=event)
            assert answers == (SessionNotFoundError, SessionNotFoundError)

    @rule(where=places, event=generated.events)
    def append_twice(self, where, event):
        theirs, ours = self.both("get_session", **where)
        event.actions.state_delta.pop("temp:a", None)
        if theirs is not None:
            for _ in range(2):
                asyncio.run(self.theirs.append_event(theirs, copy.deepcopy(event)))
                asyncio.run(self.ours.append_event(ours, copy.deepcopy(event)))
            assert plain(ours) == plain(theirs)

    @rule(where=places)
    def delete(self, where):
        self.both("delete_session", **where)

    @rule(where=places, is_of_all=st.booleans())
    def list(self, where, is_of_all):
        user = None if is_of_all else where["user_id"]
        theirs, ours = self.both("list_sessions", app_name=where["app_name"], user_id=user)
        key = lambda session: (session["user_id"], session["id"])  # noqa: E731
        assert sorted(map(plain, ours.sessions), key=key) == sorted(
            map(plain, theirs.sessions), key=key
        )
        order = [session.last_update_time for session in ours.sessions]
        assert order == sorted(order)

    @rule(where=places)
    def user_state(self, where):
        of = {"app_name": where["app_name"], "user_id": where["user_id"]}
        theirs, ours = self.both("get_user_state", **of)
        assert ours == theirs


Services.TestCase.settings = settings(max_examples=40, stateful_step_count=20)
TestServices = pytest.mark.filterwarnings("error")(Services.TestCase)
