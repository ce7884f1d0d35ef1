"""Looks up stores by URL scheme, name or client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.config.store_spec import StoreSpec
from threadkeep.config.stores import STORES
from threadkeep.config.urls import (
    DEFAULT_URL,
    URL_SETTINGS,
    OptionParser,
    Url,
    parse_flag,
    safe_scheme,
    url_option,
    without_secrets,
)
from threadkeep.errors import ConfigError, did_you_mean

__all__ = [
    "DEFAULT_URL",
    "URL_SETTINGS",
    "STORES",
    "OptionParser",
    "StoreSpec",
    "Url",
    "store_of_client",
    "kind_of_scheme",
    "safe_scheme",
    "display_name",
    "unknown_store",
    "expected_value",
    "url_option",
]


def expected_value(read: OptionParser) -> str:
    """The expected type of an option, in words."""
    return {int: "a whole number", float: "a number", parse_flag: "true or false"}.get(
        read, "a text"
    )


def kind_of_scheme(scheme: str) -> str | None:
    """The kind of store of a URL scheme; `None` = unknown."""
    for kind, store in STORES.items():
        if scheme in (store.schemes or (kind,)):
            return kind
    return None


def store_of_client(client: object) -> tuple[str, dict[str, Any]] | None:
    """The kind of store of an application's client object, with its options; `None` = unknown."""
    classes = type(client).__mro__
    names = {f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}" for cls in classes}
    for kind, store in STORES.items():
        for name, option in store.clients.items():
            if name in names:
                return kind, {option: client}
    return None


def display_name(kind: str, options: Mapping[str, Any]) -> str:
    """A store's name for people: its location, without secrets."""
    if "url" in options:
        return without_secrets(str(options["url"]))
    return " ".join(str(part) for part in (kind, options.get("path", "")) if part)


def unknown_store(kind: object, other_kinds: tuple[str, ...] = ()) -> ConfigError:
    """The error for an unknown kind of store."""
    schemes = {scheme for name, store in STORES.items() for scheme in (name, *store.schemes)}
    hint = did_you_mean(kind, [*schemes, *other_kinds])
    return ConfigError(f"no store of type {safe_scheme(kind)!r}{hint}")
