"""Predicates of one value, from which schemas are composed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Check = Callable[[Any], bool]


def is_url(value: Any) -> bool:
    """A URL that a provider would fetch."""
    return isinstance(value, str) and _LINK.fullmatch(value) is not None


def anything(_: Any) -> bool:
    return True


def text(value: Any) -> bool:
    return isinstance(value, str)


def nonempty(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def nonblank(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def mapping(value: Any) -> bool:
    return isinstance(value, dict)


def matching(pattern: str) -> Check:
    compiled_pattern = re.compile(pattern, re.DOTALL)
    return lambda value: isinstance(value, str) and compiled_pattern.fullmatch(value) is not None


def list_of(entry: Check, min_length: int = 0) -> Check:
    return lambda value: (
        isinstance(value, list) and len(value) >= min_length and all(map(entry, value))
    )


def nullable(check: Check) -> Check:
    return lambda value: value is None or check(value)


def text_or_parts(part: Check, min_length: int = 1) -> Check:
    check_parts = list_of(part, min_length)
    return lambda value: isinstance(value, str) or check_parts(value)


def shape(
    required: Mapping[str, Check], optional: Mapping[str, Check] = {}, *, extra: bool = False
) -> Check:
    check_by_key = {"type": anything, **required, **optional}

    def check(value: Any) -> bool:
        if not _is_mapping(value) or not required.keys() <= value.keys():
            return False
        for field_name, field_value in value.items():  # a plain loop: it checks every prompt
            entry_check = check_by_key.get(field_name)
            if not (extra if entry_check is None else entry_check(field_value)):
                return False
        return True

    return check


def _is_mapping(value: Any) -> bool:
    return type(value) is dict or isinstance(value, Mapping)


def by_type(shapes: Mapping[str, Check], other: Check | None = None) -> Check:
    """A mapping that the check of its `type` accepts; `other` checks those of other types."""

    def check(value: Any) -> bool:
        type_name = value.get("type") if _is_mapping(value) else None
        if not isinstance(type_name, str):
            return False
        type_check = shapes.get(type_name, other)
        return type_check is not None and type_check(value)

    return check


_LINK: Final = re.compile(r"https?://\S+")
DATA_LINK: Final = matching(r"(https?://|data:).+")
DETAIL: Final = matching("auto|low|high|original")
FILE_KEYS: Final = ("file_id", "file_data", "file_url")
