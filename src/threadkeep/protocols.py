"""What others may implement: a store, a window policy, a token counter. Protocols only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from threadkeep.types import Commit, Drop, Item, Page, Query, Record, Ttl


@runtime_checkable
class Backend(Protocol):
    """A store of streams of records: two verbs that matter, `read` and `commit`.

    `threadkeep.testing.BackendContract` holds every promise below as a named test.

    A stream holds records, each with a `kind`, an `id` unique within (stream, kind), and a
    `seq` given by the backend, strictly increasing in commit order (gaps allowed, never reused
    within a life). Instances are used by many threads at once. `now` is the engine's clock in
    epoch seconds; it decides expiry, native time-outs may only reclaim space.

    Attributes:
        blocking: False if no verb ever waits on I/O, so that async callers need no thread.
            A wrapper answers for what it wraps.
    """

    blocking: bool

    def read(self, *queries: Query, now: float) -> list[Page]:
        """Answer each query with a page, in one round trip where the engine can.

        The pages of one stream are one snapshot and share one version, read no later than the
        records; different streams are not one snapshot. What expired by `now` is not seen.

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
        """Drop, then put, in one atomic step; the only way anything is written.

        An id that is put again keeps its place (`seq`) and takes the new body; dropped and put
        in one commit, it moves to the end; put twice in one commit, the last body wins.
        A commit to an expired stream begins a new life: nothing old comes back.
        A new life starts at a random version, so that compare-and-set never meets an old one.
        A commit without `put` and `drop` is a touch: it slides the life, keeps the version, and
        creates nothing; nor does a commit that only drops create a stream.

        Args:
            stream: 1 to 512 bytes of UTF-8 without NUL.
            put: at most 1,000 records and 4 MB; seqs are ignored, `at` is stored as given.
            drop: applied in order, before `put`.
            ttl: seconds the stream lives from now, `None` = for ever, `KEEP` = as it was.
            expect: the version the live stream must have (0 = there must be none); of a `Life`,
                a later one of the same life will do as well, where the store can tell.
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
        values that survive JSON. It comes back by way of browsers, so whatever it says, no name
        that begins otherwise may be in the answer. A name may come twice, and streams that have
        expired but were not swept may be among them.

        Raises:
            InputError: the cursor is none that this walk gives.
        """
        ...

    def sweep(self, now: float, limit: int = 1000) -> int:
        """Reclaim what expired by `now`, at most about `limit` entries; return how many.

        Any number of sweepers may run at once. What can be seen never depends on it.
        """
        ...

    def close(self) -> None:
        """Release what was opened here; what was handed in stays open. May be called twice."""
        ...


class Policy(Protocol):
    """A window policy: any callable that takes items, oldest first, and returns those it keeps.

    What it returns is put right afterwards: the order of the conversation, tool groups whole,
    the newest user turn and the last step (calls at the end, with their results) never lost.
    Optional attributes make it a better citizen:

    - `need(items) -> bool`: could items older than these still enter? `False` stops reading.
    - `bind(now=, pinned=) -> Policy`: called once per window with the clock's time and a
      predicate of items that budgets must not drop.
    - `pin(item) -> bool`: which items the budgets beside it must not drop.
    - `sound = True`: it keeps groups whole, the newest user turn and the last step by itself.
    - `filters = True`: it chooses by kind, so the newest user turn and the last step may go.
    - `part = True`: it returns items as it got them, and neither keeps nor changes any.
    """

    def __call__(self, items: Sequence[Item], /) -> Sequence[Item]: ...


class TokenCounter(Protocol):
    """Any callable that says how many tokens a text is."""

    def __call__(self, text: str, /) -> int: ...
