"""Whose session it is: the two ways in which a call may say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep import names
from threadkeep.errors import InputError


def said(identity: str | None, props: Mapping[str, Any] | None) -> str | None:
    """Who it is; `None` = nobody is named, and the session stands for itself."""
    if props is not None and not isinstance(props, Mapping):
        raise InputError(f"other_history_props must be a dict, got {type(props).__name__}")
    given = [who for who in (identity, (props or {}).get("identity")) if who not in (None, "")]
    if len(given) == 2 and given[0] != given[1]:
        raise InputError("identity is given twice with different values")
    return names.check(given[0], "identity") if given else None
