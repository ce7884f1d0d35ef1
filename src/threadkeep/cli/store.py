"""Which store a command looks into: options that may stand before or after the command."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import typer

from threadkeep import connect
from threadkeep.api.memory import Memory
from threadkeep.cli import flags, output
from threadkeep.errors import BackendError, ConfigError

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Where the store is, such as sqlite:///chat.db [env: THREADKEEP_URL].",
        show_default=False,
    ),
]
Backend = Annotated[
    str | None,
    typer.Option(
        "--history-backend",
        help=(
            "The kind of store: sqlite, file, memory, none, postgres, mysql, oracle, redis, "
            "mongodb [env: THREADKEEP_HISTORY_BACKEND]."
        ),
        show_default=False,
    ),
]
Path = Annotated[
    str | None,
    typer.Option("--path", help="The file or folder of that kind of store.", show_default=False),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace", help="The application's or tenant's part of it.", show_default="default"
    ),
]
ENVIRONMENT = ("THREADKEEP_URL", "THREADKEEP_HISTORY_BACKEND")
KEY = "THREADKEEP_KEY"  # of an encrypted store; never an option, which other users could see
_PLACE = inspect.Parameter.POSITIONAL_OR_KEYWORD
_OPTIONS = {"url": Url, "history_backend": Backend, "path": Path, "namespace": Namespace}


class Store(NamedTuple):
    """The options as given, in one place."""

    url: str | None = None
    history_backend: str | None = None
    path: str | None = None
    namespace: str | None = None
    flags: Mapping[str, Any] = {}

    def over(self, other: Store) -> Store:
        """These options, and the other's where these are silent."""
        return Store(
            url=self.url or other.url,
            history_backend=self.history_backend or other.history_backend,
            path=self.path or other.path,
            namespace=self.namespace or other.namespace,
            flags={**other.flags, **self.flags},
        )

    def open(self) -> Memory:
        """Connect.

        Raises:
            ConfigError: the options contradict each other, or do not name a store.
        """
        url, kind, key = self.url, self.history_backend, os.environ.get(KEY) or None
        kind, found = flags.options(kind, self.flags)
        if url is None and kind is None:
            url, kind = (os.environ.get(name) or None for name in ENVIRONMENT)
        if url is not None and kind is not None:
            raise ConfigError("a URL and a history backend contradict each other: give one of them")
        if kind is not None:
            place = found if self.path is None else {**found, "path": self.path}
            return connect({"type": kind, **place}, namespace=self.namespace, key=key)
        if self.path is not None:
            raise ConfigError("--path needs --history-backend beside it, such as sqlite")
        return connect(url, namespace=self.namespace, key=key)


def command(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """The command with the store's options added; it is called with the open `Memory` first."""

    @functools.wraps(function)
    def run(context: typer.Context, **given: Any) -> int | None:
        more = flags.said({name: given.pop(name) for name in flags.FLAGS})
        url, backend, path, namespace = (given.pop(name) for name in _OPTIONS)
        after = Store(url, backend, path, namespace, more)
        try:
            with after.over(context.obj or Store()).open() as memory:
                return function(memory, **given)
        except BrokenPipeError:  # `threadkeep export | head`
            output.discard()
            return 0

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    first = inspect.Parameter("context", _PLACE, annotation=typer.Context)
    added = [
        inspect.Parameter(name, _PLACE, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]
    parameters = [first, *own, *added, *flags.parameters()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def described(memory: Memory) -> dict[str, str]:
    """What the store says of itself, without being opened; empty if it says nothing."""
    describe = getattr(memory.engine.backend, "describe", None)
    return {} if describe is None else dict(describe())


def present(memory: Memory) -> Memory:
    """The memory, if its store is there: looking must not make an empty one.

    Raises:
        BackendError: it is not.
    """
    said = described(memory)
    if said.get("exists") == "no":
        raise BackendError(f"{said.get('path', 'the store')} does not exist")
    return memory
