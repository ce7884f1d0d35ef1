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
    url, kind = flags.get("url"), _kind_of_flags(flags)
    if url is None and kind is None:
        url, kind = (os.environ.get(name) or None for name in (URL_VARIABLE, KIND_VARIABLE))
    if url is not None and kind is not None:
        raise ConfigError("a URL and a history backend contradict each other: give one of them")
    kind = kind if kind or url else _kind_of_variables()
    flag_options = [
        GivenOption(name, value, spelling=_flag(name))
        for name, value in flags.items()
        if name not in ("url", "history_backend")
    ]
    if kind is not None:
        is_known = kind in STORES
        stores = environment_defaults(kind) if is_known else ()
        options = list(expand_urls(kind, flag_options)) if is_known else flag_options
        return Source(kind, options, [*stores, *_settings()])
    if "path" in flags:
        raise ConfigError("--path needs --history-backend beside it, such as sqlite")
    source = from_url(url or DEFAULT_URL)
    return Source(source.kind, [*source.options, *flag_options], _settings())


def _kind_of_flags(flags: Mapping[str, str]) -> str | None:
    kind, owners = flags.get("history_backend"), flag_owners()
    for name in flags:
        if name in owners:
            owner = owners[name][0]
            kind = kind or owner
            if kind != owner:
                raise ConfigError(f"{_flag(name)} belongs to --history-backend {owner}")
    return kind


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _kind_of_variables() -> str | None:
    """The only kind of store that variables of ours speak of."""
    variables = {
        option.variable: kind
        for kind, option in flag_owners().values()
        if option.part == "address" and option.variable.startswith("THREADKEEP_")
    }
    matches = {name: kind for name, kind in variables.items() if os.environ.get(name)}
    if len(set(matches.values())) > 1:
        raise ConfigError(
            f"{' and '.join(matches)} name several stores: set {KIND_VARIABLE} to one of "
            f"{', '.join(sorted(set(matches.values())))}"
        )
    return next(iter(matches.values()), None)


def _settings() -> Layer:
    return [
        GivenOption(option.name, value, spelling=option.variable)
        for option in SETTINGS
        if option.variable and (value := os.environ.get(option.variable))
    ]
