"""`threadkeep ui`: pages to look into the store with a browser."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from threadkeep.cli import http_server
from threadkeep.cli.http_server import AllowHost, AllowOrigin, Host, Keys, NoToken, Port
from threadkeep.cli.store import Backend, Namespace, Path, Url, require_existing, store_options

DEFAULT_PORT: Final = 8378
"""Beside that of `serve` and `mcp`."""


Write = Annotated[
    bool, typer.Option("--write", help="Also approve, delete and forget; else only look.")
]


def ui(
    context: typer.Context,
    port: Port = DEFAULT_PORT,
    host: Host = "127.0.0.1",
    write: Write = False,
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
    options = store_options(context, url, history_backend, path, namespace)
    endpoint = http_server.make_endpoint(host, port, keys, None, no_token, allow_host, allow_origin)

    def make_application(memory: Any, limits: Any) -> Any:
        from threadkeep.ui import app

        access_options = endpoint.application_options()
        return app(require_existing(memory), write=write, limits=limits, **access_options)

    http_server.run(options, make_application, endpoint, path="/", start_path="/start")
