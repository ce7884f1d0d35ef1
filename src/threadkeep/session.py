"""A session: one conversation, its verbs, and their async twins."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from threadkeep import codec, names
from threadkeep.batches import batches
from threadkeep.engine import Engine, twin
from threadkeep.errors import ConfigError, InputError, NotFound
from threadkeep.files import Files
from threadkeep.moments import moment
from threadkeep.ownership import Door
from threadkeep.policies import as_policies, from_options
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.providers import parse
from threadkeep.types import Drop, Item, Listing, Page, Query, Record, SessionInfo
from threadkeep.window import LOOKBACK, Window, choose, first_page

_UNSET: Final[Any] = object()
_ALL: Final = sys.maxsize


class Session:
    """One conversation. Made by `memory.session(...)` or `user.session(...)`, without any I/O.

    Every verb has an async twin with an `a` before its name. A session begins with its first
    write; the first write of a user makes it that user's. May be used by many threads.

    Attributes:
        id: the application's name for it.
        user: whose door this is; `None` = the operator's.
        agent: which agent of the application speaks in it.
        files: metadata of the session's files.
    """

    def __init__(
        self,
        engine: Engine,
        id: str,
        *,
        user: str | None = None,
        agent: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = names.check(id, "session id")
        self.user = None if user is None else names.check(user, "user")
        self.agent = None if agent is None else names.check(agent, "agent")
        blank = SessionInfo(self.id, self.user, self.agent, metadata=_metadata(metadata))
        self.engine = engine
        self._door = Door(engine, blank)
        self.files = Files(engine, self._door)

    def __repr__(self) -> str:
        return f"<Session {self.id!r} user={self.user!r}>"

    def add(self, *messages: object) -> list[Item]:
        """Append messages, in one atomic step, and return them as stored, with id and seq.

        Each is a `str` (a user message), an `Item`, a dict of OpenAI Chat, OpenAI Responses or
        Anthropic or with the fields of an `Item`, or an SDK's own object for these. An `id` is
        an idempotency key: added again, it keeps its place and takes the new content.
        More than 1,000 items or 4 MB are written in several steps, each atomic, in order.

        Raises:
            InputError: a message cannot be understood or stored; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        given, ids, records, now = self._drafted(messages)
        fresh = not any(item.id for item in given)
        seqs = [seq for batch in batches(records) for seq in self._door.write(batch, fresh=fresh)]
        if self.engine.settings.retain:
            self._retire()
        said = moment(now)
        return [
            codec.stamp(item, id, seq, said) for item, id, seq in zip(given, ids, seqs, strict=True)
        ]

    def rewrite(self, *messages: object) -> list[Item]:
        """Put messages in the place of all items, and return them as stored.

        One atomic step up to 1,000 items or 4 MB; more are written as by `add`, and then the old
        items go with the first step. Title, metadata and files stay.

        Raises:
            InputError: a message cannot be understood or stored; nothing was written.
            NotOwner: the session belongs to another user; nothing was written.
        """
        given, ids, records, now = self._drafted(messages)
        first, *rest = list(batches(records)) or [[]]

        def step() -> list[int]:
            seen = self._door.look()
            if not first and seen.info is None:
                return []
            return self._door.change(seen, put=first, drop=[Drop("item")])

        seqs = self._door.settle(step)
        seqs += [seq for batch in rest for seq in self._door.write(batch, fresh=False)]
        said = moment(now)
        return [
            codec.stamp(item, id, seq, said) for item, id, seq in zip(given, ids, seqs, strict=True)
        ]

    def window(
        self,
        *,
        policy: object = None,
        max_tokens: int | None = None,
        max_turns: int | None = None,
        max_exchanges: int | None = None,
        max_messages: int | None = None,
        max_characters: int | None = None,
        max_age: float | None = None,
        step: float | None = None,
        counter: TokenCounter | None = None,
        lookback: int = LOOKBACK,
    ) -> Window:
        """What a model should see: the newest of the session that the policies keep.

        Without any policy, those of `connect(window=)`, else everything within `lookback`.

        Args:
            policy: a policy, a list of them, or a dict such as `{"max_tokens": 3000}`; applied
                before the limits named beside it.
            max_tokens: see `threadkeep.policies` for these.
            max_turns: uninterrupted contributions of one speaker.
            max_exchanges: user turns with what answers them.
            max_messages: items, tool calls and results among them.
            max_characters: of text and tool arguments.
            max_age: seconds.
            step: 0.5 moves the front seldom and far, so that prompt caches hold.
            counter: how many tokens a text is; the default needs no network.
            lookback: how many items are read at most.

        Raises:
            ConfigError: a policy or limit makes no sense; it is named.
            NotOwner: the session belongs to another user.
        """
        limits = {
            "max_tokens": max_tokens,
            "max_turns": max_turns,
            "max_exchanges": max_exchanges,
            "max_messages": max_messages,
            "max_characters": max_characters,
            "max_age": max_age,
        }
        policies = [*as_policies(policy), *from_options(limits, counter=counter, step=step)]
        return self._window(policies or self.engine.settings.window, lookback, counter)

    def items(
        self,
        *,
        last: int | None = None,
        after: int | str | None = None,
        before: int | str | None = None,
        limit: int | None = None,
    ) -> Listing[Item]:
        """The session's items as stored, oldest first; all of them, unless told otherwise.

        Args:
            last: only the newest so many.
            after: a seq, or an item's id: only what comes behind it.
            before: a seq, or an item's id: only what comes before it.
            limit: only the first so many; the listing's `.cursor` is the `after` of the next page.

        Raises:
            NotFound: `after` or `before` names no item of the session.
            InputError: `last` and `limit` contradict each other, or are no whole numbers.
            NotOwner: the session belongs to another user.
        """
        if last is not None and limit is not None:
            raise InputError("last= and limit= contradict each other: give one of them")
        last, limit = _whole("last", last), _whole("limit", limit)
        query = self._query(
            limit=last if limit is None else limit + 1,
            newest=last is not None,
            after=self._seq("after", after),
            before=self._seq("before", before),
        )
        items = _read(self._door.look(query).pages[0])
        if limit is None or len(items) <= limit:
            return Listing(items)
        return Listing(items[:limit], cursor=items[limit - 1].seq if limit else after)

    def info(self) -> SessionInfo | None:
        """What is known of the session, or `None` if nothing was written to it yet.

        Raises:
            NotOwner: the session belongs to another user.
        """
        seen = self._door.look(self._query(limit=1, newest=True))
        if seen.info is None or not seen.pages[0].records:
            return seen.info
        newest = moment(seen.pages[0].records[0].at)
        return dataclasses.replace(
            seen.info, updated_at=max(newest, seen.info.updated_at or newest)
        )

    def update(
        self,
        *,
        title: str | None = _UNSET,
        metadata: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
    ) -> SessionInfo:
        """Set the title (`None` removes it), merge metadata key by key (`None` removes a key).

        A session that has no items yet begins. A callable gets the metadata there is and returns
        what to merge; it is called again if anything in the session changed meanwhile.

        Raises:
            InputError: the title is no `str`, or the metadata is not JSON.
            NotOwner: the session belongs to another user.
        """
        if title is not _UNSET and title is not None and not isinstance(title, str):
            raise InputError(f"title must be a str or None, got {type(title).__name__}")
        given = None if callable(metadata) else _metadata(metadata)

        def step() -> SessionInfo:
            seen, now = self._door.look(), self.engine.now()
            old = self._door.claimant(seen)
            changed = given
            if changed is None and callable(metadata):
                changed = _metadata(metadata(dict(old.metadata)))
            merged = {**old.metadata, **(changed or {})}
            new = dataclasses.replace(
                old,
                title=old.title if title is _UNSET else title,
                metadata={key: value for key, value in merged.items() if value is not None},
                created_at=old.created_at or moment(now),
            )
            self._door.change(seen, info=new)
            return dataclasses.replace(new, updated_at=moment(now))

        return self._door.settle(step)

    def replace(self, id: str, item: object) -> Item:
        """Put another content in an item's place: what the pencil of a chat page needs.

        Raises:
            NotFound: the session has no such item.
            InputError: the new content is no single item, or cannot be stored.
            NotOwner: the session belongs to another user.
        """
        id = names.check(id, "id")
        parsed = parse(item, "item")
        if len(parsed) != 1:
            raise InputError(f"item must be one item, got a message that makes {len(parsed)}")

        def step() -> Item:
            seen = self._door.look(self._query(ids=[names.key(id)]))
            if not seen.pages[0].records:
                raise NotFound(f"session {self.id!r} has no item {id!r} to replace")
            old = codec.read_item(seen.pages[0].records[0])
            said = parsed[0].created_at or old.created_at
            new = dataclasses.replace(parsed[0], id=id, created_at=said)
            record = codec.item_record(new, id, self.engine.now(), "item")
            return dataclasses.replace(new, seq=self._door.change(seen, put=[record])[0])

        return self._door.settle(step)

    def rewind(self, *, before: str | int | None = None, last: int | None = None) -> list[Item]:
        """Take back an item and everything after it; returns what was taken, oldest first.

        Args:
            before: an item's id, or a seq.
            last: instead of it, how many of the newest items; each is given to one caller only.

        Raises:
            NotFound: `before` names no item of the session.
            InputError: neither or both are given.
            NotOwner: the session belongs to another user.
        """
        if (before is None) == (last is None):
            raise InputError("rewind needs either before= (an item's id or a seq) or last=")
        last = _whole("last", last)

        def step() -> list[Item]:
            if last is not None:
                query = self._query(limit=last, newest=True)
            else:
                query = self._query(after=(self._seq("before", before) or 0) - 1)
            seen = self._door.look(query)
            taken = seen.pages[0].records
            if taken:
                drop = Drop("item", [record.id for record in taken])
                self._door.change(seen, drop=[drop])
            return [codec.read_item(record) for record in taken]

        return self._door.settle(step)

    def remove(self, *ids: str) -> None:
        """Delete single items by id; one that is not there is no error.

        Raises:
            NotOwner: the session belongs to another user.
        """
        keys = [names.key(names.check(id, "id")) for id in ids]

        def step() -> None:
            seen = self._door.look()
            if seen.info is not None and keys:
                self._door.change(seen, drop=[Drop("item", keys)])

        self._door.settle(step)

    def fork(self, id: str, *, upto: str | int | None = None) -> Session:
        """Copy the session, up to and with an item, into a new one of the same user.

        Items keep their ids and dates; title, metadata and files come along. The new session is
        there as a whole or not at all.

        Raises:
            NotFound: the session, or the item `upto`, does not exist.
            Conflict: a session of that id exists already.
            NotOwner: the session belongs to another user.
        """
        end = self._seq("upto", upto)
        seen = self._door.look(
            self._query(before=None if end is None else end + 1), Query(self._door.stream, "file")
        )
        if seen.info is None:
            raise NotFound(f"session {self.id!r} does not exist, so it cannot be forked")
        copy = Session(self.engine, id, user=self.user, agent=self.agent)
        user = seen.info.user or self.user
        info = dataclasses.replace(
            seen.info, id=id, user=user, created_at=None, forked_from=self.id
        )
        records = [codec.carried(record) for page in seen.pages for record in page.records]
        copy._door.begin(info, records)
        return copy

    def clear(self, *, keep_last: int = 0, files: bool = False) -> None:
        """Delete the items but for the newest `keep_last`, and the files if so said.

        Title and metadata stay.

        Raises:
            InputError: `keep_last` is no whole number of at least 0.
            NotOwner: the session belongs to another user.
        """
        keep = _whole("keep_last", keep_last) or 0

        def step() -> None:
            seen = self._door.look(self._query(limit=keep + 1, newest=True))
            held = seen.pages[0].records
            drop = [Drop("item", upto=held[0].seq)] if len(held) > keep else []
            if files and seen.info is not None:
                drop.append(Drop("file"))
            if drop:
                self._door.change(seen, drop=drop)

        self._door.settle(step)

    def delete(self) -> None:
        """Delete the session with everything in it; deleting what is not there is no error.

        Raises:
            NotOwner: the session belongs to another user.
        """
        self._door.settle(self._door.remove)

    aadd = twin(add)
    arewrite = twin(rewrite)
    awindow = twin(window)
    aitems = twin(items)
    ainfo = twin(info)
    aupdate = twin(update)
    areplace = twin(replace)
    arewind = twin(rewind)
    aremove = twin(remove)
    afork = twin(fork)
    aclear = twin(clear)
    adelete = twin(delete)

    def _drafted(
        self, messages: Sequence[object]
    ) -> tuple[list[Item], list[str], list[Record], float]:
        """Messages as items nobody has seen yet, their ids, their records, and the time."""
        given = [(n, item) for n, m in enumerate(messages) for item in parse(m, f"message {n}")]
        now = self.engine.now()
        ids = _ids([names.whole(item.id) or self.engine.mint(now) for _, item in given])
        records = [
            codec.item_record(item, id, now, f"message {n}")
            for (n, item), id in zip(given, ids, strict=True)
        ]
        return [item for _, item in given], ids, records, now

    def _window(
        self, policies: Sequence[Policy], lookback: int, counter: TokenCounter | None
    ) -> Window:
        if type(lookback) is not int or lookback < 1:
            raise ConfigError(f"lookback must be a whole number of at least 1, got {lookback!r}")
        size = first_page(policies, LOOKBACK if lookback == _ALL else lookback)
        opening = max((getattr(policy, "head", 0) for policy in policies), default=0)
        queries = [self._query(limit=size, newest=True)]
        if opening:
            queries.append(self._query(limit=opening))
        page, *head = map(_read, self._door.look(*queries).pages)
        return choose(
            page,
            head[0] if head else [],
            self._older,
            policies,
            now=self.engine.now(),
            size=size,
            lookback=lookback,
            counter=counter,
        )

    def _retire(self) -> None:
        """Delete what is older than all that `retain` keeps, read until it needs no more.

        Nothing that it has not seen is deleted, unless it said that this could not enter.
        """
        kept = self._window(self.engine.settings.retain, _ALL, None)
        if kept and self._older(kept[0].seq, 1):
            self._door.trim(kept[0].seq - 1)

    def _older(self, before: int, limit: int) -> list[Item]:
        return _read(self._door.look(self._query(limit=limit, newest=True, before=before)).pages[0])

    def _query(self, **bounds: Any) -> Query:
        return Query(self._door.stream, "item", **bounds)

    def _seq(self, field: str, place: int | str | None) -> int | None:
        """The seq of an item named by its id; a seq as it is."""
        if place is None or type(place) is int:
            return place
        if not isinstance(place, str):
            raise InputError(f"{field} must be an item's id or a seq, got {type(place).__name__}")
        records = self._door.look(self._query(ids=[names.key(place)])).pages[0].records
        if not records:
            raise NotFound(f"{field}: session {self.id!r} has no item {place!r}")
        return records[0].seq


def _read(page: Page) -> list[Item]:
    return [codec.read_item(record) for record in page.records]


def _ids(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        twice = next(id for id in ids if ids.count(id) > 1)
        raise InputError(f"two messages have the id {twice!r}; ids are unique in a session")
    return ids


def _metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InputError(f"metadata must be a dict, got {type(metadata).__name__}")
    return dict(metadata or {})


def _whole(name: str, number: int | None) -> int | None:
    if number is not None and (type(number) is not int or number < 0):
        raise InputError(f"{name} must be a whole number of at least 0, got {number!r}")
    return number
