"""The options of single kinds of stores: one table, by the names that gateways of chat use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple

import typer

from threadkeep.errors import ConfigError


class Flag(NamedTuple):
    """An option of the command line, and what it says to `connect`."""

    backend: str
    option: str
    type: type
    help: str


FLAGS: Final[Mapping[str, Flag]] = {
    "postgres_db_url": Flag(
        "postgres", "url", str, "postgres://[user[:password]@][host][:port][/database]"
    ),
    "postgres_pool_max_size": Flag("postgres", "pool_size", int, "Connections; 16."),
    "redis_url": Flag("redis", "url", str, "redis://[:password@]host[:port][/db], or rediss://"),
    "redis_pool_max_size": Flag("redis", "pool_size", int, "Connections; 16."),
    "redis_retention_days": Flag(
        "redis", "retention_days", float, "Days after the last write; 30, -1 = for ever."
    ),
    "oracle_wallet_path": Flag("oracle", "wallet_path", str, "A folder [env: ATP_WALLET_PATH]."),
    "oracle_tns_alias": Flag("oracle", "tns_alias", str, "[env: ATP_TNS_ALIAS]."),
    "oracle_dsn": Flag("oracle", "dsn", str, "[env: ATP_DSN]."),
    "oracle_user": Flag("oracle", "user", str, "[env: ATP_USER]."),
    "oracle_password": Flag("oracle", "password", str, "Better by the environment: ATP_PASSWORD."),
    "oracle_external_auth": Flag("oracle", "external_auth", bool, "[env: ATP_EXTERNAL_AUTH]."),
    "oracle_pool_min": Flag("oracle", "pool_min", int, "1 [env: ATP_POOL_MIN]."),
    "oracle_pool_max": Flag("oracle", "pool_max", int, "16 [env: ATP_POOL_MAX]."),
    "oracle_pool_timeout_secs": Flag(
        "oracle", "pool_timeout_secs", float, "30 [env: ATP_POOL_TIMEOUT_SECS]."
    ),
}


def parameters() -> list[inspect.Parameter]:
    """What a command takes besides its own."""
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=None,
            annotation=Annotated[
                flag.type | None,
                typer.Option(f"--{name.replace('_', '-')}", help=flag.help, show_default=False),
            ],
        )
        for name, flag in FLAGS.items()
    ]


def added(function: Callable[..., None]) -> Callable[..., None]:
    """The function, which takes `**given`, with all of them in its signature."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[:-1]
    every = [*own, *parameters()]
    function.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    function.__annotations__ = {one.name: one.annotation for one in every}
    return function


def said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given."""
    return {name: given[name] for name in FLAGS if given.get(name) is not None}


def options(kind: str | None, given: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The kind of store that they mean, and its options.

    Raises:
        ConfigError: they are of different kinds, or of another than was said.
    """
    for name in given:
        belongs = FLAGS[name].backend
        kind = kind or belongs
        if kind != belongs:
            raise ConfigError(f"--{name.replace('_', '-')} belongs to --history-backend {belongs}")
    return kind, {FLAGS[name].option: value for name, value in given.items()}
