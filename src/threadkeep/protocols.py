"""The protocols that others may implement: a store, a window policy, a token counter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from threadkeep.types import Commit, Drop, Item, Page, Query, Record, Ttl


@runtime_checkable
class Backend(Protocol):
    """A store of streams of records; its two central verbs are `read` and `commit`.

    `threadkeep.testing.BackendContract` holds every promise below as a named test.

    A stream holds records, each with a `kind`, an `id` unique within (stream, kind), and a
    `seq` given by the backend, strictly increasing in commit order (gaps allowed, never reused
    within a generation). Instances must be thread-safe. `now` is the engine's clock in
    epoch seconds; it decides expiry, native time-outs only reclaim space.

    Attributes:
        blocking: False if no verb ever waits on I/O, so that async callers need no thread.
            A wrapper answers for what it wraps.
    """

    blocking: bool

    def read(self, *queries: Query, now: float) -> list[Page]:
        """Answer each query with a page, in one round trip where the engine can.

        The pages of one stream are one snapshot and share one version, read no later than the
        records; different streams are not one snapshot. Records that expired by `now` are not
        returned.

        Raises:
            BackendError: the store did not answer.
        """
        ...

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
        """Drop, then put, in one atomic step: the only way to write.

        An id that is put again keeps its place (`seq`) and takes the new body; dropped and put
        in one commit, it moves to the end; put twice in one commit, the last body wins.
        A commit to an expired stream begins a new generation: nothing old comes back.
        A new generation starts at a random version, so that compare-and-set never meets an old
        one. A commit without `put` and `drop` is a touch: it slides the expiry, keeps the version
        and creates nothing; nor does a commit that only drops create a stream.
        Without `expect` a store may repeat a commit whose answer was lost: records keep their ids
        and places, but the version may move twice.

        Args:
            stream: 1 to 512 bytes of UTF-8 without NUL.
            put: at most 1,000 records and 4 MB; seqs are ignored, `at` is stored as given.
            drop: applied in order, before `put`.
            ttl: seconds the stream lives from now, `None` = for ever, `KEEP` = unchanged.
            expect: the version the live stream must have (0 = there must be none); a `Generation`
                also accepts a later version of the same generation, where the store can tell.
            token: makes a conditional commit safe to repeat after a lost reply: the stream keeps
                the last token and the version it made, and answers a repeat with those.

        Returns:
            The new version (0 if no live stream is left) and the seq of each record of `put`,
            in the order of `put`.

        Raises:
            Conflict: `expect` was not met; nothing was written.
            BackendError: the store did not take the commit, or did not answer.
        """
        ...

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        """Names of streams that begin with `prefix`, in no promised order, and the next cursor.

        `None` starts, and is returned when there is no more. Else the cursor is opaque: plain
        values that survive JSON. It may come back from a browser, so whatever it contains, no
        other name may be returned. A name may come twice, and expired streams that were not swept
        yet may be included.

        Raises:
            InputError: the cursor is not valid.
        """
        ...

    def sweep(self, now: float, limit: int = 1000) -> int:
        """Reclaim what expired by `now`, at most about `limit` entries; return how many.

        Any number of sweepers may run at once. Visibility never depends on it.
        """
        ...

    def close(self) -> None:
        """Close what this backend opened; a client passed in stays open. May be called twice."""
        ...


@runtime_checkable
class SupportsPurge(Protocol):
    """A backend that can remove deleted data from its own files."""

    def purge(self, now: float) -> list[str]:
        """Remove what was deleted or has expired by `now`; return where copies may remain."""
        ...


@runtime_checkable
class SupportsDescribe(Protocol):
    """A backend that can describe itself."""

    def describe(self) -> dict[str, str]:
        """Facts about the store such as `path`, `bytes` and `exists`; creates nothing."""
        ...


@runtime_checkable
class SupportsClockOffset(Protocol):
    """A backend whose server has a clock of its own, which all workers can follow."""

    def clock_offset(self, *, renew: bool = False) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's; `None` = unknown.

        Measured when the first connection is made, which this does if need be.

        Args:
            renew: measure again, in a round trip.

        Raises:
            BackendError: the store did not answer.
        """
        ...


@runtime_checkable
class SupportsViews(Protocol):
    """A backend of a SQL database, which can create views for analytics."""

    def views(self) -> dict[str, str]:
        """The statement that creates each view, by the view's name."""
        ...

    def make_views(self) -> list[str]:
        """Create or replace the views; return their names."""
        ...

    def drop_views(self) -> list[str]:
        """Drop the views that exist; return the names of all."""
        ...


@runtime_checkable
class WrapsBackend(Protocol):
    """A backend that adds something to another one, such as encryption."""

    @property
    def inner(self) -> Backend:
        """The backend it wraps."""
        ...


class Policy(Protocol):
    """A window policy: a callable that takes items, oldest first, and returns those it keeps.

    What it returns is put right afterwards: the order of the conversation, tool groups whole,
    the newest user turn and the last step (calls at the end, with their results) never lost.
    Optional methods and one attribute make it more precise or cheaper:

    - `need(items) -> bool`: could items older than these still enter? `False` stops reading.
    - `bind(now=, pinned=) -> Policy`: called once per window with the clock's time and a
      predicate of items that budgets must not drop.
    - `pin(item) -> bool`: which items the budgets beside it must not drop.
    - `traits`: a `threadkeep.policies.PolicyTraits`; without it the defaults apply.
      `PolicyTraits(sound=True)`: it keeps groups whole, the newest user turn and the last step
      by itself. `filters=True`: it chooses by kind, so the newest user turn and the last step
      may go. `part=True`: it returns items as it got them, and neither stores nor changes any.
    """

    def __call__(self, items: Sequence[Item], /) -> Sequence[Item]: ...


class TokenCounter(Protocol):
    """A callable that returns the number of tokens of a text."""

    def __call__(self, text: str, /) -> int: ...
