"""`threadkeep serve`: the store over HTTP, and the keys of those who may use it."""

from __future__ import annotations

import os
from pathlib import Path as FilePath
from typing import Annotated, Any, Final

import typer

from threadkeep.cli import http_server, output
from threadkeep.cli.http_server import AllowHost, AllowOrigin, Host, Keys, NoToken, Port
from threadkeep.cli.store import Backend, Namespace, Path, Url, store_options
from threadkeep.errors import ConfigError

UPSTREAM_KEY_VARIABLE: Final = "THREADKEEP_UPSTREAM_KEY"

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


ServedUser = Annotated[
    str | None,
    typer.Option(help="Without --keys: whose data is served [default: everybody's]."),
]
Upstream = Annotated[
    str | None,
    typer.Option(help="The base URL of an OpenAI-compatible server, up to /v1."),
]
UpstreamKeyFile = Annotated[
    FilePath | None,
    typer.Option(help=f"Its API key [env: {UPSTREAM_KEY_VARIABLE}].", dir_okay=False),
]
Ui = Annotated[bool, typer.Option("--ui", help="Also pages for browsers, at /ui; read-only.")]


@app.callback()
def serve(
    context: typer.Context,
    port: Port = http_server.DEFAULT_PORT,
    host: Host = "127.0.0.1",
    keys: Keys = None,
    user: ServedUser = None,
    no_token: NoToken = False,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    upstream: Upstream = None,
    upstream_key_file: UpstreamKeyFile = None,
    ui: Ui = False,
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
    if keys is not None and user is not None:
        raise ConfigError("--keys says who may come in: leave --user out")
    options = store_options(context, url, history_backend, path, namespace)
    endpoint = http_server.make_endpoint(host, port, keys, user, no_token, allow_host, allow_origin)
    access_options, proxy = endpoint.application_options(), _upstream(upstream, upstream_key_file)

    def make_application(memory: Any, limits: Any) -> Any:
        from threadkeep.serve import app as serve_app

        ui_pages = _pages(memory, limits, access_options) if ui else None
        return serve_app(memory, limits=limits, ui=ui_pages, **access_options, **proxy)

    start_path = "/ui/start" if ui else "/"
    http_server.run(options, make_application, endpoint, path="/v1", start_path=start_path)


@keys_app.command("add")
def add_key(
    user: Annotated[str, typer.Argument(help="Whose data the key opens.")],
    keys: Keys = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, write, metrics or admin [default: read and write]."),
    ] = None,
) -> None:
    """Make a key for a user; it is shown once, and only its hash is stored."""
    from threadkeep.serve import keys as key_file

    if keys is None:
        raise ConfigError("keys: pass --keys FILE")
    output.print_line(key_file.add_key(keys, user, scope or ["read", "write"]))


def _pages(memory: Any, limits: Any, access: dict[str, Any]) -> Any:
    """The pages of `threadkeep ui`, for whom the API is."""
    from threadkeep.ui import app as ui_app

    return ui_app(memory, limits=limits, **access)


def _upstream(upstream: str | None, key_file: FilePath | None) -> dict[str, Any]:
    """The options of the proxy."""
    if upstream is None:
        if key_file is not None:
            raise ConfigError("--upstream-key-file needs --upstream URL")
        return {}
    if key_file is not None:
        return {"upstream": upstream, "upstream_key": key_file}
    return {"upstream": upstream, "upstream_key": os.environ.get(UPSTREAM_KEY_VARIABLE) or None}
