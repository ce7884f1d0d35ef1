"""What a wrapper of a store inherits: each call goes on to the store, unless the wrapper says so.

A wrapper overrides what it changes; `_call` sees every call that it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from threadkeep.protocols import (
    Backend,
    SupportsClockOffset,
    SupportsDescribe,
    SupportsPurge,
    SupportsViews,
)
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl

P = ParamSpec("P")
R = TypeVar("R")

CAPABILITIES: Final[dict[type, tuple[str, ...]]] = {
    SupportsPurge: ("purge",),
    SupportsDescribe: ("describe",),
    SupportsClockOffset: ("clock_offset",),
    SupportsViews: ("views", "make_views", "drop_views"),
}
"""What a store may be able to do besides, and by which methods."""


class BackendWrapper:
    """Has the verbs of a store, and those capabilities that the wrapped store has.

    Args:
        inner: the store. The wrapper owns it and closes it.
        withheld: capabilities that make no sense through this wrapper.
    """

    def __init__(self, inner: Backend, *, withheld: Sequence[type] = ()) -> None:
        self.inner = inner
        self.blocking = inner.blocking
        for capability, method_names in CAPABILITIES.items():
            if isinstance(inner, capability) and capability not in withheld:
                for method_name in method_names:
                    self._hand_on(method_name, getattr(inner, method_name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.inner!r})"

    def read(self, *queries: Query, now: float) -> list[Page]:
        return self._call("read", self.inner.read, *queries, now=now)

    def commit(
        self,
        stream: str,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        ttl: Ttl = None,
        expect: int | None = None,
        token: str | None = None,
        now: float,
    ) -> Commit:
        return self._call(
            "commit",
            self.inner.commit,
            stream,
            put=put,
            drop=drop,
            ttl=ttl,
            expect=expect,
            token=token,
            now=now,
        )

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        return self._call("streams", self.inner.streams, prefix, cursor=cursor, limit=limit)

    def sweep(self, now: float, limit: int = 1000) -> int:
        return self._call("sweep", self.inner.sweep, now, limit)

    def close(self) -> None:
        """Close the store."""
        self.inner.close()

    def _call(self, operation: str, verb: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a verb of the store, or a method of a capability."""
        return verb(*args, **kwargs)

    def _hand_on(self, name: str, method: Callable[..., Any]) -> None:
        """Have a method of a capability on this object, where `isinstance` looks for it."""
        if not hasattr(self, name):
            setattr(self, name, partial(self._call, name, method))
