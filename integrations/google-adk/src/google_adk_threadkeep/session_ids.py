"""Under which ids the sessions of an app, and the state beside them, are stored."""

from __future__ import annotations

from typing import Final, NamedTuple

from threadkeep.adapters.arguments import strict_arguments
from threadkeep.adapters.identity import UserId, session_id_text, user_id
from threadkeep.errors import ConfigError

STATE_AGENT: Final = "state"


class Address(NamedTuple):
    """A session as ADK names it."""

    app_name: str
    user_id: str
    session_id: str

    @property
    def stored_id(self) -> str:
        """Its id in the store."""
        return stored_session_id(*self)


@strict_arguments
def stored_session_id(app_name: str, owner: UserId, session_id: str) -> str:
    """The id of a session in the store: `<app>/<user>/<session>`.

    Under it every other framework continues the session. A `%` or `/` in the first two parts is
    percent-encoded, so that no two sessions share an id.

    Args:
        app_name: the app.
        owner: the user, whom ADK calls `user_id`.
        session_id: the session, as ADK names it.

    Raises:
        ConfigError: a part is not a text, or the user or session is empty.
    """
    return prefix(app_name, owner) + session_id_text(session_id)


def prefix(app_name: str, user: UserId | None = None) -> str:
    """What the ids of all sessions of an app begin with, or of one of its users."""
    app_prefix = f"{_encoded(_app(app_name))}/"
    return app_prefix if user is None else f"{app_prefix}{_encoded(user_id(user, 'user_id'))}/"


def parse_address(app_name: str, user: UserId, session_id: str) -> Address | None:
    """The address of a session, without blanks around its id; `None` if no session has that id.

    Raises:
        ConfigError: the app's name is no text, or the user is empty.
    """
    stripped_id = session_id_text(session_id).strip() if session_id else ""
    owner = user_id(user, "user_id")
    return Address(_app(app_name), owner, stripped_id) if stripped_id else None


def address_of(stored_id: str) -> Address | None:
    """The address of a session that is stored under an id; `None` for what is no session."""
    app, user, session = stored_id.split("/", 2)
    return Address(_decoded(app), _decoded(user), session) if user else None


def app_state_id(app_name: str) -> str:
    """The id of what holds the state of an app: no user is empty, so that no session has it."""
    return f"{prefix(app_name)}/{STATE_AGENT}"


def user_state_id(app_name: str, user: str) -> str:
    """The id of what holds the state of a user of an app."""
    return f"{app_state_id(app_name)}/{_encoded(user)}"


def memory_id(app_name: str, user: str) -> str:
    """The id of what holds memories of a user that belong to no session."""
    return f"{prefix(app_name)}/memory/{_encoded(user)}"


def _app(app_name: object) -> str:
    if not isinstance(app_name, str):
        raise ConfigError(f"app_name must be a str, got {type(app_name).__name__}")
    return app_name


def _encoded(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F")


def _decoded(part: str) -> str:
    return part.replace("%2F", "/").replace("%25", "%")
