"""Where the options of a store come from: a URL, a dict, a path or a client object."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

from threadkeep.config.example_urls import SQLITE_SUFFIXES, example_url, url_of_address
from threadkeep.config.option_spec import GivenOption
from threadkeep.config.read_options import Layer, by_name
from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.stores import STORES, kind_of_scheme
from threadkeep.config.urls import Url, safe_scheme, whole_url
from threadkeep.core.url_check import check_names_behind_secret, check_values
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

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
    if meant := url_of_address(text):
        raise ConfigError(f"{shown(meant)} is what a URL looks like; this one has no scheme")
    kind = kind_of_scheme(url.scheme)
    store = StoreSpec("", "") if kind is None else STORES[kind]
    return Source(kind or url.scheme, _url_options(url, store))


def _url_options(url: Url, store: StoreSpec) -> list[GivenOption]:
    check_values(url.query, "the URL")
    table = by_name(store.options)
    pieces = [piece.partition("=") for piece in url.query.split("&") if piece]
    check_names_behind_secret(
        [unquote_plus(name) for name, _, _ in pieces], {*table, *store.driver_parameters}
    )
    ours, remaining = [], []
    for name, equals, value in pieces:
        piece = f"{name}{equals}{value}"
        name = unquote_plus(name)
        is_parameter = name in table and name in table[name].parameters
        if store.location is whole_url and (not is_parameter or name in store.driver_parameters):
            remaining.append(piece)
        else:
            ours.append(GivenOption(name, unquote_plus(value), "in the URL"))
    for name, count in Counter(option.name for option in ours).items():
        if count > 1:
            raise ConfigError(f"{name} is given twice in the URL")
    location = store.location(url)
    if remaining:
        location["url"] += "?" + "&".join(remaining)
    return [*(GivenOption(*entry, "of the URL") for entry in location.items()), *ours]


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
    kinds = {name: config[name] for name in _KIND_KEYS if name in config}
    options = [
        GivenOption(name, value, "in the dict")
        for name, value in config.items()
        if name not in kinds
    ]
    kind = next(iter(kinds.values()), None)
    if any(other != kind for other in kinds.values()):
        raise ConfigError("type and history_backend contradict each other: give one of them")
    if kind is None and "url" in config:
        return _from_url_option(options)
    if not kinds:
        return Source("memory", options)
    if isinstance(kind, str) and kind not in STORES:
        kind = (
            kind_of_scheme(kind) or kind
        )  # `postgresql` is what the kind `postgres` is called too
    if not (isinstance(kind, str) and kind in STORES):
        return Source(kind, options)
    return Source(kind, list(expand_urls(kind, options)), environment_defaults(kind))


def _from_url_option(options: Layer) -> Source:
    """Read options whose `url` says the kind of store."""
    source = from_url(next(option.value for option in options if option.name == "url"))
    return Source(source.kind, [*source.options, *(o for o in options if o.name != "url")])


def expand_urls(kind: str, options: Layer) -> Iterator[GivenOption]:
    """The options, with those that the query of a URL among them holds.

    Raises:
        ConfigError: the URL is one of another kind of store.
    """
    specs_by_name = by_name(STORES[kind].options)
    for option in options:
        names_a_url = option.name == "url" or (
            option.name in specs_by_name and specs_by_name[option.name].target == "url"
        )
        if not names_a_url or option.value is None:
            yield option
            continue
        source = from_url(option.value)
        if source.kind != kind:
            raise ConfigError(
                f"type and {option.label} contradict each other: the type is {shown(kind)}, "
                f"the url says {shown(safe_scheme(source.kind))}"
            )
        for part in source.options:
            yield option._replace(value=part.value) if part.name == "url" else part


def environment_defaults(kind: str) -> Layer:
    """What the environment says of a kind of store."""
    options = [
        GivenOption(option.name, value, spelling=option.variable)
        for option in STORES[kind].options
        if option.variable and (value := os.environ.get(option.variable))
    ]
    return list(expand_urls(kind, options))
