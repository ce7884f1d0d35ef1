"""The specification of a kind of store: its class and its options."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from threadkeep.config.urls import OptionParser, Url, no_location
from threadkeep.errors import ConfigError, MissingExtra


class StoreSpec(NamedTuple):
    """A kind of store.

    Attributes:
        module: the module of its class; imported when a store is opened.
        name: of the class.
        options: the options of the class, each with a parser of its text in a URL.
        shared: settings of `connect` that the class takes, too.
        required: required options.
        schemes: its URL schemes; none = its name in the table.
        url_options: reads options from a URL.
        extra: the extra that installs its driver.
        clients: classes of client objects that `connect` takes, as `package.Class`, each with the
            option that takes one.
        retention_days: days a session lives after its last write if `ttl` is not set; `None` = for
            ever, and the store has no option in days.
    """

    module: str
    name: str
    options: Mapping[str, OptionParser]
    shared: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    url_options: Callable[[Url], dict[str, Any]] = no_location
    extra: str | None = None
    clients: Mapping[str, str] = {}
    retention_days: int | None = None

    def session_ttl(
        self, store_options: dict[str, Any], settings: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The `ttl` from `retention_days` or the default; removes `retention_days`.

        Raises:
            ConfigError: the days are neither positive nor -1 (for ever).
        """
        if self.retention_days is None or (
            "ttl" in settings and "retention_days" not in store_options
        ):
            return {}
        days = store_options.pop("retention_days", self.retention_days)
        number = isinstance(days, int | float) and not isinstance(days, bool)
        if not number or not math.isfinite(days) or (days <= 0 and days != -1):
            raise ConfigError(
                f"retention_days must be a number of days above 0, or -1 = for ever, got {days!r}"
            )
        return {"ttl": 0 if days == -1 else days * 86_400}

    def load(self) -> Callable[..., Any]:
        """Import the class.

        Raises:
            MissingExtra: its driver is not installed.
        """
        try:
            factory: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        except MissingExtra:
            raise
        except ImportError as error:
            if self.extra is None:
                raise
            raise MissingExtra(
                f"{error.name or 'a package'} is not installed: "
                f'pip install "threadkeep[{self.extra}]"'
            ) from error
        return factory
