"""`threadkeep serve`: the store over HTTP, and the keys of those who may use it."""

from __future__ import annotations

import ipaddress
import os
import signal
import sys
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from threadkeep.cli import output
from threadkeep.cli.store import Backend, Namespace, Path, StoreOptions, Url
from threadkeep.errors import ConfigError

if TYPE_CHECKING:
    from threadkeep.serve.principal import Authenticator

DEFAULT_PORT: Final = 8377
UPSTREAM_KEY_VARIABLE: Final = "THREADKEEP_UPSTREAM_KEY"
_WILDCARDS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared, not bound

app = typer.Typer(
    name="serve",
    invoke_without_command=True,
    subcommand_metavar="[keys ...]",
    add_completion=False,
    rich_markup_mode=None,
)
keys_app = typer.Typer(
    name="keys", help="Keys for clients.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(keys_app)

KeysOption = Annotated[
    FilePath | None,
    typer.Option("--keys", help="The file of keys; only its owner may read it.", dir_okay=False),
]


@app.callback()
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.")] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    keys: KeysOption = None,
    user: Annotated[
        str | None,
        typer.Option(help="Without --keys: whose data is served [default: everybody's]."),
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option("--no-token", help="Without --keys: let everybody on this machine in."),
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name that clients use for this server; may be repeated."),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(help="A web page's origin that may send requests; may be repeated."),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(help="The base URL of an OpenAI-compatible server, up to /v1."),
    ] = None,
    upstream_key_file: Annotated[
        FilePath | None,
        typer.Option(help=f"Its API key [env: {UPSTREAM_KEY_VARIABLE}].", dir_okay=False),
    ] = None,
    url: Url = None,
    history_backend: Backend = None,
    path: Path = None,
    namespace: Namespace = None,
) -> None:
    """Serve the store over HTTP, in the shapes of the OpenAI API.

    Without --keys only this machine is served, with a key that is printed and holds for this run.
    """
    if context.invoked_subcommand is not None:
        return
    options = StoreOptions(url, history_backend, path, namespace).with_defaults(
        context.obj or StoreOptions()
    )
    authenticator = _authenticator(host, keys, user, no_token)
    _run(
        options,
        host,
        port,
        authenticator,
        hosts=_hosts(host, allow_host or []),
        origins=allow_origin or [],
        **_upstream(upstream, upstream_key_file),
    )


@keys_app.command("add")
def add_key(
    user: Annotated[str, typer.Argument(help="Whose data the key opens.")],
    keys: KeysOption = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, write or admin; may be repeated [default: read and write]."),
    ] = None,
) -> None:
    """Make a key for a user; it is shown once, and only its hash is stored."""
    from threadkeep.serve import keys as key_file

    if keys is None:
        raise ConfigError("keys: pass --keys FILE")
    output.print_line(key_file.add_key(keys, user, scope or ["read", "write"]))


def _run(
    options: StoreOptions, host: str, port: int, authenticator: Authenticator, **settings: Any
) -> None:
    from threadkeep.serve import Limits, server
    from threadkeep.serve import app as make_application

    limits = Limits()
    with options.open() as memory:
        application = make_application(memory, keys=authenticator, limits=limits, **settings)
        listener = server.bind(host, port)
        address = f"[{host}]" if ":" in host else host
        url = f"http://{address}:{listener.getsockname()[1]}"
        output.print_line(f"serving {memory!r} at {url}/v1")
        _print_run_key(url, authenticator)
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, _exit)
        server.server(application, limits).run(sockets=[listener])


def _exit(*_: object) -> NoReturn:
    """Leave by an exception, so that the store is closed."""
    sys.exit(0)


def _print_run_key(url: str, authenticator: Authenticator) -> None:
    from threadkeep.serve.principal import RunKey

    if isinstance(authenticator, RunKey):
        output.print_line(f"API key of this run: {authenticator.key}")
        output.print_line(f"in a browser, once: {url}/?token={authenticator.token}")


def _authenticator(
    host: str, keys: FilePath | None, user: str | None, no_token: bool
) -> Authenticator:
    from threadkeep.serve import KeyFile, Loopback
    from threadkeep.serve.principal import RunKey

    if keys is not None:
        if user is not None or no_token:
            raise ConfigError("--keys says who may come in: leave --user and --no-token out")
        return KeyFile(keys)
    if not _is_loopback(host):
        raise ConfigError(f"host {host} is reached by others: pass --keys FILE")
    return Loopback(user) if no_token else RunKey(user)


def _hosts(host: str, allowed: list[str]) -> list[str]:
    from threadkeep.serve.door import LOOPBACK_HOSTS

    if host in _WILDCARDS and not allowed:
        raise ConfigError(f"host {host} has no name: pass --allow-host with what clients call it")
    own = [] if host in _WILDCARDS else [f"[{host}]" if ":" in host else host]
    return [*LOOPBACK_HOSTS, *own, *allowed]


def _upstream(upstream: str | None, key_file: FilePath | None) -> dict[str, Any]:
    """The options of the proxy."""
    if upstream is None:
        if key_file is not None:
            raise ConfigError("--upstream-key-file needs --upstream URL")
        return {}
    if key_file is not None:
        return {"upstream": upstream, "upstream_key": key_file}
    return {"upstream": upstream, "upstream_key": os.environ.get(UPSTREAM_KEY_VARIABLE) or None}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
