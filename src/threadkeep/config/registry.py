"""Which stores `connect` knows, and how a URL, a name or a client leads to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.config.store_spec import Store
from threadkeep.config.stores import STORES
from threadkeep.config.urls import (
    DEFAULT,
    IN_URLS,
    Read,
    Url,
    flag,
    public,
    whole,
    without_secrets,
)
from threadkeep.errors import ConfigError, did_you_mean

__all__ = [
    "DEFAULT",
    "IN_URLS",
    "STORES",
    "Read",
    "Store",
    "Url",
    "of_client",
    "of_scheme",
    "public",
    "shown",
    "unknown",
    "wanted",
    "whole",
]


def wanted(read: Read) -> str:
    """What a value must be, in words."""
    return {int: "a whole number", float: "a number", flag: "true or false"}.get(read, "a text")


def of_scheme(scheme: str) -> str | None:
    """The kind of store that URLs of a scheme lead to; `None` = none of this table."""
    for kind, store in STORES.items():
        if scheme in (store.schemes or (kind,)):
            return kind
    return None


def of_client(client: object) -> tuple[str, dict[str, Any]] | None:
    """The kind of store that an object of the application's own is, and its options."""
    classes = type(client).__mro__
    names = {f"{one.__module__.partition('.')[0]}.{one.__qualname__}" for one in classes}
    for kind, store in STORES.items():
        for name, option in store.clients.items():
            if name in names:
                return kind, {option: client}
    return None


def shown(kind: str, options: Mapping[str, Any]) -> str:
    """A store as people may see it: where it is, and no secret."""
    if "url" in options:
        return without_secrets(str(options["url"]))
    return " ".join(str(part) for part in (kind, options.get("path", "")) if part)


def unknown(kind: object, others: tuple[str, ...] = ()) -> ConfigError:
    """The error about a kind of store that there is not."""
    schemes = {scheme for name, store in STORES.items() for scheme in (name, *store.schemes)}
    hint = did_you_mean(kind, [*schemes, *others])
    return ConfigError(f"no store of type {public(kind)!r}{hint}")
