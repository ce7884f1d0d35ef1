"""The small language the judges are written in: checks that take a position and a value.

A check returns nothing when the value is fine and raises an AssertionError that names the position
and the rule when it is not. Texts of messages never enter an error, ids only shortened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

Check = Callable[[str, Any], None]


def fail(rule: str, at: str, why: str) -> NoReturn:
    """Reject: `at` is a position such as `messages[3].content[0]`, `rule` a documented name."""
    raise AssertionError(f"{at}: {why} [rule: {rule}]")


def short(value: object) -> str:
    """An id as it may stand in an error: quoted, and cut after 24 characters."""
    text = repr(value)
    return text if len(text) <= 26 else f"{text[:24]}...'"


def anything(at: str, value: Any) -> None:
    """Accept every value: the field is known, its content is not judged."""


def string(
    rule: str = "fields", *, least: int = 0, most: int | None = None, pattern: str = ""
) -> Check:
    """A string of `least` to `most` characters, all of it matching `pattern` (if there is one)."""

    def check(at: str, value: Any) -> None:
        if not isinstance(value, str):
            fail(rule, at, f"must be a string, is {type(value).__name__}")
        if len(value) < least:
            fail(rule, at, "must not be empty")
        if most is not None and len(value) > most:
            fail(rule, at, f"{short(value)} has {len(value)} characters, at most {most} may be")
        if pattern and not re.fullmatch(pattern, value):
            fail(rule, at, f"{short(value)} does not match ^{pattern}$")

    return check


def one_of(*values: object, rule: str = "fields") -> Check:
    """One of the given values."""

    def check(at: str, value: Any) -> None:
        if value not in values:
            fail(rule, at, f"must be one of {', '.join(map(str, values))}, is {short(value)}")

    return check


def instance(kind: type, rule: str = "fields") -> Check:
    """A value of one JSON type: `dict`, `list`, `bool`."""

    def check(at: str, value: Any) -> None:
        if not isinstance(value, kind):
            fail(rule, at, f"must be a {kind.__name__}, is {type(value).__name__}")

    return check


def maybe(check: Check) -> Check:
    """Null, or what `check` accepts."""

    def nullable(at: str, value: Any) -> None:
        if value is not None:
            check(at, value)

    return nullable


def array(item: Check, *, least: int = 0, rule: str = "fields") -> Check:
    """A list of at least `least` entries, each accepted by `item`."""

    def check(at: str, value: Any) -> None:
        instance(list, rule)(at, value)
        if len(value) < least:
            fail(rule, at, "must not be an empty list")
        for position, entry in enumerate(value):
            item(f"{at}[{position}]", entry)

    return check


def text_or_list(item: Check, *, least: int = 1, rule: str = "content") -> Check:
    """A string, or a list of at least `least` entries, each accepted by `item`."""
    listed = array(item, least=least, rule=rule)

    def check(at: str, value: Any) -> None:
        if not isinstance(value, str):
            listed(at, value)

    return check


def shape(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    *,
    rule: str = "fields",
    extra: bool = False,
) -> Check:
    """A dict with all `required` keys; other keys than the `optional` ones only with `extra`."""
    known = {**required, **(optional or {})}

    def check(at: str, value: Any) -> None:
        instance(dict, rule)(at, value)
        for key in required:
            if key not in value:
                fail(rule, at, f"{key!r} is missing")
        for key, entry in value.items():
            if key in known:
                known[key](f"{at}.{key}", entry)
            elif not extra:
                fail("keys", at, f"unknown key {short(key)}")

    return check


def by_type(shapes: Mapping[str, Check], rule: str) -> Check:
    """A dict whose `type` is a key of `shapes`, and which the check found there accepts."""

    def check(at: str, value: Any) -> None:
        instance(dict, rule)(at, value)
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in shapes:
            fail(rule, at, f"type {short(kind)} is none of {', '.join(shapes)}")
        shapes[kind](at, value)

    return check


def one_present(keys: Collection[str], check: Check, rule: str) -> Check:
    """What `check` accepts, with at least one of `keys` there and neither null nor empty."""

    def present(at: str, value: Any) -> None:
        check(at, value)
        if not any(value.get(key) for key in keys):
            fail(rule, at, f"needs one of {', '.join(keys)}")

    return present


def wire(name: str, messages: object) -> None:
    """A non-empty list of dicts that goes over the wire: as JSON in UTF-8, without NaN."""
    array(instance(dict, "list"), least=1, rule="list")(name, messages)
    try:
        json.dumps(messages, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        fail("json", name, f"cannot be sent as JSON in UTF-8 ({type(error).__name__})")
