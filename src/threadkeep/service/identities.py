"""Whose session it is: the two ways in which a call may say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.core.user_id import UserId, optional_user_id
from threadkeep.errors import InputError


def said(identity: UserId | None, props: Mapping[str, Any] | None) -> str | None:
    """Who it is; `None` = nobody is named, and the session stands for itself.

    Raises:
        ConfigError: an identity is no user id; the empty text is none either.
        InputError: two identities are named, or the properties are no dict.
    """
    if props is not None and not isinstance(props, Mapping):
        raise InputError(f"other_history_props must be a dict, got {type(props).__name__}")
    named = optional_user_id(identity, "identity")
    of_props = optional_user_id((props or {}).get("identity"), "other_history_props['identity']")
    if None not in (named, of_props) and named != of_props:
        raise InputError("identity is given twice with different values")
    return of_props if named is None else named
