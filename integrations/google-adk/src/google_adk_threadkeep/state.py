"""State in its three scopes: of an app, of a user of it, and of a session; `temp:` is not stored.

The state of a session is in the session's metadata, that of an app or a user in a small session of
its own, which holds nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from google.adk.events.event_actions import EventActions
from google.adk.sessions.state import State

from google_adk_threadkeep.session_ids import STATE_AGENT, app_state_id, user_state_id
from threadkeep import Memory, Session
from threadkeep.adapters.app_sessions import merge_metadata, metadata_of, open_session
from threadkeep.errors import InputError

KEY: Final = "google_adk"
"""The key of the metadata under which the state is."""


class Deltas(NamedTuple):
    """A change of state by scope, with the keys as they are stored: without prefixes."""

    app: dict[str, Any]
    user: dict[str, Any]
    session: dict[str, Any]


def json_state(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """State as JSON, as ADK's database service makes it.

    Raises:
        InputError: it holds what is not JSON.
    """
    try:
        actions = EventActions(state_delta=dict(state or {}))
        return dict(actions.model_dump(mode="json", include={"state_delta"})["state_delta"])
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"state cannot be stored as JSON: {error}") from error


def split(delta: Mapping[str, Any]) -> Deltas:
    """Split a change of state by scope."""
    deltas = Deltas({}, {}, {})
    for key, value in delta.items():
        if key.startswith(State.APP_PREFIX):
            deltas.app[key.removeprefix(State.APP_PREFIX)] = value
        elif key.startswith(State.USER_PREFIX):
            deltas.user[key.removeprefix(State.USER_PREFIX)] = value
        elif not key.startswith(State.TEMP_PREFIX):
            deltas.session[key] = value
    return deltas


def joined(app: Mapping[str, Any], user: Mapping[str, Any], session: Any) -> dict[str, Any]:
    """The state that a session has, of the metadata of the three."""
    return {
        **of(session),
        **{State.APP_PREFIX + key: value for key, value in of(app).items()},
        **{State.USER_PREFIX + key: value for key, value in of(user).items()},
    }


def of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The state in the metadata of a session."""
    adk_metadata = metadata.get(KEY)
    raw_state = adk_metadata.get("state") if isinstance(adk_metadata, Mapping) else None
    return dict(raw_state) if isinstance(raw_state, Mapping) else {}


def changed(metadata: Mapping[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata with a change of state."""
    adk_metadata = metadata.get(KEY)
    new_metadata = dict(adk_metadata) if isinstance(adk_metadata, Mapping) else {}
    return {**metadata, KEY: {**new_metadata, "state": {**of(metadata), **delta}}}


class ScopedState:
    """The state of an app and of one of its users.

    Args:
        memory: the store.
        app_name: the app.
        user: the user.
    """

    def __init__(self, memory: Memory, app_name: str, user: str) -> None:
        self._app = open_session(memory, app_state_id(app_name), agent=STATE_AGENT)
        self._user = open_session(memory, user_state_id(app_name, user), user, STATE_AGENT)
        self._memory = memory

    @property
    def sessions(self) -> list[Session]:
        """What holds it: of the app, and of the user."""
        return [self._app, self._user]

    def of_user(self) -> dict[str, Any]:
        """The state of the user."""
        return of(metadata_of(self._memory, [self._user])[0])

    def change(self, deltas: Deltas) -> None:
        """Store what changes of both; concurrent changes of other keys stay."""
        for chat, delta in ((self._app, deltas.app), (self._user, deltas.user)):
            if delta:
                merge_metadata(chat, lambda metadata, delta=delta: changed(metadata, delta))  # type: ignore[misc]  # bound at once
