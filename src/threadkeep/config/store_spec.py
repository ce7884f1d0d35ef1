"""What a kind of store is: where its class lies, and what it takes."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from threadkeep.config.urls import Read, Url, nowhere
from threadkeep.errors import ConfigError, MissingExtra


class Store(NamedTuple):
    """A kind of store.

    Attributes:
        module: where its class is; imported when one is opened.
        name: of the class.
        options: what the class takes, and how each is read from the text of a URL.
        shared: settings of `connect` that the class takes as well.
        required: options without which there is none.
        schemes: of its URLs; none = its name in the table.
        place: options from a URL.
        extra: the extra that brings its driver.
        clients: classes, as `package.Class`, of objects of the application's own that are such a
            store, with the option that takes one.
        retention_days: days a session lives after its last write where no `ttl` is said; `None` =
            for ever, as with any other store, and it cannot be said in days.
    """

    module: str
    name: str
    options: Mapping[str, Read]
    shared: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    place: Callable[[Url], dict[str, Any]] = nowhere
    extra: str | None = None
    clients: Mapping[str, str] = {}
    retention_days: int | None = None

    def life(self, found: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
        """The `ttl` that days of retention mean, or that goes without saying; takes them out.

        Raises:
            ConfigError: the days are neither positive nor -1 (for ever).
        """
        if self.retention_days is None or ("ttl" in said and "retention_days" not in found):
            return {}
        days = found.pop("retention_days", self.retention_days)
        number = isinstance(days, int | float) and not isinstance(days, bool)
        if not number or not math.isfinite(days) or (days <= 0 and days != -1):
            raise ConfigError(
                f"retention_days must be a number of days above 0, or -1 = for ever, got {days!r}"
            )
        return {"ttl": 0 if days == -1 else days * 86_400}

    def load(self) -> Callable[..., Any]:
        """The class.

        Raises:
            MissingExtra: its driver is not installed.
        """
        try:
            found: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        except MissingExtra:
            raise
        except ImportError as error:
            if self.extra is None:
                raise
            raise MissingExtra(
                f"{error.name or 'a package'} is not installed: "
                f'pip install "threadkeep[{self.extra}]"'
            ) from error
        return found
