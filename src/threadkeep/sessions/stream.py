"""A session's stream, behind its owner's door: every read and write of a session goes through here.

The `session` record comes with every read, in the same round trip. A write to a session seen
before, by any handle of the same Memory, is a compare-and-set on the version seen then; where
writers meet, the record is read again and the write expects no more than the same life, in which
no other user can come to own it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

from threadkeep.core import item_codec
from threadkeep.core.cache.session_info import CachedInfo
from threadkeep.core.engine import Engine
from threadkeep.errors import BackendError, Conflict, CorruptRecord, NotOwner, ThreadkeepError
from threadkeep.sessions import response_index, user_index
from threadkeep.types import Commit, Drop, Item, Page, Query, Record, SessionInfo
from threadkeep.types.batching import batches
from threadkeep.types.versions import Generation, generation_of

T = TypeVar("T")

_TRIES: Final = 64
_TRIES_OF_ADD: Final = 512  # others that add do not wait for one that has to look first
_SHORTEST: Final = 0.0005
_LONGEST: Final = 0.05
_SHORT: Final = 0.005


Check = Callable[[Mapping[str, Item]], None]
"""Raises if items that exist, by record id, do not allow what is to be written."""


class Snapshot(NamedTuple):
    """A session at a moment: what is known of it (`None` = there is none), version, pages."""

    info: SessionInfo | None
    version: int
    pages: list[Page]


class SessionStream:
    """The stream of one session, for one user (`None` = the operator, who may open any)."""

    def __init__(self, engine: Engine, blank: SessionInfo) -> None:
        self.stream = engine.stream("session", blank.id)
        self.engine = engine
        self._blank = blank
        self.id, self.user = blank.id, blank.user
        self._crowded = False
        self.pulse = Query(self.stream, "session", limit=0)

    @property
    def _known(self) -> CachedInfo | None:
        """What the engine knows of the session, if it is ours, and at which version."""
        known = self.engine.infos.find(self.stream, self.engine.now())
        return known if known is not None and self._is_mine(known.info) else None

    def saw(self, version: int) -> bool:
        """Whether it is known whose the session is at this version."""
        known = self._known
        return known is not None and known.version == version

    def is_at(self, version: int) -> bool:
        """Whether the session is at this version now: cheaper than to look, no record is read."""
        return self.engine.read(self.pulse)[0].version == version

    def look(self, *queries: Query) -> Snapshot:
        """Read records of the session.

        Raises:
            NotOwner: it belongs to another user.
        """
        own, *pages = self.engine.read(Query(self.stream, "session", ids=["session"]), *queries)
        known = self._known
        if known is not None and known.version == own.version:
            return Snapshot(known.info, own.version, pages)
        info = self._info(own)
        if info is None:
            self.engine.infos.drop(self.stream)
            return Snapshot(None, own.version, [Page(0, []) for _ in pages])
        self.engine.infos.keep(self.stream, CachedInfo(info, own.version, self.engine.now()))
        return Snapshot(info, own.version, pages)

    def write(self, put: Sequence[Record]) -> list[int]:
        """Put in one step, whoever else writes; the seqs. Begins or claims the session if need be.

        Raises:
            NotOwner: it belongs to another user; nothing was written.
        """
        known = None if self._crowded else self._known
        if known is not None:
            self._list(known.info)
            try:
                return self._commit(known.info, put, expect=known.version).seqs
            except Conflict:
                self._crowded = True
        return self.settle(lambda: self._push(self.look(), put))

    def write_checked(self, put: Sequence[Record], ids: Sequence[str], check: Check) -> list[int]:
        """As `write`, if the items that have these ids pass a check; nobody writes in between.

        Looks only where it is not known which items there are, and with nothing to `put` always.

        Args:
            put: new records, if any.
            ids: record ids of items.
            check: is given the items that exist, by record id; raises if nothing is to be written.
        """
        known = None if self._crowded or not put else self._known
        if known is not None and self._passes(known.version, ids, check):
            self._list(known.info)
            try:
                return self._commit(known.info, put, expect=known.version).seqs
            except Conflict:
                self._crowded = True
        for attempt in range(_TRIES_OF_ADD):
            seen = self.look(Query(self.stream, "item", ids=ids))
            check({record.id: item_codec.read_item(record) for record in seen.pages[0].records})
            with suppress(Conflict):
                return self.change(seen, put=put) if put else []
            self._give_way(attempt, _SHORT)
        raise self._restless(_TRIES_OF_ADD)

    def change(
        self,
        seen: Snapshot,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        info: SessionInfo | None = None,
    ) -> list[int]:
        """Drop and put if nothing changed since the session was looked at; the seqs of `put`.

        Args:
            seen: what `look` said.
            put: new records.
            drop: what goes.
            info: what is known of the session from now on; `None` leaves it as it is.

        Raises:
            Conflict: it changed since.
        """
        said = info or self.claimant(seen)
        fresh = info is not None or seen.info is None or not self._is_mine(seen.info)
        own = [item_codec.session_record(said, self.engine.now())] if fresh else []
        said = item_codec.read_session(own[0]) if own else said
        # without a session record, what is there is the rest of a fork that was cut short
        rest = [Drop()] if seen.info is None and seen.version else []
        new = seen.info is None or seen.info.user != said.user
        self._list(said, new=new)
        version, drop = seen.version, [*rest, *drop]
        if own and len(list(batches([*own, *put]))) > 1:  # too much at once: its own record first
            version = self._commit(said, own, drop=drop, expect=version).version
            drop, own = [], []
        done = self._commit(said, [*own, *put], drop=drop, expect=version)
        if new:
            self._stay(said)
        return done.seqs[len(own) :]

    def trim(self, upto: int) -> None:
        """Delete the items up to a seq, unless others write meanwhile: their next write does it."""
        known = self._known
        if known is None:
            return
        with suppress(Conflict):
            self._commit(known.info, (), drop=[Drop("item", upto=upto)], expect=known.version)

    def begin(
        self, info: SessionInfo, records: Iterable[Record], own: Record | None = None
    ) -> None:
        """Begin the session with many records: its own record comes last, and makes it be there.

        Args:
            info: what is known of it.
            records: what it holds; what a broken attempt left is dropped first.
            own: its `session` record, if it is to be taken over as it is.

        Raises:
            Conflict: it exists already, or somebody else began it meanwhile.
        """
        seen = self.look()
        if seen.info is not None:
            raise Conflict(f"session {info.id!r} exists already", current=seen.version)
        version, rest = seen.version, [Drop()] if seen.version else []
        ttl = self.engine.settings.ttl
        self._list(info, new=True)  # before all else, so that forgetting the user finds the rest
        try:
            for batch in batches(records):
                version = self.engine.commit(
                    self.stream, put=batch, drop=rest, ttl=ttl, expect=version
                ).version
                rest = []
            own = own or item_codec.session_record(info, self.engine.now())
            self._commit(item_codec.read_session(own), [own], drop=rest, expect=version)
            self._stay(info)
        except Conflict as error:
            said = f"session {info.id!r} was begun by somebody else meanwhile"
            raise Conflict(said, current=error.current) from error

    def claimant(self, seen: Snapshot) -> SessionInfo:
        """What is known of the session once it is ours."""
        if seen.info is None:
            return self._blank
        return seen.info if self._is_mine(seen.info) else replace(seen.info, user=self._blank.user)

    @property
    def owner(self) -> str | None:
        """Whose session it is, as far as was seen."""
        known = self._known
        return self.user if known is None else known.info.user

    @property
    def life(self) -> int | None:
        """Which life of the session was seen last; `None` if that is unknown."""
        known = self._known
        return None if known is None else generation_of(known.version)

    def settle(self, step: Callable[[], T]) -> T:
        """Take the step again until it meets no other writer.

        Raises:
            BackendError: it met others at every try.
        """
        for attempt in range(_TRIES):
            with suppress(Conflict):
                return step()
            self._give_way(attempt)
        raise self._restless()

    def _give_way(self, attempt: int, most: float = _LONGEST) -> None:
        """Know that others write; let them go first, more and more, where a store may wait."""
        self._crowded = True
        if attempt and self.engine.backend.blocking:
            import random  # only where writers meet

            longest = min(most, _SHORTEST * 2**attempt)
            time.sleep(random.uniform(0, longest))  # noqa: S311 (not for secrets)

    def _restless(self, tries: int = _TRIES) -> BackendError:
        return BackendError(
            f"session {self._blank.id!r} was changed by others at each of {tries} tries; try again"
        )

    def _passes(self, version: int, ids: Sequence[str], check: Check) -> bool:
        """Whether the items pass by what is known of the newest; what may be outdated does not."""
        tail = self.engine.tails.find(self.stream, self.engine.now())
        entries = tail.with_ids(ids) if tail is not None and tail.version == version else None
        if entries is None:
            return False
        with suppress(ThreadkeepError):
            check({entry.id: entry.copy() for entry in entries})
            return True
        return False

    def _push(self, seen: Snapshot, put: Sequence[Record]) -> list[int]:
        """Put, whatever others of the same life put meanwhile."""
        if seen.info is None or not self._is_mine(seen.info):
            return self.change(seen, put=put)
        self._list(seen.info)
        return self._commit(seen.info, put, expect=Generation(seen.version)).seqs

    def _commit(
        self,
        info: SessionInfo,
        put: Sequence[Record],
        *,
        drop: Sequence[Drop] = (),
        expect: int,
    ) -> Commit:
        response_index.renew(self.engine, self.id, new=expect == 0)
        ttl, now = self.engine.settings.ttl, self.engine.now()
        known = self.engine.infos.find(self.stream, now)
        commit = self.engine.commit(self.stream, put=put, drop=drop, ttl=ttl, expect=expect)
        others = isinstance(expect, Generation) and commit.version != expect + 1
        if commit.version and not others:
            since = known.since if known else now  # what a commit leaves as it was ages on
            self.engine.infos.keep(self.stream, CachedInfo(info, commit.version, since))
        self._crowded = self._crowded and others
        return commit

    def _info(self, own: Page) -> SessionInfo | None:
        if not own.records:
            return None
        try:
            info = item_codec.read_session(own.records[0])
        except ValueError as error:
            raise CorruptRecord(
                f"the session record of {self._blank.id!r} cannot be read, so its owner is "
                "unknown; restore it from a copy of the store, or delete it as the operator"
            ) from error
        if self._blank.user is not None and info.user not in (None, self._blank.user):
            raise NotOwner(f"session {self._blank.id!r} belongs to another user")
        return info

    def _is_mine(self, info: SessionInfo) -> bool:
        return self._blank.user is None or info.user == self._blank.user

    def _stay(self, info: SessionInfo) -> None:
        """See that a session that just began is listed: who deleted the one before may be late."""
        if info.user is not None:
            user_index.stay(self.engine, info.user, info.id)

    def _list(self, info: SessionInfo, *, new: bool = False) -> None:
        if info.user is not None:
            user_index.touch(self.engine, info.user, info.id, new=new)
