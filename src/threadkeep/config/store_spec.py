"""The specification of a kind of store: its class and its options."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from threadkeep.config.option_spec import OptionSpec
from threadkeep.config.urls import Url, whole_url
from threadkeep.errors import MissingExtra


class StoreSpec(NamedTuple):
    """A kind of store.

    Attributes:
        module: the module of its class; imported when a store is opened.
        name: of the class.
        options: what may be said of it.
        arguments: arguments of the class, unless an option sets them.
        shared: settings of `connect` that the class takes, too.
        required: required options.
        service_keys: keys that the history service requires, unless a URL is given.
        schemes: its URL schemes; none = its name in the table.
        location: reads options from a URL, apart from its query.
        driver_parameters: names in the query of a URL that are left to the driver.
        extra: the extra that installs its driver.
        clients: classes of client objects that `connect` takes, as `package.Class`, each with the
            option that takes one.
        default_ttl: seconds a session lives after its last write, if nothing says it.
        resolve: checks and completes the options that belong together.
        variants: for each value of the option `db_type` the kind of store that it means.
    """

    module: str
    name: str
    options: tuple[OptionSpec, ...] = ()
    arguments: Mapping[str, Any] = {}
    shared: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    service_keys: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    location: Callable[[Url], dict[str, str]] = whole_url
    driver_parameters: frozenset[str] = frozenset()
    extra: str | None = None
    clients: Mapping[str, str] = {}
    default_ttl: float | None = None
    resolve: Callable[[dict[str, Any]], dict[str, Any]] = dict
    variants: Mapping[str, StoreSpec] = {}

    def load(self) -> Callable[..., Any]:
        """Import the class.

        Raises:
            MissingExtra: its driver is not installed.
        """
        try:
            store_class: Callable[..., Any] = getattr(
                importlib.import_module(self.module), self.name
            )
        except MissingExtra:
            raise
        except ImportError as error:
            if self.extra is None:
                raise
            raise MissingExtra(
                f"{error.name or 'a package'} is not installed: "
                f'pip install "threadkeep[{self.extra}]"'
            ) from error
        return store_class
