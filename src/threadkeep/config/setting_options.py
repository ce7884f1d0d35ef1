"""The options of `connect` that do not depend on the store, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from threadkeep.config.option_spec import OptionSpec
from threadkeep.core.option_types import (
    FLAG,
    LIFETIME,
    POOL_SIZE,
    SECONDS,
    UNCHECKED,
    WAIT,
    OptionType,
    check,
)
from threadkeep.policies import as_policies


def _policies(name: str) -> OptionType:
    return OptionType("policies", lambda value: tuple(as_policies(value, name)))


def _namespace(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64


def _llm(value: object) -> bool:
    return callable(value) or isinstance(value, Mapping)


def _embedder(value: object) -> bool:
    from threadkeep.types.embedder import Embedder  # few bring one

    return callable(value) or isinstance(value, Embedder)


KEY_VARIABLE: Final = "THREADKEEP_KEY"
"""Never a flag, which other users of the machine could see."""

_object = partial(OptionSpec, text=False)


def _text(name: str, type: OptionType, help: str, default: str) -> OptionSpec:
    return OptionSpec(name, type, help, default, variable=f"THREADKEEP_{name.upper()}")


_NAMESPACE: Final = check(_namespace, "a str of 1 to 64 characters")
_CLOCK: Final = check(callable, "a callable that returns epoch seconds")
_LLM: Final = check(_llm, "a dict with a model, or a callable of messages that returns a text")
_EMBEDDER: Final = check(
    _embedder, "an Embedder, or a callable of a list of texts that returns a vector for each"
)
_REDACTOR: Final = check(callable, "a callable of a text and its kind that returns a text or None")

SETTINGS: Final = (
    _text("namespace", _NAMESPACE, "The part of an application or tenant.", "default"),
    _text("require_user", FLAG, "Refuse sessions and listings without a user.", "false"),
    _text("ttl", LIFETIME, "How long a session lives after its last write; 0 = for ever.", "0"),
    _text("pool_size", POOL_SIZE, "Connections, and threads for async callers.", "16"),
    _text("timeout", SECONDS, "How long a call may take.", "30"),
    _text("observe", FLAG, "Spans and metrics by OpenTelemetry.", "false"),
    _text("summary_ttl", LIFETIME, "How long a summary lives after its last use.", "5d"),
    _text("sweep_grace", WAIT, "How long a sweep leaves what has expired.", "3600"),
    OptionSpec("key", UNCHECKED, "Encrypts what is stored.", variable=KEY_VARIABLE, in_url=False),
    _object("window", _policies("window"), "The policies of `session.window()`."),
    _object("retain", _policies("retain"), "The policies that decide what stays stored."),
    _object("clock", _CLOCK, "For expiry and dates, instead of the server's."),
    _object("longterm", UNCHECKED, "Another store for long-term memory."),
    _object("llm", _LLM, "Learns from what was said."),
    _object("embedder", _EMBEDDER, "From texts to vectors."),
    _object("redactor", _REDACTOR, "What may be stored of a text."),
)
