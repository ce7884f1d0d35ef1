"""`threadkeep mcp`: a user's memory as tools for agents, over stdio or HTTP."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

import typer

from threadkeep.cli import http_server
from threadkeep.cli.http_server import AllowHost, AllowOrigin, Endpoint, Host, Keys, NoToken, Port
from threadkeep.cli.store import Backend, Namespace, Path, StoreOptions, Url, store_options
from threadkeep.errors import ConfigError

User = Annotated[
    str | None, typer.Option(help="Whose memory it is; with --keys, each key says that.")
]
AllowErase = Annotated[
    bool, typer.Option("--allow-erase", help="Let forget erase facts, not only hide them.")
]
Project = Annotated[
    FilePath | None,
    typer.Option(
        help="Over stdio: recall what was said in this folder's project, unless asked for all "
        "[default: where it is started].",
        show_default=False,
    ),
]
AllProjects = Annotated[
    bool, typer.Option("--all-projects", help="Recall what was said in any project.")
]
Http = Annotated[bool, typer.Option("--http", help="Serve HTTP, at /mcp, instead of stdio.")]


def mcp(
    context: typer.Context,
    user: User = None,
    allow_erase: AllowErase = False,
    project: Project = None,
    all_projects: AllProjects = False,
    http: Http = False,
    port: Port = http_server.DEFAULT_PORT,
    host: Host = "127.0.0.1",
    keys: Keys = None,
    no_token: NoToken = False,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    url: Url = None,
    history_backend: Backend = None,
    path: Path = None,
    namespace: Namespace = None,
) -> None:
    """Serve a user's memory to agents: recall, remember, forget, sessions, read_session."""
    if user is None and keys is None:
        raise ConfigError("user: pass --user, whose memory it is")
    if not http and (keys is not None or no_token):
        raise ConfigError("--keys and --no-token are for --http")
    options = store_options(context, url, history_backend, path, namespace)
    if not http:
        project_folder = None if all_projects else project or FilePath.cwd()
        _run_stdio(options, user, allow_erase, project_folder)
        return
    if project is not None:
        raise ConfigError("--project is for stdio: clients of --http are in projects of their own")
    endpoint = http_server.make_endpoint(host, port, keys, user, no_token, allow_host, allow_origin)
    _run_http(options, endpoint, user, allow_erase)


def _run_http(
    options: StoreOptions, endpoint: Endpoint, user: str | None, allow_erase: bool
) -> None:
    def make_application(memory: Any, limits: Any) -> Any:
        from threadkeep.mcp import app

        access = endpoint.application_options()
        return app(memory, user=user, allow_erase=allow_erase, limits=limits, **access)

    http_server.run(options, make_application, endpoint, path="/mcp", start_path=None)


def _run_stdio(
    options: StoreOptions, user: str | None, allow_erase: bool, folder: FilePath | None
) -> None:
    from threadkeep.mcp import server

    with options.open() as memory:
        server(memory, user=user, allow_erase=allow_erase, project=folder).run("stdio")
