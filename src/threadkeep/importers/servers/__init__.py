"""Servers of other libraries' histories, by URL: one module for each driver.

Only what is asked for is loaded, and a source is only read.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final

from threadkeep.errors import ConfigError, MissingExtra, did_you_mean
from threadkeep.importers.values import Context, Part

Sources = Iterator[tuple[str, Iterator[Part]]]
"""What is found at a URL: the name of a format, and what is read of it."""

_EXTRAS: Final = {
    "postgres": ("sql", "postgres"),
    "postgresql": ("sql", "postgres"),
    "mysql": ("sql", "mysql"),
    "mariadb": ("sql", "mysql"),
    "redis": ("redis", "redis"),
    "rediss": ("redis", "redis"),
    "valkey": ("redis", "redis"),
    "valkeys": ("redis", "redis"),
    "mongodb": ("mongodb", "mongodb"),
}


def kind_of(url: str) -> str:
    """The scheme of a URL, without the driver that another library would take.

    Raises:
        ConfigError: nothing is imported from there.
    """
    kind = url.partition("://")[0].partition("+")[0].lower()
    if kind in ("http", "https"):
        raise ConfigError("nothing is fetched from the web: download the export, pass the file")
    schemes = (*_EXTRAS, "sqlite")
    if kind not in schemes:
        raise ConfigError(
            "a URL to import from begins with sqlite://, postgresql://, mysql://, redis:// or "
            f"mongodb://{did_you_mean(kind, schemes)}"
        )
    return kind


def sources(url: str, context: Context) -> Sources:
    """What is found at the URL of a server.

    Raises:
        MissingExtra: its driver is not installed.
        ConfigError: the driver does not take the URL.
        BackendError: the server did not answer.
    """
    module, extra = _EXTRAS[kind_of(url)]
    try:
        read: Callable[[str, Context], Sources] = import_module(f"{__name__}.{module}").sources
    except ImportError as error:
        name = kind_of(url)
        raise MissingExtra(f'{name}:// needs its driver: pip install "threadkeep[{extra}]"') from (
            error
        )
    return read(url, context)
