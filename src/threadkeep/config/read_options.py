"""Reads options as they were given, in any spelling, into validated values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep.config.example_urls import url_of_option
from threadkeep.config.option_spec import GivenOption, OptionSpec
from threadkeep.config.setting_options import SETTINGS
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

Layer = Sequence[GivenOption]
"""Options of equal rank: given twice, they must agree."""

_MEANT: Final = {
    typed: meant
    for meant, typed_names in {
        "observe": "metrics telemetry tracing traces otel opentelemetry instrument",
        "llm": "model llm_model openai_model extractor",
        "ttl": "expire expires expires_in expiry expiration ttl_seconds retention retention_days "
        "max_age session_ttl lifetime",
        "key": "encryption_key encryption encrypt secret_key fernet_key keys",
        "window": "max_tokens token_limit max_messages max_turns policy policies",
        "namespace": "tenant tenant_id app app_name workspace project",
        "embedder": "embedding embeddings embed embedding_model",
        "redactor": "redact redaction pii mask filter",
    }.items()
    for typed in typed_names.split()
}
"""By option: what others call it."""

_USERS: Final = frozenset(("user", "user_id", "username", "owner"))

_WHOLE_ADDRESS: Final = frozenset(("url", "path", "client", "engine"))


def by_name(options: Iterable[OptionSpec]) -> dict[str, OptionSpec]:
    """The options of a store and of `connect`, by each of their names."""
    return {option_name: option for option in (*SETTINGS, *options) for option_name in option.keys}


def read_options(owner: str, options: Iterable[OptionSpec], *layers: Layer) -> dict[str, Any]:
    """Validated values by the argument or setting that each fills.

    Args:
        owner: what the options belong to, for errors.
        options: the options of the store.
        *layers: what was given; a later layer fills what the earlier ones leave open. What says
            where the store is, or who logs in, is never mixed from two layers.

    Raises:
        ConfigError: an option is unknown, not valid, or given twice and differently; the error
            names every spelling.
    """
    spec_by_name = by_name(options)
    value_by_target: dict[str, Any] = {}
    for layer in layers:
        replaced_parts = _replaced_parts(value_by_target)
        for target, (option_value, option_spec) in _read_layer(owner, spec_by_name, layer).items():
            if option_spec.part not in replaced_parts:
                value_by_target.setdefault(target, option_value)
    return value_by_target


def _replaced_parts(value_by_target: Mapping[str, Any]) -> frozenset[str]:
    """The parts of an address that a later layer must not add to."""
    if _WHOLE_ADDRESS & value_by_target.keys():
        return frozenset(("address", "login"))
    return frozenset(("address",)) if "host" in value_by_target else frozenset()


def _read_layer(
    owner: str, spec_by_name: Mapping[str, OptionSpec], layer: Layer
) -> dict[str, tuple[Any, OptionSpec]]:
    value_by_target: dict[str, tuple[Any, OptionSpec]] = {}
    source_by_target: dict[str, str] = {}
    for given_option in layer:
        option_spec = spec_by_name.get(given_option.name)
        if option_spec is None:
            raise _unknown_option(owner, given_option.name, spec_by_name)
        if given_option.value is None and option_spec.target != "ttl":
            continue
        parsed_value = option_spec.type.read(given_option.label, given_option.value)
        target = option_spec.target
        if target in value_by_target and not is_same(value_by_target[target][0], parsed_value):
            raise ConfigError(
                f"{target} is given twice, and differently: {source_by_target[target]} "
                f"and {given_option.source}"
            )
        value_by_target[target], source_by_target[target] = (
            (parsed_value, option_spec),
            given_option.source,
        )
    return value_by_target


def _unknown_option(owner: str, name: object, known_names: Collection[str]) -> ConfigError:
    known_name = _MEANT.get(name) if isinstance(name, str) else None
    if name in _USERS:
        return ConfigError(f"{owner} has no option {shown(name)}; write session(id, user=...)")
    hint = (
        f"; did you mean {shown(known_name)}?"
        if known_name in known_names
        else url_of_option(name) or did_you_mean(name, known_names)
    )
    return ConfigError(f"{owner} has no option {shown(name)}{hint}")


def is_same(first: object, second: object) -> bool:
    """Whether two values are equal; a foreign object's `==` may raise."""
    try:
        return first is second or bool(first == second)
    except Exception:
        return False
