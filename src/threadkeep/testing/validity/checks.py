"""Building blocks of the validators: checks that take a location and a value.

A check returns nothing when the value is fine and raises an AssertionError that names the location
and the rule when it is not. Texts of messages never enter an error, ids only shortened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

Check = Callable[[str, Any], None]


def fail(rule: str, location: str, problem: str) -> NoReturn:
    """Reject; `location` is such as `messages[3].content[0]`, `rule` a documented name."""
    raise AssertionError(f"{location}: {problem} [rule: {rule}]")


def shorten(value: object) -> str:
    """An id for an error message: quoted, and cut after 24 characters."""
    value_repr = repr(value)
    return value_repr if len(value_repr) <= 26 else f"{value_repr[:24]}...'"


def any_value(location: str, value: Any) -> None:
    """Accept every value: the field is allowed, its content is not checked."""


def string(
    rule: str = "fields", *, min_length: int = 0, max_length: int | None = None, pattern: str = ""
) -> Check:
    """A string of `min_length` to `max_length` characters that matches `pattern`, if given."""

    def check(location: str, value: Any) -> None:
        if not isinstance(value, str):
            fail(rule, location, f"must be a string, is {type(value).__name__}")
        if len(value) < min_length:
            fail(rule, location, "must not be empty")
        if max_length is not None and len(value) > max_length:
            fail(
                rule,
                location,
                f"{shorten(value)} has {len(value)} characters, at most {max_length} may be",
            )
        if pattern and not re.fullmatch(pattern, value):
            fail(rule, location, f"{shorten(value)} does not match ^{pattern}$")

    return check


def one_of(*values: object, rule: str = "fields") -> Check:
    """One of the given values."""

    def check(location: str, value: Any) -> None:
        if value not in values:
            fail(
                rule, location, f"must be one of {', '.join(map(str, values))}, is {shorten(value)}"
            )

    return check


def instance(kind: type, rule: str = "fields") -> Check:
    """A value of one JSON type: `dict`, `list`, `bool`."""

    def check(location: str, value: Any) -> None:
        if not isinstance(value, kind):
            fail(rule, location, f"must be a {kind.__name__}, is {type(value).__name__}")

    return check


def maybe(check: Check) -> Check:
    """Null, or what `check` accepts."""

    def nullable(location: str, value: Any) -> None:
        if value is not None:
            check(location, value)

    return nullable


def array(entry_check: Check, *, min_length: int = 0, rule: str = "fields") -> Check:
    """A list of at least `min_length` entries, each accepted by `entry_check`."""

    def check(location: str, value: Any) -> None:
        instance(list, rule)(location, value)
        if len(value) < min_length:
            fail(rule, location, "must not be an empty list")
        for entry_index, list_entry in enumerate(value):
            entry_check(f"{location}[{entry_index}]", list_entry)

    return check


def text_or_list(entry_check: Check, *, min_length: int = 1, rule: str = "content") -> Check:
    """A string, or a list of at least `min_length` entries, each accepted by `entry_check`."""
    list_check = array(entry_check, min_length=min_length, rule=rule)

    def check(location: str, value: Any) -> None:
        if not isinstance(value, str):
            list_check(location, value)

    return check


def shape(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    *,
    rule: str = "fields",
    extra: bool = False,
) -> Check:
    """A dict with all `required` keys; other keys than the `optional` ones only with `extra`."""
    check_by_key = {**required, **(optional or {})}

    def check(location: str, value: Any) -> None:
        instance(dict, rule)(location, value)
        for key in required:
            if key not in value:
                fail(rule, location, f"{key!r} is missing")
        for key, field_value in value.items():
            if key in check_by_key:
                check_by_key[key](f"{location}.{key}", field_value)
            elif not extra:
                fail("keys", location, f"unknown key {shorten(key)}")

    return check


OTHER_TYPES = frozenset(
    {"text", "image", "audio", "video", "file", "json", "opaque", "non_standard", "reasoning",
     "image_url", "input_audio", "video_url", "refusal", "input_text", "input_image",
     "input_file", "output_text", "summary_text", "reasoning_text", "document", "search_result",
     "thinking", "redacted_thinking", "tool_use", "tool_result", "tool_reference", "tool_call",
     "function_call", "invalid_tool_call", "server_tool_call", "server_tool_result"}
)  # fmt: skip
"""Types of parts that one API or framework has, and others refuse."""


def by_type(
    shapes: Mapping[str, Check], rule: str, *, new: bool = False, hosted: bool = False
) -> Check:
    """A dict whose `type` is a key of `shapes`, and which the check found there accepts.

    With `new`, types that no API is known to have pass: each API adds some by the month. Those of
    Anthropic's hosted tools, which have names of their own, pass only with `hosted`.
    """

    def check(location: str, value: Any) -> None:
        instance(dict, rule)(location, value)
        type_name = value.get("type")
        if isinstance(type_name, str) and type_name in shapes:
            shapes[type_name](location, value)
        elif (
            not new
            or not isinstance(type_name, str)
            or type_name in OTHER_TYPES
            or (not hosted and type_name.endswith(("_tool_use", "_tool_result")))
        ):
            fail(rule, location, f"type {shorten(type_name)} is none of {', '.join(shapes)}")

    return check


def one_present(keys: Collection[str], check: Check, rule: str) -> Check:
    """What `check` accepts, with at least one of `keys` there and neither null nor empty."""

    def present(location: str, value: Any) -> None:
        check(location, value)
        if not any(value.get(key) for key in keys):
            fail(rule, location, f"needs one of {', '.join(keys)}")

    return present


def json_messages(name: str, messages: object) -> None:
    """A non-empty list of dicts that goes over the wire: as JSON in UTF-8, without NaN."""
    array(instance(dict, "list"), min_length=1, rule="list")(name, messages)
    try:
        json.dumps(messages, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        fail("json", name, f"cannot be sent as JSON in UTF-8 ({type(error).__name__})")
