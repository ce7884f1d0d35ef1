"""The MongoDB backend: options, and the verbs of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from threadkeep.backends.common.commit import Change
from threadkeep.backends.mongodb import (
    commit as committing,
)
from threadkeep.backends.mongodb import (
    describe as describing,
)
from threadkeep.backends.mongodb import (
    expire,
)
from threadkeep.backends.mongodb import (
    read as reading,
)
from threadkeep.backends.mongodb import (
    url as options,
)
from threadkeep.backends.mongodb.client_calls import RetryingClient
from threadkeep.backends.mongodb.documents import Document, Store
from threadkeep.core import cursor as cursors
from threadkeep.errors import Conflict
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class MongoBackend:
    """Streams in MongoDB 4.4 or newer, a single server and a replica set alike.

    Nothing is connected before the first use, which also makes the indexes. No transactions are
    used: a commit is one atomic update of one document, applied by whoever comes next if its
    writer dies. After a fork a child goes on with connections of its own.

    Args:
        url: `mongodb://[user:password@]host[:port][,...][/database][?option=value]`, or
            `mongodb+srv://`; options are MongoDB's own.
        client: a `pymongo.MongoClient` of the application's own, which is never closed here.
        database: its name; default: the one of the URL, else `history_db`.
        collection: of all streams; default `sessions`.
        username: whom to log in as, where the URL does not say it.
        password: a str, or a callable that is asked when the client is made.
        pool_size: connections at most, for each server.
        timeout: seconds a call may take in all: waiting for a connection, the server, retries.
        connect_timeout: seconds in which a server must be found, within `timeout`; default 5.

    Raises:
        ConfigError: an option is unknown, contradictory or out of range; it is named.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client: Any = None,
        database: str | None = None,
        collection: str | None = None,
        username: str | None = None,
        password: str | Callable[[], str] | None = None,
        pool_size: int = 16,
        timeout: float = 30.0,
        connect_timeout: float | None = None,
    ) -> None:
        patience = 5.0 if connect_timeout is None else connect_timeout
        options.check(pool_size, timeout, patience)
        self.blocking = True
        login = (username, password)
        target = options.target(url, client, login, database, collection)
        self._where = target.where
        self._calls = RetryingClient(
            lambda: options.make(target, pool_size, patience),
            owned=client is None,
            place=target.place,
            where=target.where,
            timeout=float(timeout),
            connect_timeout=float(patience),
        )

    def __repr__(self) -> str:
        return f"MongoBackend({self._where})"

    def read(self, *queries: Query, now: float) -> list[Page]:
        return self._calls.run(lambda store: reading.pages(store, queries, now))

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
        change = Change(stream, put, drop, ttl, expect, token, now)
        attempts = _Attempts(committing.promise(change))
        repeatable = expect is None or token is not None
        version, seqs = self._calls.run(attempts, repeatable=repeatable)
        return committing.answer(version, seqs, put)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        low = prefix if cursor is None else cursors.stream(cursor, prefix)
        after = {"$gte" if cursor is None else "$gt": f"s:{low}"}

        def work(store: Store) -> list[Document]:
            names = {"_id": {**after, "$lt": "t"}, "g": {"$exists": False}}
            return list(store.find(names, {"_id": 1}).sort("_id", 1).limit(limit))

        found = [one["_id"][2:] for one in self._calls.run(work)]
        mine = [name for name in found if name.startswith(prefix)]
        return mine, mine[-1] if len(mine) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        return self._calls.run(lambda store: expire.sweep(store, now, limit))

    def purge(self, now: float) -> list[str]:
        """Deleted documents are the server's to overwrite; where they may be until then."""
        del now
        return [
            "marks of what was dropped, which hold names and ids, until a sweep an hour later",
            "the server's files and oplog, until it reuses their room",
            "its backups",
        ]

    def describe(self) -> dict[str, str]:
        """What the server says of itself; the collection is not made."""
        return self._calls.run(describing.describe, making=False)

    def close(self) -> None:
        """Close the connections opened here."""
        self._calls.close()


class _Attempts:
    """A commit and its repeats: if it ended the stream, they find nothing left, as it should be."""

    def __init__(self, promise: committing.Promise) -> None:
        self._promise = promise
        self._tried = False

    def __call__(self, store: Store) -> tuple[int, dict[tuple[str, str], int]]:
        again, self._tried = self._tried, True
        try:
            return committing.commit(store, self._promise)
        except Conflict as conflict:
            change = self._promise.change
            if again and conflict.current == 0 and change.drops_stream and not change.put:
                return 0, {}
            raise
