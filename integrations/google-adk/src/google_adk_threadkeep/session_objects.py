"""ADK's `Session` objects from what is stored."""

from __future__ import annotations

from google.adk.events.event import Event
from google.adk.sessions.session import Session

from google_adk_threadkeep import state as states
from google_adk_threadkeep.codec import timestamp_of
from google_adk_threadkeep.history import History
from google_adk_threadkeep.session_ids import Address, address_of, prefix
from google_adk_threadkeep.state import ScopedState
from threadkeep import Item, Memory
from threadkeep.adapters.app_sessions import heads, metadata_of
from threadkeep.adapters.memory_types import SessionInfo


def loaded_session(address: Address, history: History) -> Session:
    """A session as it was read, with its events."""
    snapshot = history.snapshot
    app_metadata, user_metadata = snapshot.beside
    session_info = snapshot.info or SessionInfo(address.session_id)
    newest_item = snapshot.items[-1] if snapshot.items else None
    state = states.joined(app_metadata, user_metadata, session_info.metadata)
    return _session(address, state, history.events, _updated_at(session_info, newest_item))


def listed_sessions(memory: Memory, app_name: str, user_id: str | None) -> list[Session]:
    """The sessions of an app, or of one of its users, without events, the latest last."""
    addressed_heads = [
        (address, head)
        for head in heads(memory, user_id, prefix(app_name, user_id))
        if (address := address_of(head.info.id)) is not None
    ]
    users = list(dict.fromkeys(address.user_id for address, _ in addressed_heads))
    scopes = [ScopedState(memory, app_name, user) for user in users]
    metadata = metadata_of(memory, [chat for scope in scopes for chat in scope.sessions])
    state_by_user = dict(zip(users, zip(metadata[::2], metadata[1::2], strict=True), strict=True))
    sessions = [
        _session(
            address,
            states.joined(*state_by_user[address.user_id], head.info.metadata),
            [],
            _updated_at(head.info, head.newest),
        )
        for address, head in addressed_heads
    ]
    return sorted(sessions, key=_order)


def new_session(address: Address, metadata: dict[str, object]) -> Session:
    """A session that no store holds."""
    return _session(address, states.of(metadata), [], 0.0)


def _session(
    address: Address, state: dict[str, object], events: list[Event], updated_at: float
) -> Session:
    return Session(
        app_name=address.app_name,
        user_id=address.user_id,
        id=address.session_id,
        state=state,
        events=events,
        last_update_time=updated_at,
    )


def _order(session: Session) -> tuple[float, str, str]:
    return session.last_update_time, session.user_id, session.id


def _updated_at(info: SessionInfo, newest: Item | None) -> float:
    if newest is not None:
        return timestamp_of(newest)
    return 0.0 if info.created_at is None else info.created_at.timestamp()
