"""What `connect(llm=)` may say: which model, when it is asked, and how much it may cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

KEY_VARIABLE: Final = "OPENAI_API_KEY"
URL_VARIABLE: Final = "OPENAI_BASE_URL"

ModelCallable = Callable[[list[dict[str, Any]]], str]
"""A model: from messages of OpenAI Chat to the text of its answer."""


@dataclass(frozen=True, slots=True)
class ExtractionSettings:
    """How learning from conversations goes on.

    Attributes:
        call: a callable that is the model; else an OpenAI-compatible endpoint is.
        model: its name there.
        api_key: a text, or a callable for keys that change; else `OPENAI_API_KEY`.
        base_url: where the endpoint is; else `OPENAI_BASE_URL`, else OpenAI's.
        timeout: seconds to wait for an answer.
        every: turns after which a session is read; a turn is one speaker's contribution.
        idle: seconds without a new message after which it is read anyhow.
        batch: turns that are read with one call, at most.
        tries: how often a batch is tried before it waits for `extract(retry=True)`.
        calls_per_day: of one user, at most; counted in the store.
        tokens_per_day: of one user, at most; no call begins beyond.
        summaries: whether sessions are summed up, with the same call.
        verify: whether the model is asked a second time about what carries a risk: each wish, and
            facts whose words are not plainly those said; one call more for batches that have any.
    """

    call: ModelCallable | None = None
    model: str | None = None
    api_key: str | Callable[[], str] | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)  # may hold a secret
    timeout: float = 60.0
    every: int = 10
    idle: float = 60.0
    batch: int = 10
    tries: int = 5
    calls_per_day: int = 500
    tokens_per_day: int = 1_000_000
    summaries: bool = True
    verify: bool = False


_KEYS: Final = tuple(field.name for field in fields(ExtractionSettings))


def parse_settings(llm: object) -> ExtractionSettings:
    """What `connect(llm=)` said, validated; no I/O, and no package is loaded.

    Raises:
        ConfigError: a key is unknown, missing or out of range; it is named, its value never shown
            where it may be a secret.
    """
    if callable(llm):
        return ExtractionSettings(call=llm)
    if not isinstance(llm, Mapping):
        raise ConfigError(f"llm must be a dict or a callable, got {type(llm).__name__}")
    for option_name in llm:
        if option_name not in _KEYS:
            raise ConfigError(
                f"llm has no key {shown(option_name)}{did_you_mean(option_name, _KEYS)}"
            )
    options = {key: option_value for key, option_value in llm.items() if option_value is not None}
    for option_name, option_value in options.items():
        expected_type, is_valid = _CHECKS[option_name]
        if not is_valid(option_value):
            received_value = (
                "" if option_name in ("api_key", "base_url") else f", got {shown(option_value)}"
            )
            raise ConfigError(f"llm.{option_name} must be {expected_type}{received_value}")
    return _endpoint_settings(options) if "call" not in options else _callable_settings(options)


def _callable_settings(raw_options: Mapping[str, Any]) -> ExtractionSettings:
    for option_name in ("api_key", "base_url"):
        if option_name in raw_options:
            raise ConfigError(
                f"llm.call and llm.{option_name} contradict each other: give one of them"
            )
    return ExtractionSettings(**raw_options)


def _endpoint_settings(options: Mapping[str, Any]) -> ExtractionSettings:
    if "model" not in options:
        raise ConfigError("llm needs a model, such as {'model': 'gpt-5-mini'}")
    api_key = options.get("api_key") or os.environ.get(KEY_VARIABLE)
    if not api_key:
        raise ConfigError(f"llm needs an api_key, or the environment variable {KEY_VARIABLE}")
    base_url = options.get("base_url") or os.environ.get(URL_VARIABLE)
    return ExtractionSettings(**{**options, "api_key": api_key, "base_url": base_url})


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _count(value: object) -> bool:
    return type(value) is int and value >= 1


_WHOLE: Final = ("a whole number of at least 1", _count)

_CHECKS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "call": ("a callable of messages that returns a text", callable),
    "model": ("the name of a model", _text),
    "api_key": ("a text, or a callable that returns one", lambda v: _text(v) or callable(v)),
    "base_url": ("a URL", _text),
    "timeout": ("a number of seconds above 0", lambda v: _number(v) and v > 0),
    "every": _WHOLE,
    "idle": ("a number of seconds of at least 0", lambda v: _number(v) and v >= 0),
    "batch": _WHOLE,
    "tries": _WHOLE,
    "calls_per_day": _WHOLE,
    "tokens_per_day": _WHOLE,
    "summaries": ("True or False", lambda v: isinstance(v, bool)),
    "verify": ("True or False", lambda v: isinstance(v, bool)),
}
