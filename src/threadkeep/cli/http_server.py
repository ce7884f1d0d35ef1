"""What the commands that listen on a port share: their options, their door and their run."""

from __future__ import annotations

import ipaddress
import signal
import sys
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NoReturn

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.cli.store import StoreOptions
from threadkeep.errors import ConfigError
from threadkeep.printable import shown

if TYPE_CHECKING:
    from threadkeep.serve import Limits
    from threadkeep.serve.principal import Authenticator

DEFAULT_PORT: Final = 8377
_WILDCARDS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared, not bound

Port = Annotated[int, typer.Option(help="The port; 0 takes a free one.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Keys = Annotated[
    FilePath | None,
    typer.Option("--keys", help="The file of keys; only its owner may read it.", dir_okay=False),
]
NoToken = Annotated[
    bool, typer.Option("--no-token", help="Without --keys: let everybody on this machine in.")
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(help="A name that clients use for this server; may be repeated."),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(help="A web page's origin that may send requests; may be repeated."),
]


class Endpoint(NamedTuple):
    """Where a command listens, and whom it lets in.

    Attributes:
        host: the address.
        port: likewise; 0 takes a free one.
        authenticator: who may come in.
        hosts: the names that clients may use.
        origins: web pages of other origins that may send requests.
    """

    host: str
    port: int
    authenticator: Authenticator
    hosts: list[str]
    origins: list[str]

    def application_options(self) -> dict[str, Any]:
        """What applications take of it."""
        return {"keys": self.authenticator, "hosts": self.hosts, "origins": self.origins}


def make_endpoint(
    host: str,
    port: int,
    keys: FilePath | None,
    user: str | None,
    no_token: bool,
    allow_host: list[str] | None,
    allow_origin: list[str] | None,
) -> Endpoint:
    """Where to listen, by the options.

    Raises:
        ConfigError: the options contradict each other, or would let strangers in.
    """
    authenticator = _make_authenticator(host, keys, user, no_token)
    hosts = allowed_hosts(host, allow_host or [])
    return Endpoint(host, port, authenticator, hosts, allow_origin or [])


def run(
    options: StoreOptions,
    make_application: Callable[[Memory, Limits], Any],
    endpoint: Endpoint,
    *,
    path: str,
    start_path: str | None,
) -> None:
    """Serve an application of a store until a signal comes; the store is closed at the end.

    Args:
        options: of the store.
        make_application: called with the open store.
        endpoint: where to listen.
        path: what clients are to use, for the line that says so.
        start_path: where a browser swaps the one-time token for a cookie; `None` = nowhere.

    Raises:
        ConfigError: the address cannot be used.
    """
    from threadkeep.serve import Limits, server

    limits = Limits()
    with options.open() as memory:
        application = make_application(memory, limits)
        listener = server.bind(endpoint.host, endpoint.port)
        address = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        url = f"http://{address}:{listener.getsockname()[1]}"
        output.print_line(f"serving {shown(memory)} at {url}{path}")
        _print_run_key(url, endpoint.authenticator, start_path)
        signal.signal(signal.SIGTERM, _exit)
        server.server(application, limits).run(sockets=[listener])


def _make_authenticator(
    host: str, keys: FilePath | None, user: str | None, no_token: bool
) -> Authenticator:
    """Who may come in, by the options."""
    from threadkeep.serve import KeyFile, Loopback
    from threadkeep.serve.principal import RunKey

    if keys is not None:
        if no_token:
            raise ConfigError("--keys says who may come in: leave --no-token out")
        return KeyFile(keys)
    if not _is_loopback(host):
        raise ConfigError(f"host {host} is reached by others: pass --keys FILE")
    return Loopback(user) if no_token else RunKey(user)


def allowed_hosts(host: str, allowed: list[str]) -> list[str]:
    """The names that clients may use.

    Raises:
        ConfigError: the server listens on every address, and no name is given.
    """
    from threadkeep.serve.door import LOOPBACK_HOSTS

    if host in _WILDCARDS and not allowed:
        raise ConfigError(f"host {host} has no name: pass --allow-host with what clients call it")
    bound_names = [] if host in _WILDCARDS else [f"[{host}]" if ":" in host else host]
    return [*LOOPBACK_HOSTS, *bound_names, *allowed]


def _print_run_key(url: str, authenticator: Authenticator, start_path: str | None) -> None:
    from threadkeep.serve.principal import RunKey

    if isinstance(authenticator, RunKey):
        output.print_line(f"API key of this run: {authenticator.key}")
        if start_path is not None:
            output.print_line(f"in a browser, once: {url}{start_path}?token={authenticator.token}")


def _exit(*_: object) -> NoReturn:
    """Leave by an exception, so that the store is closed."""
    sys.exit(0)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
