"""Whose door a verb goes through: the user that it names, or whose handle it is."""

from __future__ import annotations

from threadkeep.core.engine import Engine
from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.errors import ConfigError, NotOwner


def whose(engine: Engine, bound: str | None, given: UserId | None) -> str | None:
    """The user; `None` = the operator.

    Raises:
        NotOwner: the handle is one user's, and another was named.
        ConfigError: what was named is no user id; or nobody was, and the Memory was opened with
            `require_user=True`.
    """
    named = optional_user_id(given)
    if bound is not None and named not in (None, bound):
        raise NotOwner("this is another user's door: ask memory, or memory.user() of that user")
    user = bound or named
    if user is None and engine.settings.require_user:
        raise ConfigError("this Memory was opened with require_user=True: pass user=")
    return user
