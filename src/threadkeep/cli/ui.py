"""`threadkeep ui`: pages to look into the store with a browser."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from threadkeep.cli import http_server
from threadkeep.cli.http_server import AllowHost, AllowOrigin, Host, Keys, NoToken, Port
from threadkeep.cli.store import Backend, Namespace, Path, StoreOptions, Url, require_existing

DEFAULT_PORT: Final = 8378
"""Beside that of `serve` and `mcp`."""


def ui(
    context: typer.Context,
    port: Port = DEFAULT_PORT,
    host: Host = "127.0.0.1",
    write: Annotated[
        bool, typer.Option("--write", help="Also approve, delete and forget; else only look.")
    ] = False,
    keys: Keys = None,
    no_token: NoToken = False,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    url: Url = None,
    history_backend: Backend = None,
    path: Path = None,
    namespace: Namespace = None,
) -> None:
    """Look into the store with a browser: sessions, windows, what is known of users.

    Without --keys only this machine is served, by a URL with a token that one browser can use once.
    """
    options = StoreOptions(url, history_backend, path, namespace)
    authenticator = http_server.make_authenticator(host, keys, None, no_token)
    hosts = http_server.allowed_hosts(host, allow_host or [])

    def make_application(memory: Any, limits: Any) -> Any:
        from threadkeep.ui import app

        return app(
            require_existing(memory),
            keys=authenticator,
            write=write,
            hosts=hosts,
            origins=allow_origin or [],
            limits=limits,
        )

    http_server.run(
        options.with_defaults(context.obj or StoreOptions()),
        make_application,
        authenticator,
        host=host,
        port=port,
        path="/",
        start_path="/start",
    )
