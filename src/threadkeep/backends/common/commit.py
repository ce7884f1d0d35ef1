"""What a commit does to a stream, decided from the stream's head: the same rule for every store.

Pure: a store reads the head under its lock, asks `decide`, and carries the decision out. Redis
decides in Lua, held to this module by a differential test.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from threadkeep.errors import Conflict
from threadkeep.printable import shown
from threadkeep.types import Drop, Keep, Record, Ttl
from threadkeep.types.versions import GENERATION_SPAN, matches

Key = tuple[str, str]
"""Kind and id of a record."""


class StreamState(NamedTuple):
    """The state of a stream that a commit depends on; it may have expired.

    Attributes:
        expires: epoch seconds, `None` = never.
        ttl: seconds that led to `expires`; `None` where it never expires, or was stored by a
            version that did not keep it.
        token: of the last conditional commit that carried one.
        token_version: the version which that commit made.
    """

    version: int
    expires: float | None
    ttl: float | None
    token: str | None
    token_version: int | None


class Change(NamedTuple):
    """The arguments of `Backend.commit`.

    Attributes:
        keys: of each record in the order of the call, where `put` was reduced to one per id.
    """

    stream: str
    put: Sequence[Record]
    drop: Sequence[Drop]
    ttl: Ttl
    expect: int | None
    token: str | None
    now: float
    keys: Sequence[Key] = ()

    @property
    def drops_stream(self) -> bool:
        """Whether a drop names no kind, so that nothing of the stream stays."""
        return bool(self.drop) and any(drop.kind is None for drop in self.drop)

    @property
    def ends_stream(self) -> bool:
        """Whether no stream is left by it."""
        return self.drops_stream and not self.put

    @property
    def repeatable(self) -> bool:
        """Whether to do it twice is to do it once: without a token a version is met once."""
        return self.expect is None or self.token is not None

    def unique(self) -> Change:
        """The same change with each id once: of an id that comes twice the last body counts."""
        record_keys = [(record.kind, record.id) for record in self.put]
        record_by_key = dict(zip(record_keys, self.put, strict=True))
        return self._replace(put=list(record_by_key.values()), keys=record_keys)


class Lifetime(NamedTuple):
    """When a stream expires (`None` = never), and the ttl that led to it."""

    expires: float | None
    ttl: float | None


class Action(enum.Enum):
    """What a store has to do."""

    REPLAY = "the commit was made before: answer with its version and where its records are"
    IGNORE = "there is no live stream and nothing to put"
    TOUCH = "only the expiry changes, if that"
    END = "the stream goes"
    CREATE = "a new generation begins, whatever is stored goes"
    CONTINUE = "drop, then put, in the live generation"


class Decision(NamedTuple):
    """What becomes of a stream.

    Attributes:
        version: the version to answer with, 0 if no live stream is left.
        expires: when the stream expires from now on.
        ttl: what is stored beside it.
        token: to be stored with the head, with the version it made.
    """

    action: Action
    version: int
    expires: float | None = None
    ttl: float | None = None
    token: str | None = None
    token_version: int | None = None

    @property
    def lifetime(self) -> Lifetime:
        """When it expires, with the ttl that led to it."""
        return Lifetime(self.expires, self.ttl)


def decide(head: StreamState | None, change: Change) -> Decision:
    """What a change does to a stream with this head (`None` = there never was one, or it is gone).

    Raises:
        Conflict: the live stream does not have the version that the change expects.
    """
    live_state = head if head and is_live(head.expires, change.now) else None
    if live_state and change.token is not None and live_state.token == change.token:
        return Decision(Action.REPLAY, live_state.token_version or 0)
    current_version = live_state.version if live_state else 0
    if not matches(change.expect, current_version):
        raise conflict(change.stream, change.expect, current_version)
    if live_state is None and not change.put:
        return Decision(Action.IGNORE, 0)
    lifetime = lifetime_after(change.ttl, change.now, live_state)
    if live_state and not change.put and not change.drop:
        return Decision(Action.TOUCH, current_version, *lifetime)
    if live_state is None or change.drops_stream:
        if not change.put:
            return Decision(Action.END, 0)
        return _decision(Action.CREATE, first_version(), lifetime, change.token, None)
    return _decision(Action.CONTINUE, current_version + 1, lifetime, change.token, live_state)


def _decision(
    action: Action, version: int, lifetime: Lifetime, token: str | None, live: StreamState | None
) -> Decision:
    """A commit without a token leaves the one that its generation has."""
    if token is not None:
        return Decision(action, version, *lifetime, token, version)
    if live is not None:
        return Decision(action, version, *lifetime, live.token, live.token_version)
    return Decision(action, version, *lifetime)


def is_live(expires: float | None, now: float) -> bool:
    """Whether what expires then (`None` = never) is still there."""
    return expires is None or expires > now


def lifetime_after(ttl: Ttl, now: float, live: StreamState | None) -> Lifetime:
    """How long a stream lives after a commit.

    `KEEP` changes nothing. The same ttl never shortens the life, however far behind the writer's
    clock is; another ttl counts from now, also where that is sooner.
    """
    if isinstance(ttl, Keep):
        return Lifetime(live.expires, live.ttl) if live else Lifetime(None, None)
    if ttl is None:
        return Lifetime(None, None)
    expiry = now + ttl
    if live and live.expires is not None and live.ttl in (None, ttl):
        expiry = max(live.expires, expiry)
    return Lifetime(expiry, float(ttl))


def first_version() -> int:
    """The version a generation begins at: random, so that no compare-and-set meets an older one."""
    return secrets.randbits(32) * GENERATION_SPAN | 1


def conflict(stream: str, expect: int | None, current: int) -> Conflict:
    """The error for a stream that is not at the version expected."""
    return Conflict(
        f"stream {shown(stream)} is at version {current}, not {expect}: "
        "read it again and repeat the change",
        current=current,
    )
