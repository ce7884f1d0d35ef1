"""The async twins of verbs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from threadkeep.core.call_limit import only_reads
from threadkeep.core.engine import Engine

P = ParamSpec("P")
R = TypeVar("R")


class HasEngine(Protocol):
    """An object whose verbs can have async twins."""

    @property
    def _engine(self) -> Engine: ...


S = TypeVar("S", bound=HasEngine)


def async_twin(
    verb: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """The async twin of a verb: the same signature, run as a whole in a thread.

    If the awaiting task is cancelled, a write is completed, or not begun at all.
    """
    is_read = only_reads(verb)

    @functools.wraps(verb)
    async def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        bound_verb = functools.partial(verb, self, *args, **kwargs)
        return await self._engine.run_in_thread(bound_verb, reading=is_read)

    run.__name__ = f"a{verb.__name__}"
    run.__qualname__ = run.__qualname__.replace(verb.__name__, run.__name__)
    return run
