"""Access control: the user on whose behalf a verb runs."""

from __future__ import annotations

from threadkeep.core.engine import Engine
from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.errors import ConfigError, NotOwner


def owner_for(engine: Engine, bound: str | None, requested: UserId | None) -> str | None:
    """The user of a handle, or the one requested; `None` = the operator.

    Raises:
        NotOwner: the handle belongs to one user, and another was requested.
        ConfigError: the user id is not valid; or there is none, and the Memory was opened with
            `require_user=True`.
    """
    requested_id = optional_user_id(requested)
    if bound is not None and requested_id not in (None, bound):
        raise NotOwner(
            "this handle belongs to another user: use memory, or memory.user() of that user"
        )
    owner_id = bound or requested_id
    if owner_id is None and engine.settings.require_user:
        raise ConfigError("this Memory was opened with require_user=True: pass user=")
    return owner_id
