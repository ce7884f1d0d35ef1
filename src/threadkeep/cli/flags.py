"""Options for particular backends, in one table; the names are those of common chat gateways."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple

import typer

from threadkeep.errors import ConfigError


class Flag(NamedTuple):
    """A command-line option and the `connect` option it sets."""

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
    """The parameters that are added to each command."""
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


def with_flags(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags to the signature of a function that takes `**flag_values`."""
    declared = list(inspect.signature(function, eval_str=True).parameters.values())[:-1]
    all_parameters = [*declared, *parameters()]
    function.__signature__ = inspect.Signature(all_parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {
        parameter.name: parameter.annotation for parameter in all_parameters
    }
    return function


def specified(flag_values: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that are set on the command line."""
    return {name: flag_values[name] for name in FLAGS if flag_values.get(name) is not None}


def backend_options(
    kind: str | None, flag_values: Mapping[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    """The backend that the flags belong to, and its options.

    Raises:
        ConfigError: the flags belong to different backends, or not to `kind`.
    """
    for name in flag_values:
        owner = FLAGS[name].backend
        kind = kind or owner
        if kind != owner:
            raise ConfigError(f"--{name.replace('_', '-')} belongs to --history-backend {owner}")
    return kind, {FLAGS[name].option: value for name, value in flag_values.items()}
