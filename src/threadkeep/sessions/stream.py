"""The stream of a session, with its access control: every read and write goes through here.

The `session` record comes with every read, in the same round trip. A write to a session that a
handle of the same Memory has read is a compare-and-set on that version. On a conflict the record
is read again, and the write expects only the same generation, in which the owner cannot change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, TypeVar

from threadkeep.core import item_codec, session_codec
from threadkeep.core.cache.session_info import CachedInfo
from threadkeep.core.engine import Engine
from threadkeep.errors import Conflict, CorruptRecord, NotOwner
from threadkeep.printable import shown
from threadkeep.sessions import contention, user_index
from threadkeep.sessions.branch_paths import kept_on_branches
from threadkeep.sessions.item_check import ItemCheck, cached_items_pass
from threadkeep.types import Commit, Drop, Page, Query, Record, SessionInfo
from threadkeep.types.batching import batches
from threadkeep.types.versions import Generation, generation_of

T = TypeVar("T")


class Snapshot(NamedTuple):
    """A session at one version: its info (`None` = it does not exist) and pages."""

    info: SessionInfo | None
    version: int
    pages: list[Page]


class SessionStream:
    """The stream of a session, accessed for a user (`None` = the operator, who may open any)."""

    def __init__(self, engine: Engine, initial_info: SessionInfo) -> None:
        self.stream_name = engine.stream("session", initial_info.id)
        self.engine = engine
        self._initial_info = initial_info
        self.id, self.user = initial_info.id, initial_info.user
        self._contended = False
        self.version_query = Query(self.stream_name, "session", limit=0)

    @property
    def _cached(self) -> CachedInfo | None:
        """The cached session info with its version, if this user may see it."""
        cached_info = self.engine.session_infos.get(self.stream_name, self.engine.now())
        return (
            cached_info
            if cached_info is not None and self._is_accessible(cached_info.info)
            else None
        )

    def knows(self, version: int) -> bool:
        """Return True if the owner at this version is known."""
        cached_info = self._cached
        return cached_info is not None and cached_info.version == version

    def is_current(self, version: int) -> bool:
        """Return True if the session is at this version now; reads no record."""
        return self.engine.read(self.version_query)[0].version == version

    def read(self, *queries: Query) -> Snapshot:
        """Read records of the session.

        Raises:
            NotOwner: it belongs to another user.
        """
        session_page, *pages = self.engine.read(
            Query(self.stream_name, "session", ids=["session"]), *queries
        )
        cached_info = self._cached
        if cached_info is not None and cached_info.version == session_page.version:
            return Snapshot(cached_info.info, session_page.version, pages)
        session_info = self._parse_info(session_page)
        self._check_owner(session_info)
        if session_info is None:
            self.engine.session_infos.drop(self.stream_name)
            return Snapshot(None, session_page.version, [Page(0, []) for _ in pages])
        self.engine.session_infos.put(
            self.stream_name, CachedInfo.of(session_info, session_page.version, self.engine.now())
        )
        return Snapshot(session_info, session_page.version, pages)

    def append(self, put: Sequence[Record]) -> list[int]:
        """Append records in one step, despite concurrent writers; returns their seqs.

        Creates or claims the session if necessary.

        Raises:
            NotOwner: it belongs to another user; nothing was written.
        """
        cached_info = None if self._contended else self._cached
        if cached_info is not None:
            seqs = self._append_to_cached(cached_info, put)
            if seqs is not None:
                return seqs
        return self.retry(lambda: self._append_to_generation(self.read(), put))

    def append_checked(
        self, put: Sequence[Record], ids: Sequence[str], check: ItemCheck
    ) -> list[int]:
        """As `append`, if the items with these ids pass a check; nobody writes in between.

        Reads only if the items are not cached, or if there is nothing to `put`.

        Args:
            put: new records, if any.
            ids: record ids of items.
            check: gets the existing items by record id; raises to prevent the write.
        """
        cached_info = None if self._contended or not put else self._cached
        if cached_info is not None and cached_items_pass(
            self.engine, self.stream_name, cached_info.version, ids, check
        ):
            seqs = self._append_to_cached(cached_info, put)
            if seqs is not None:
                return seqs
        for attempt in range(contention.APPEND_TRIES):
            snapshot = self.read(Query(self.stream_name, "item", ids=ids))
            old_records = snapshot.pages[0].records
            old_items = {record.id: item_codec.read_item(record) for record in old_records}
            check(old_items)
            records = kept_on_branches(put, old_items)
            with suppress(Conflict):
                return self.compare_and_set(snapshot, put=records) if put else []
            self._contended = True
            contention.back_off(self.engine.backend, attempt, contention.SHORT_DELAY)
        raise contention.contention_error(self.id, contention.APPEND_TRIES)

    def compare_and_set(
        self,
        snapshot: Snapshot,
        *,
        put: Sequence[Record] = (),
        drop: Sequence[Drop] = (),
        info: SessionInfo | None = None,
    ) -> list[int]:
        """Drop and put if nothing changed since the snapshot; returns the seqs of `put`.

        Args:
            snapshot: the result of `read`.
            put: new records.
            drop: records to delete.
            info: the new session info; `None` = unchanged.

        Raises:
            Conflict: it changed since.
        """
        new_info = info or self.claim(snapshot)
        must_write_record = (
            info is not None or snapshot.info is None or not self._is_accessible(snapshot.info)
        )
        session_records = (
            [session_codec.session_record(new_info, self.engine.now())] if must_write_record else []
        )
        new_info = session_codec.read_session(session_records[0]) if session_records else new_info
        # without a session record, the stream holds the leftovers of an interrupted fork
        leftovers = [Drop()] if snapshot.info is None and snapshot.version else []
        is_new_to_user = snapshot.info is None or snapshot.info.user != new_info.user
        self.touch_index(new_info, new=is_new_to_user)
        version, drop = snapshot.version, [*leftovers, *drop]
        # too large for one commit: the session record first
        if session_records and len(list(batches([*session_records, *put]))) > 1:
            version = self.commit(new_info, session_records, drop=drop, expect=version).version
            drop, session_records = [], []
        last_commit = self.commit(new_info, [*session_records, *put], drop=drop, expect=version)
        if is_new_to_user:
            self.ensure_listed(new_info)
        return last_commit.seqs[len(session_records) :]

    def trim(self, upto: int) -> None:
        """Delete the items up to a seq; skipped if others write, since their next write does it."""
        cached_info = self._cached
        if cached_info is None:
            return
        with suppress(Conflict):
            self.commit(
                cached_info.info, (), drop=[Drop("item", upto=upto)], expect=cached_info.version
            )

    def claim(self, snapshot: Snapshot) -> SessionInfo:
        """The session info once this user owns the session."""
        if snapshot.info is None:
            return self._initial_info
        return (
            snapshot.info
            if self._is_accessible(snapshot.info)
            else replace(snapshot.info, user=self._initial_info.user)
        )

    @property
    def owner(self) -> str | None:
        """The owner, as last read."""
        cached_info = self._cached
        return self.user if cached_info is None else cached_info.info.user

    @property
    def generation(self) -> int | None:
        """The generation of the session as last read; `None` = unknown."""
        cached_info = self._cached
        return None if cached_info is None else generation_of(cached_info.version)

    def retry(self, step: Callable[[], T]) -> T:
        """Run a step again until it raises no `Conflict`.

        Raises:
            BackendError: it conflicted at every try.
        """
        for attempt in range(contention.TRIES):
            with suppress(Conflict):
                return step()
            self._contended = True
            contention.back_off(self.engine.backend, attempt)
        raise contention.contention_error(self.id, contention.TRIES)

    def _append_to_cached(self, cached: CachedInfo, records: Sequence[Record]) -> list[int] | None:
        """Append if nobody wrote since; `None` = somebody did."""
        self.touch_index(cached.info)
        try:
            return self.commit(cached.info, records, expect=cached.version, cached=cached).seqs
        except Conflict:
            self._contended = True
            return None

    def _append_to_generation(self, snapshot: Snapshot, records: Sequence[Record]) -> list[int]:
        """Append, also if others wrote to the same generation meanwhile."""
        if snapshot.info is None or not self._is_accessible(snapshot.info):
            return self.compare_and_set(snapshot, put=records)
        self.touch_index(snapshot.info)
        return self.commit(snapshot.info, records, expect=Generation(snapshot.version)).seqs

    def commit(
        self,
        info: SessionInfo,
        put: Sequence[Record],
        *,
        drop: Sequence[Drop] = (),
        expect: int,
        cached: CachedInfo | None = None,
    ) -> Commit:
        """Write at an expected version, and remember the info at the new one.

        It checks no owner: the caller has read the session, or found that there is none.

        Args:
            cached: the cached info, if the caller has just looked it up.
        """
        if self.engine.settings.ttl is not None:
            from threadkeep.sessions import response_index  # few let sessions expire

            response_index.renew_pointers(self.engine, self.id, new=expect == 0)
        infos = self.engine.session_infos
        cached_info = cached or infos.get(self.stream_name, self.engine.now())
        commit = self.engine.commit(
            self.stream_name, put=put, drop=drop, ttl=self.engine.settings.ttl, expect=expect
        )
        has_met_others = isinstance(expect, Generation) and commit.version != expect + 1
        if commit.version and not has_met_others:
            if cached_info is None or cached_info.info is not info:
                read_at = cached_info.since if cached_info else self.engine.now()
                cached_info = CachedInfo.of(info, 0, read_at)
            infos.put(self.stream_name, cached_info.at(commit.version))  # no newer than it was
        self._contended = self._contended and has_met_others
        if info.user is not None and self.engine.write_counts is not None:
            self.engine.write_counts.add(info.user, [record.kind for record in put].count("item"))
        return commit

    def _parse_info(self, session_page: Page) -> SessionInfo | None:
        if not session_page.records:
            return None
        try:
            session_info = session_codec.read_session(session_page.records[0])
        except ValueError as error:
            raise CorruptRecord(
                f"the session record of {shown(self._initial_info.id)} cannot be read, "
                "so its owner is "
                "unknown; restore it from a copy of the store, or delete it as the operator"
            ) from error
        return session_info

    def _check_owner(self, session_info: SessionInfo | None) -> None:
        user_id = self._initial_info.user
        if session_info is None or user_id is None:
            return
        if session_info.user not in (None, user_id):
            raise NotOwner(f"session {shown(self._initial_info.id)} belongs to another user")

    def _is_accessible(self, info: SessionInfo) -> bool:
        return self._initial_info.user is None or info.user == self._initial_info.user

    def ensure_listed(self, info: SessionInfo) -> None:
        """List a new session again: a late deletion of its predecessor may remove the entry."""
        if info.user is not None:
            user_index.ensure_listed(self.engine, info.user, info.id)

    def touch_index(self, info: SessionInfo, *, new: bool = False) -> None:
        """Note in the index of the owner that the session was used."""
        if info.user is not None:
            user_index.touch(self.engine, info.user, info.id, new=new)
