"""Whose door a verb goes through: the user that it names, or whose handle it is."""

from __future__ import annotations

from threadkeep import names
from threadkeep.engine import Engine
from threadkeep.errors import ConfigError, NotOwner


def whose(engine: Engine, bound: str | None, given: str | None) -> str | None:
    """The user; `None` = the operator.

    Raises:
        NotOwner: the handle is one user's, and another was named.
        ConfigError: there is none, and the Memory was opened with `require_user=True`.
    """
    if given is not None:
        names.check(given, "user")
    if bound is not None and given not in (None, bound):
        raise NotOwner("this is another user's door: ask memory, or memory.user() of that user")
    user = bound or given
    if user is None and engine.settings.require_user:
        raise ConfigError("this Memory was opened with require_user=True: pass user=")
    return user
