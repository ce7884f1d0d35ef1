"""Arguments of tool calls: a dict where a model wrote a JSON object, else the text it wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.types import Json

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def parse_arguments(value: Any) -> Json:
    """Parse arguments into a dict if they are a strict JSON object, else keep the text.

    Models write `NaN`, `Infinity`, `1e400`, keys that come twice, and objects that do not end.
    None of that comes back unchanged from JSON, so it stays what it is: a text. A dict with such
    numbers becomes the text that it was.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(value) if _is_finite(value) else _encode(value)
    if not isinstance(value, str):
        return value
    try:
        decoded_value = _decode(value)
    except (ValueError, RecursionError):
        return value
    return decoded_value if isinstance(decoded_value, dict) else value


def format_arguments(value: Json) -> str:
    """Arguments as the JSON text that OpenAI's APIs expect."""
    return value if isinstance(value, str) else _encode(value)


def _is_finite(value: Any) -> bool:
    try:
        return _has_only_finite(value)
    except RecursionError:
        return True  # refused where it is stored


def _has_only_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_has_only_finite, value.values()))
    return not isinstance(value, (list, tuple)) or all(map(_has_only_finite, value))


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
