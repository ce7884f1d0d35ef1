"""Arguments of tool calls: a dict where a model wrote a JSON object, else the text it wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.core.body import MAX_DEPTH
from threadkeep.types import Json

_MAX_DEPTH: Final = MAX_DEPTH - 3  # below the record, its calls, and the call
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def parse_arguments(value: Any) -> Json:
    """Parse arguments into a dict if they are a strict JSON object, else keep the text.

    Models write `NaN`, `Infinity`, `1e400`, keys that come twice, objects that do not end, and
    objects that are nested deeper than a record may be. None of that comes back unchanged from
    JSON, so it stays what it is: a text. A dict of that kind becomes the text that it was.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(value) if _is_storable(value) else _text(value)
    if not isinstance(value, str):
        return value
    try:
        decoded_value = _decode(value)
    except (ValueError, RecursionError):
        return value
    is_object = isinstance(decoded_value, dict) and _is_storable(decoded_value)
    return decoded_value if is_object else value


def format_arguments(value: Json) -> str:
    """Arguments as the JSON text that OpenAI's APIs expect."""
    return value if isinstance(value, str) else _encode(value)


def _text(arguments: Mapping[str, Any]) -> Json:
    try:
        return _encode(arguments)
    except (TypeError, ValueError, RecursionError):  # no JSON yet, or never
        return dict(arguments)


def _is_storable(value: Any, depth: int = _MAX_DEPTH) -> bool:
    """Whether all numbers are finite, and nothing is nested deeper than that."""
    if isinstance(value, float):
        return math.isfinite(value)
    if not isinstance(value, (Mapping, list, tuple)):
        return True
    children = value.values() if isinstance(value, Mapping) else value
    return depth > 0 and all(_is_storable(child, depth - 1) for child in children)


def _refuse(constant: str) -> Json:
    raise ValueError(constant)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    json_object = dict(pairs)
    if len(json_object) < len(pairs):
        raise ValueError("a key comes twice")
    return json_object


_decode: Final = json.JSONDecoder(
    parse_constant=_refuse, parse_float=_float, object_pairs_hook=_object
).decode
