"""The store options, which may stand before or after the command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import typer

from threadkeep.api.memory import Memory
from threadkeep.cli import output
from threadkeep.connect import connect_by_flags
from threadkeep.errors import BackendError

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
_PARAMETER_KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD
_OPTIONS = {"url": Url, "history_backend": Backend, "path": Path, "namespace": Namespace}


class StoreOptions(NamedTuple):
    """The store options of a command line."""

    url: str | None = None
    history_backend: str | None = None
    path: str | None = None
    namespace: str | None = None
    flags: Mapping[str, str] = {}

    def with_defaults(self, defaults: StoreOptions) -> StoreOptions:
        """These options, completed by the defaults where they are not set."""
        return StoreOptions(
            url=self.url or defaults.url,
            history_backend=self.history_backend or defaults.history_backend,
            path=self.path or defaults.path,
            namespace=self.namespace or defaults.namespace,
            flags={**defaults.flags, **self.flags},
        )

    def open(self) -> Memory:
        """Connect to the store.

        Raises:
            ConfigError: the options contradict each other, or name no store.
        """
        common_options = {name: getattr(self, name) for name in _OPTIONS}
        set_options = {name: value for name, value in common_options.items() if value is not None}
        return connect_by_flags({**set_options, **self.flags})


def store_options(
    context: typer.Context,
    url: str | None,
    history_backend: str | None,
    path: str | None,
    namespace: str | None,
) -> StoreOptions:
    """The options behind a command, completed by those before it."""
    options = StoreOptions(url, history_backend, path, namespace)
    return options.with_defaults(context.obj or StoreOptions())


def command(function: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add the store options to a command; its first argument is then the open `Memory`."""

    @functools.wraps(function)
    def run(context: typer.Context, **arguments: Any) -> int | None:
        own_options = {name: arguments.pop(name) for name in _OPTIONS}
        completed_options = store_options(context, **own_options)
        try:
            with completed_options.open() as memory:
                return function(memory, **arguments)
        except BrokenPipeError:  # `threadkeep export | head`
            output.discard_output()
            return 0

    own_parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    context_parameter = inspect.Parameter("context", _PARAMETER_KIND, annotation=typer.Context)
    store_parameters = [
        inspect.Parameter(name, _PARAMETER_KIND, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]
    parameters = [context_parameter, *own_parameters, *store_parameters]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def describe_store(memory: Memory) -> dict[str, str]:
    """The store's description of itself, without opening it; empty if it has none."""
    return memory.describe()


def require_existing(memory: Memory) -> Memory:
    """Return the memory if its store exists: a command that reads must not create one.

    Raises:
        BackendError: the store does not exist.
    """
    description = describe_store(memory)
    if description.get("exists") == "no":
        raise BackendError(f"{description.get('path', 'the store')} does not exist")
    return memory
