"""Reads options as they were given, in any spelling, into validated values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from threadkeep.config.example_urls import url_of_option
from threadkeep.config.option_spec import GivenOption, OptionSpec
from threadkeep.config.setting_options import SETTINGS
from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown

Layer = Sequence[GivenOption]
"""Options of equal rank: given twice, they must agree."""

_WHOLE_ADDRESS: Final = frozenset(("url", "path", "client", "engine"))


def by_name(options: Iterable[OptionSpec]) -> dict[str, OptionSpec]:
    """The options of a store and of `connect`, by each of their names."""
    return {name: option for option in (*SETTINGS, *options) for name in option.keys}


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
    table = by_name(options)
    values: dict[str, Any] = {}
    for layer in layers:
        replaced = _replaced_parts(values)
        for target, (value, option) in _read_layer(owner, table, layer).items():
            if option.part not in replaced:
                values.setdefault(target, value)
    return values


def _replaced_parts(values: Mapping[str, Any]) -> frozenset[str]:
    """The parts of an address that a later layer must not add to."""
    if _WHOLE_ADDRESS & values.keys():
        return frozenset(("address", "login"))
    return frozenset(("address",)) if "host" in values else frozenset()


def _read_layer(
    owner: str, table: Mapping[str, OptionSpec], layer: Layer
) -> dict[str, tuple[Any, OptionSpec]]:
    values: dict[str, tuple[Any, OptionSpec]] = {}
    labels: dict[str, str] = {}
    for entry in layer:
        option = table.get(entry.name)
        if option is None:
            hint = url_of_option(entry.name) or did_you_mean(entry.name, table)
            raise ConfigError(f"{owner} has no option {shown(entry.name)}{hint}")
        if entry.value is None and option.target != "ttl":
            continue
        parsed, target = option.type.read(entry.label, entry.value), option.target
        if target in values and not is_same(values[target][0], parsed):
            raise ConfigError(
                f"{target} is given twice, and differently: {labels[target]} and {entry.source}"
            )
        values[target], labels[target] = (parsed, option), entry.source
    return values


def is_same(first: object, second: object) -> bool:
    """Whether two values are equal; a foreign object's `==` may raise."""
    try:
        return first is second or bool(first == second)
    except Exception:
        return False
