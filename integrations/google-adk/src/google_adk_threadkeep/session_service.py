"""`ThreadkeepSessionService`: ADK's sessions on any store of threadkeep."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.events.event import Event
from google.adk.sessions.base_session_service import (
    BaseSessionService,
    GetSessionConfig,
    ListSessionsResponse,
)
from google.adk.sessions.session import Session

from google_adk_threadkeep import state as states
from google_adk_threadkeep.append import append
from google_adk_threadkeep.history import Reader
from google_adk_threadkeep.revision import mark
from google_adk_threadkeep.session_ids import Address, parse_address
from google_adk_threadkeep.session_objects import listed_sessions, loaded_session, new_session
from google_adk_threadkeep.state import ScopedState
from threadkeep import Memory
from threadkeep import Session as Chat
from threadkeep.adapters import windows
from threadkeep.adapters.app_sessions import open_session
from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.conditional_append import Addition, Tail, add_if
from threadkeep.adapters.identity import optional_user_id
from threadkeep.adapters.identity import user_id as checked_user
from threadkeep.adapters.shared import shared_memory
from threadkeep.printable import shown


class ThreadkeepSessionService(BaseSessionService):
    """Sessions of ADK in any store of threadkeep: `Runner(session_service=this, ...)`.

    Events come back equal to what was appended. An event and the session's state are written in
    one atomic step, the state of the app and the user in a second one. A session belongs to its
    user, and is stored under `stored_session_id(app_name, user_id, session_id)`.

    Args:
        memory: a `Memory`, or a URL, of which one store is opened in a process; `None` = the store
            of `threadkeep.connect()`. No I/O yet.
        window: limits the events that `get_session` returns: a policy, a list of them, or
            `{"max_tokens": 3000}`. `None` = the Memory's own window, or everything without one.
        agent: the author of answers that other frameworks stored: the name of your agent, so that
            it takes them for its own.
        record_responses: also store each model answer as a `Response` with its token usage.

    Raises:
        ConfigError: the URL or the window is not valid.
    """

    @strict_arguments
    def __init__(
        self,
        memory: Memory | str | None = None,
        *,
        window: object = None,
        agent: str = "assistant",
        record_responses: bool = False,
    ) -> None:
        self.memory = shared_memory(memory)
        self._policies = windows.parse_window(window)
        self._over = windows.OverWarning()
        self._agent = agent
        self._records = record_responses
        self._locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    async def create_session(
        self,
        *,
        app_name: str,
        user_id: str,
        state: dict[str, Any] | None = None,
        session_id: str | None = None,
    ) -> Session:
        """Begin a session; without an id it gets a random one.

        Raises:
            AlreadyExistsError: there is one of that id, also if another framework began it.
            ConfigError: the user's id is empty, or no text.
            InputError: the state cannot be stored; nothing was written.
        """
        new_id = (session_id or "").strip() or str(uuid4())
        address = Address(app_name, checked_user(user_id, "user_id"), new_id)
        deltas = states.split(states.json_state(state))
        return await self.memory.to_thread(self._create, address, deltas)

    async def get_session(
        self,
        *,
        app_name: str,
        user_id: str,
        session_id: str,
        config: GetSessionConfig | None = None,
    ) -> Session | None:
        """The session with its state and events, or `None`.

        With a config only what it asks for is read; without one the window, if there is one.

        Raises:
            NotOwner: a session of that stored id belongs to another user.
        """
        address = parse_address(app_name, user_id, session_id)
        return None if address is None else await self.memory.to_thread(self._load, address, config)

    async def list_sessions(
        self, *, app_name: str, user_id: str | None = None
    ) -> ListSessionsResponse:
        """The sessions of a user, or of the app, without events, the latest last."""
        owner = optional_user_id(user_id, "user_id")
        sessions = await self.memory.to_thread(listed_sessions, self.memory, app_name, owner)
        return ListSessionsResponse(sessions=sessions)

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Delete a session with its state; that of the app and the user stays."""
        if address := parse_address(app_name, user_id, session_id):
            await self._chat(address).adelete()

    async def get_user_state(self, *, app_name: str, user_id: str) -> dict[str, Any]:
        """The state of the user in the app, without the prefix `user:`."""
        scoped_state = ScopedState(self.memory, app_name, checked_user(user_id, "user_id"))
        return await self.memory.to_thread(scoped_state.of_user)

    async def append_event(self, session: Session, event: Event) -> Event:
        """Store an event and its change of state, and append it to the session object.

        An event that is stored already is not stored again.

        Raises:
            SessionNotFoundError: the session is not stored.
            StaleSessionError: others wrote to it since this object was read; nothing was written.
            InputError: the event cannot be stored, or rewinds a session of which this object holds
                a window only; nothing was written.
        """
        if event.partial:
            return event
        address = Address(session.app_name, session.user_id, session.id)
        self._apply_temp_state(session, event)
        event = self._trim_temp_delta_state(event)
        async with self._lock(address):
            chat = self._chat(address)
            state = ScopedState(self.memory, address.app_name, address.user_id)
            await self.memory.to_thread(append, chat, state, session, event, record=self._records)
            session.last_update_time = event.timestamp
            if any(past.id == event.id and past == event for past in session.events):
                return event
            return self._commit_event_to_session(session, event)

    def _create(self, address: Address, deltas: states.Deltas) -> Session:
        def decide(tail: Tail) -> Addition:
            if tail.info is not None:
                raise AlreadyExistsError(f"session {shown(address.session_id)} exists already")
            return Addition((), states.changed({}, deltas.session))

        add_if(self._chat(address), (), decide)
        ScopedState(self.memory, address.app_name, address.user_id).change(deltas)
        session = self._load(address, GetSessionConfig(num_recent_events=0))
        if session is None:  # a store that keeps nothing, or somebody deleted it at once
            return new_session(address, states.changed({}, deltas.session))
        return session

    def _load(self, address: Address, config: GetSessionConfig | None) -> Session | None:
        scoped_state = ScopedState(self.memory, address.app_name, address.user_id)
        reader = Reader(self._chat(address), scoped_state.sessions, self._agent)
        policies = windows.or_memory_window(self._policies, self.memory)
        is_window = config is None and bool(policies)
        history = reader.window(policies, self._over) if is_window else reader.read(config)
        if history.snapshot.info is None:
            return None
        session = loaded_session(address, history)
        mark(session, history.snapshot, is_window=is_window)
        return session

    def _chat(self, address: Address) -> Chat:
        return open_session(self.memory, address.stored_id, address.user_id)

    def _lock(self, address: Address) -> asyncio.Lock:
        """A lock for writes to one session, since agents that run in parallel share an object."""
        lock_key = (id(asyncio.get_running_loop()), address)
        return self._locks.setdefault(lock_key, asyncio.Lock())

    def __repr__(self) -> str:
        return f"<ThreadkeepSessionService of {self.memory!r}>"
