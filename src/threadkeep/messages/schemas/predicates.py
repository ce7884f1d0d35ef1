"""The small language that shapes are written in: predicates of one value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Check = Callable[[Any], bool]


def link(value: Any) -> bool:
    """A URL that a provider would fetch."""
    return isinstance(value, str) and _LINK.fullmatch(value) is not None


def anything(_: Any) -> bool:
    return True


def text(value: Any) -> bool:
    return isinstance(value, str)


def some(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def written(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def mapping(value: Any) -> bool:
    return isinstance(value, dict)


def match(pattern: str) -> Check:
    found = re.compile(pattern, re.DOTALL)
    return lambda value: isinstance(value, str) and found.fullmatch(value) is not None


def listed(entry: Check, least: int = 0) -> Check:
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(entry, value))


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def words(part: Check, least: int = 1) -> Check:
    parts = listed(part, least)
    return lambda value: isinstance(value, str) or parts(value)


def shape(
    required: Mapping[str, Check], optional: Mapping[str, Check] = {}, *, extra: bool = False
) -> Check:
    known = {"type": anything, **required, **optional}

    def check(value: Any) -> bool:
        if not _is_mapping(value) or not required.keys() <= value.keys():
            return False
        for key, entry in value.items():  # a plain loop: every prompt is checked by it
            found = known.get(key)
            if not (extra if found is None else found(entry)):
                return False
        return True

    return check


def _is_mapping(value: Any) -> bool:
    return type(value) is dict or isinstance(value, Mapping)


def kinds(shapes: Mapping[str, Check]) -> Check:
    def check(value: Any) -> bool:
        kind = value.get("type") if _is_mapping(value) else None
        return isinstance(kind, str) and kind in shapes and shapes[kind](value)

    return check


_LINK: Final = re.compile(r"https?://\S+")
DATA_LINK: Final = match(r"(https?://|data:).+")
DETAIL: Final = match("auto|low|high|original")
FILE_KEYS: Final = ("file_id", "file_data", "file_url")
