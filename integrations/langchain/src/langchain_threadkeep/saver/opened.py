"""`ThreadkeepSaver.from_conn_string` and `setup`, for `with` and `async with`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any

import threadkeep
from threadkeep import Memory

if TYPE_CHECKING:
    from langchain_threadkeep.saver.saver import ThreadkeepSaver


class Setup:
    """What `setup` returns: nothing to wait for, but it may be awaited."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


class OpenedSaver(
    AbstractContextManager["ThreadkeepSaver"], AbstractAsyncContextManager["ThreadkeepSaver"]
):
    """Opens a store for a checkpointer, and closes it at the end.

    Args:
        make: the class of the checkpointer.
        url: of the store.
        options: of the checkpointer.
    """

    def __init__(
        self, make: Callable[..., ThreadkeepSaver], url: str, options: Mapping[str, Any]
    ) -> None:
        self._make, self._url, self._options = make, url, options
        self._memory: Memory | None = None

    if not TYPE_CHECKING:  # to a type checker, an unknown name stays an error

        def __getattr__(self, name: str) -> object:
            raise AttributeError(
                f"from_conn_string opens and closes a store, so it has no {name!r}: write "
                "`with ThreadkeepSaver.from_conn_string(url) as saver`, or ThreadkeepSaver(url)"
            )

    def __enter__(self) -> ThreadkeepSaver:
        self._memory = threadkeep.connect(self._url)
        return self._make(self._memory, **self._options)

    def __exit__(self, *_: object) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    async def __aenter__(self) -> ThreadkeepSaver:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()
