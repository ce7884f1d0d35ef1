"""Bodies that a record may not have: each field of another type, missing, or out of range."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, Final

LITERALS: Final = {
    "<endless>": "1e999",
    "<not a number>": "NaN",
    "<400 digits>": "1" + "0" * 400,
    "<5000 digits>": "1" + "0" * 5_000,
    "<nested>": "[" * 100_000 + "]" * 100_000,
    "<nested 200>": '{"a":' * 200 + "1" + "}" * 200,
    "<half a character>": '"\\ud800"',
    "<NUL>": '"\\u0000"',
}
"""Texts that `json.dumps` does not write, by the placeholders that stand for them."""

WRONG_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 5, 2.5, 1e300, 10**30, "", "x", "x" * 100_000),
    *([], [1], [None], ["x"], [[]], [{}], {}, {"a": 1}, {"type": "text"}, [{"type": "text"}]),
    *([{"type": 5}], [{"type": ["text"]}], {"format": "openai-chat/1"}, {"format": 1, "data": 1}),
    *LITERALS,
)
"""What is put in the place of each field; some of it may be right there, which is no harm."""

WHOLE_BODIES: Final = ("", "{", "?", "null", "[]", '"x"', "5", "true", "{}", "[1]", "\ufeff{}")
"""What is put in the place of a whole body."""


def changed_bodies(body: str) -> Iterator[tuple[str, str]]:
    """Every change of a body, labelled: each field removed, or any of the wrong values."""
    for whole_body in (*WHOLE_BODIES, *LITERALS.values()):
        yield f"body {whole_body[:20]!r}", whole_body
    field_values = json.loads(body)
    for field_path in field_paths(field_values):
        yield f"without {field_path}", json.dumps(_changed(field_values, field_path, _MISSING))
        for wrong_value in WRONG_VALUES:
            yield (
                f"{field_path} = {wrong_value!r:.40}",
                _text(_changed(field_values, field_path, wrong_value)),
            )


def chosen_changes(body: str, rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Some of the changes of a body."""
    all_changes = list(changed_bodies(body))
    return rng.sample(all_changes, min(count, len(all_changes)))


def field_paths(value: Any, parents: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field of a JSON value, however deep."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for child_key, child in children:
        yield (*parents, child_key)
        if isinstance(child, (dict, list)):
            yield from field_paths(child, (*parents, child_key))


_MISSING: Final = object()


def _changed(value: Any, field_keys: tuple[Any, ...], new_value: Any) -> Any:
    if not field_keys:
        return new_value
    copy = dict(value) if isinstance(value, dict) else list(value)
    child = _changed(copy[field_keys[0]], field_keys[1:], new_value)
    if child is _MISSING:
        del copy[field_keys[0]]
    else:
        copy[field_keys[0]] = child
    return copy


def _text(value: Any) -> str:
    json_text = json.dumps(value)
    for placeholder, literal in LITERALS.items():
        json_text = json_text.replace(json.dumps(placeholder), literal)
    return json_text
