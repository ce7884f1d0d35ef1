"""The store that flags and environment variables name, for the command line and `connect()`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from threadkeep.config.option_spec import GivenOption
from threadkeep.config.read_options import Layer
from threadkeep.config.setting_options import SETTINGS
from threadkeep.config.sources import Source, environment_defaults, expand_urls, from_url
from threadkeep.config.stores import STORES, flag_owners
from threadkeep.config.urls import DEFAULT_URL
from threadkeep.errors import ConfigError

URL_VARIABLE: Final = "THREADKEEP_URL"
KIND_VARIABLE: Final = "THREADKEEP_HISTORY_BACKEND"


def from_environment(flags: Mapping[str, str] | None = None) -> Source:
    """The store that flags name, or else the environment, or else `sqlite:///threadkeep.db`.

    Args:
        flags: by their names in the table of options, such as `redis_url`, also `url`,
            `history_backend`, `path` and `namespace`.

    Raises:
        ConfigError: they contradict each other.
    """
    flags = flags or {}
    url, given_kind = flags.get("url"), _kind_of_flags(flags)
    if url is None and given_kind is None:
        url, given_kind = (os.environ.get(name) or None for name in (URL_VARIABLE, KIND_VARIABLE))
    if url is not None and given_kind is not None:
        raise ConfigError("a URL and a history backend contradict each other: give one of them")
    store_kind = given_kind if given_kind or url else _kind_of_variables()
    flag_options = [
        GivenOption(option_name, option_value, spelling=_flag(option_name))
        for option_name, option_value in flags.items()
        if option_name not in ("url", "history_backend")
    ]
    if store_kind is not None:
        is_built_in = store_kind in STORES
        environment_options = environment_defaults(store_kind) if is_built_in else ()
        all_options = list(expand_urls(store_kind, flag_options)) if is_built_in else flag_options
        return Source(store_kind, all_options, [*environment_options, *_settings()])
    if "path" in flags:
        raise ConfigError("--path needs --history-backend beside it, such as sqlite")
    url_source = from_url(url or DEFAULT_URL)
    return Source(url_source.kind, [*url_source.options, *flag_options], _settings())


def _kind_of_flags(flags: Mapping[str, str]) -> str | None:
    store_kind, owner_by_flag = flags.get("history_backend"), flag_owners()
    for flag_name in flags:
        if flag_name in owner_by_flag:
            owner_kind = owner_by_flag[flag_name][0]
            store_kind = store_kind or owner_kind
            if store_kind != owner_kind:
                raise ConfigError(f"{_flag(flag_name)} belongs to --history-backend {owner_kind}")
    return store_kind


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _kind_of_variables() -> str | None:
    """The only kind of store that variables of ours speak of."""
    kind_by_variable = {
        option.variable: kind
        for kind, option in flag_owners().values()
        if option.part == "address" and option.variable.startswith("THREADKEEP_")
    }
    kinds_by_name = {name: kind for name, kind in kind_by_variable.items() if os.environ.get(name)}
    if len(set(kinds_by_name.values())) > 1:
        raise ConfigError(
            f"{' and '.join(kinds_by_name)} name several stores: set {KIND_VARIABLE} to one of "
            f"{', '.join(sorted(set(kinds_by_name.values())))}"
        )
    return next(iter(kinds_by_name.values()), None)


def _settings() -> Layer:
    return [
        GivenOption(option.name, variable_value, spelling=option.variable)
        for option in SETTINGS
        if option.variable and (variable_value := os.environ.get(option.variable))
    ]
