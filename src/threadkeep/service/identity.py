"""The user of a session, from `identity=` or from `other_history_props`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.errors import InputError


def resolve_user(identity: UserId | None, props: Mapping[str, Any] | None) -> str | None:
    """The user id of a call; `None` = no user is named.

    Raises:
        ConfigError: an identity is not a valid user id, such as an empty text.
        InputError: two different identities are given, or the properties are not a dict.
    """
    if props is not None and not isinstance(props, Mapping):
        raise InputError(f"other_history_props must be a dict, got {type(props).__name__}")
    user_id = optional_user_id(identity, "identity")
    props_user = optional_user_id((props or {}).get("identity"), "other_history_props['identity']")
    if None not in (user_id, props_user) and user_id != props_user:
        raise InputError("identity is given twice with different values")
    return props_user if user_id is None else user_id
