"""Converts the user ids of applications to the text that is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, cast

from threadkeep.core import names
from threadkeep.errors import ConfigError

if TYPE_CHECKING:
    from uuid import UUID

UserId: TypeAlias = "str | int | UUID"
"""A user id; `7`, `"7"` and an `IntEnum` member of value 7 are the same user."""

_NAME_LIMIT: Final = 60  # characters of a type's name in an error


def user_id(value: object, source: str = "user") -> str:
    """The id as stored: a `str` as it is, an `int` or a `UUID` as its text.

    A member of an enumeration, or another subclass of these, is the user of its plain value.

    Args:
        value: what was passed; nothing else is converted, so that no object's `repr`, and no
            `bytes` or `float`, becomes a user whom nobody meant.
        source: the name of the argument, for the error.

    Raises:
        ConfigError: it is anything else, or empty; the error shows its type, not the value.
    """
    stored_id = value if type(value) is str else id_text(value)
    if not stored_id:
        raise ConfigError(
            f"{source} must be a str that is not empty, an int or a UUID, "
            f"got {describe(value)}; pass the user's id as such, or None where there is no user"
        )
    return names.join_surrogates(stored_id)


def optional_user_id(value: object, source: str = "user") -> str | None:
    """As `user_id`, but `None` stays `None`."""
    return None if value is None else user_id(value, source)


def id_text(value: object) -> str | None:
    """The text of a `str`, an `int` or a `UUID`; `None` for anything else.

    It goes by the real type: a mock or a proxy may pretend to be another.
    """
    from uuid import UUID  # most programs pass a str

    value_type = type(value)
    try:
        if issubclass(value_type, str):
            return str.__str__(cast("str", value))
        if issubclass(value_type, int) and value_type is not bool:
            return int.__repr__(cast("int", value))
        if issubclass(value_type, UUID):
            return UUID.__str__(cast("UUID", value))
    except (ValueError, AttributeError):  # an int of too many digits, a UUID never filled in
        return None
    return None


def describe(value: object) -> str:
    """What was passed in place of an id, for errors: its type, never the value."""
    if issubclass(type(value), str):
        return "an empty str"
    return "None" if value is None else f"a value of type {type(value).__name__[:_NAME_LIMIT]}"
