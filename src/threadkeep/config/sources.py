"""Where the options of a store come from: a URL, a dict, a path or a client object."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

from threadkeep.config import example_urls
from threadkeep.config.example_urls import SQLITE_SUFFIXES, example_url, url_of_address
from threadkeep.config.option_spec import GivenOption
from threadkeep.config.read_options import Layer, by_name
from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.stores import STORES, kind_of_scheme
from threadkeep.config.urls import Url, safe_scheme, whole_url
from threadkeep.core.url_check import check_names_behind_secret, check_values
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

_log = logging.getLogger("threadkeep")

_KIND_KEYS: Final = ("type", "history_backend")


class Source(NamedTuple):
    """A kind of store, the options that were given, and defaults for the others."""

    kind: object
    options: Layer
    defaults: Layer = ()


def from_url(text: object) -> Source:
    """Read a URL.

    Raises:
        ConfigError: it cannot be read; the error does not repeat it.
    """
    if not isinstance(text, str):
        raise ConfigError(f"url must be a str, got {type(text).__name__}")
    url = Url.parse(text)
    if url is None:
        raise ConfigError(f"{example_url(text)} is what a URL looks like; this one has no scheme")
    if similar_url := url_of_address(text):
        raise ConfigError(f"{shown(similar_url)} is what a URL looks like; this one has no scheme")
    store_kind = kind_of_scheme(url.scheme)
    store_spec = StoreSpec("", "") if store_kind is None else STORES[store_kind]
    return Source(store_kind or url.scheme, _url_options(url, store_spec))


def _url_options(url: Url, store: StoreSpec) -> list[GivenOption]:
    check_values(url.query, "the URL")
    own_options, driver_parameters = _query_options(url.query, store)
    for option_name, occurrences in Counter(option.name for option in own_options).items():
        if occurrences > 1:
            raise ConfigError(f"{option_name} is given twice in the URL")
    location = store.location(url)
    if driver_parameters:
        location["url"] += "?" + "&".join(driver_parameters)
    location_options = [GivenOption(name, value, "of the URL") for name, value in location.items()]
    return [*location_options, *own_options]


def _query_options(query: str, store: StoreSpec) -> tuple[list[GivenOption], list[str]]:
    """The options in a URL's query, and the parameters that its driver reads, as they are."""
    raw_parameters = [piece.partition("=") for piece in query.split("&") if piece]
    check_names_behind_secret(
        [unquote_plus(name) for name, _, _ in raw_parameters],
        {*by_name(store.options), *store.driver_parameters},
    )
    options, driver_parameters = [], []
    for encoded_name, equals_sign, encoded_value in raw_parameters:
        option_name = unquote_plus(encoded_name)
        if _is_of_driver(option_name, store):
            driver_parameters.append(f"{encoded_name}{equals_sign}{encoded_value}")
        else:
            options.append(GivenOption(option_name, unquote_plus(encoded_value), "in the URL"))
    return options, driver_parameters


def _is_of_driver(name: str, store: StoreSpec) -> bool:
    """Whether the driver reads a parameter of the URL itself."""
    if store.location is not whole_url:
        return False
    spec = by_name(store.options).get(name)
    return spec is None or name not in spec.parameters or name in store.driver_parameters


def from_path(path: Path) -> Source:
    """Read the path of an SQLite file, or of a folder that is there."""
    path = path.expanduser()
    if not path.is_dir() and path.suffix not in SQLITE_SUFFIXES:
        raise ConfigError(
            f"{path} should end in one of {', '.join(sorted(SQLITE_SUFFIXES))}, or be a folder "
            "that is there; 'file:...' makes one"
        )
    return Source("file" if path.is_dir() else "sqlite", [GivenOption("path", path)])


def from_dict(config: Mapping[str, Any]) -> Source:
    """Read a dict: a kind of store as `type` or `history_backend`, or a URL, and options.

    Raises:
        ConfigError: the kinds contradict each other.
    """
    kind_by_key = {
        config_key: config[config_key] for config_key in _KIND_KEYS if config_key in config
    }
    options = [
        GivenOption(config_key, config_value, "in the dict")
        for config_key, config_value in config.items()
        if config_key not in kind_by_key
    ]
    store_kind = next(iter(kind_by_key.values()), None)
    if any(other_kind != store_kind for other_kind in kind_by_key.values()):
        raise ConfigError("type and history_backend contradict each other: give one of them")
    if store_kind is None and "url" in config:
        return _from_url_option(options)
    if not kind_by_key:
        return _from_untyped(options)
    if isinstance(store_kind, str) and store_kind not in STORES:
        # `postgresql` is what the kind `postgres` is called too
        store_kind = kind_of_scheme(store_kind) or store_kind
    if not (isinstance(store_kind, str) and store_kind in STORES):
        return Source(store_kind, options)
    return Source(
        store_kind, list(expand_urls(store_kind, options)), environment_defaults(store_kind)
    )


def _from_untyped(options: Layer) -> Source:
    """Read options without a kind of store, which are of `memory`, and say so in the log."""
    for option in options:
        if not example_urls.url_of_option(option.name) and _is_of_another_store(option.name):
            raise ConfigError(
                f"{shown(option.name)} belongs to a store, and the dict names no type of store: "
                "add one, such as {'type': 'sqlite', 'path': 'chat.db'}"
            )
    _log.warning(
        "connect() got a dict without a type, which keeps chats in this process only: add "
        "'type': 'sqlite' or another, or 'type': 'memory' if that is meant"
    )
    return Source("memory", options)


def _is_of_another_store(name: object) -> bool:
    named_stores = [store for store in STORES.values() if name in by_name(store.options)]
    return bool(named_stores) and STORES["memory"] not in named_stores


def _from_url_option(options: Layer) -> Source:
    """Read options whose `url` says the kind of store."""
    url_source = from_url(next(option.value for option in options if option.name == "url"))
    return Source(
        url_source.kind,
        [*url_source.options, *(option for option in options if option.name != "url")],
    )


def expand_urls(kind: str, options: Layer) -> Iterator[GivenOption]:
    """The options, with those that the query of a URL among them holds.

    Raises:
        ConfigError: the URL is one of another kind of store.
    """
    spec_by_name = by_name(STORES[kind].options)
    for option in options:
        is_url_option = option.name == "url" or (
            option.name in spec_by_name and spec_by_name[option.name].target == "url"
        )
        if not is_url_option or option.value is None:
            yield option
            continue
        url_source = from_url(option.value)
        if url_source.kind != kind:
            raise ConfigError(
                f"type and {option.label} contradict each other: the type is {shown(kind)}, "
                f"the url says {shown(safe_scheme(url_source.kind))}"
            )
        for url_option in url_source.options:
            yield (
                option._replace(value=url_option.value) if url_option.name == "url" else url_option
            )


def environment_defaults(kind: str) -> Layer:
    """What the environment says of a kind of store."""
    variable_options = [
        GivenOption(option.name, variable_value, spelling=option.variable)
        for option in STORES[kind].options
        if option.variable and (variable_value := os.environ.get(option.variable))
    ]
    return list(expand_urls(kind, variable_options))
