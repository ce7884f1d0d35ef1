"""The MongoDB backend: options, and the verbs of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from threadkeep.backends.common.commit import Change
from threadkeep.backends.mongodb import commit as committing
from threadkeep.backends.mongodb import expire
from threadkeep.backends.mongodb.client_calls import RetryingClient
from threadkeep.backends.mongodb.describe import describe_server
from threadkeep.backends.mongodb.documents import Document, Store
from threadkeep.backends.mongodb.read import read_pages
from threadkeep.backends.mongodb.url import build_target, make_client
from threadkeep.core import cursor as cursors
from threadkeep.core.option_types import POOL_SIZE, SECONDS
from threadkeep.errors import Conflict
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class MongoBackend:
    """Streams in MongoDB 4.4 or newer, a single server and a replica set alike.

    Connects, and creates the indexes, on first use. No transactions are used: a commit is one
    atomic update of one document, and the next caller applies it if its writer dies. After a
    fork the child process opens connections of its own.

    Args:
        url: `mongodb://[user:password@]host[:port][,...][/database][?option=value]`, or
            `mongodb+srv://`; options are MongoDB's own.
        client: a `pymongo.MongoClient` of the application's own, which is never closed here.
        database: its name; default: the one of the URL, else `history_db`.
        collection: of all streams; default `sessions`.
        username: whom to log in as, if the URL has no username.
        password: a str, or a callable that is called when the client is created.
        pool_size: the maximum number of connections to each server.
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
        seconds = SECONDS.check(
            "connect_timeout", 5.0 if connect_timeout is None else connect_timeout
        )
        POOL_SIZE.check("pool_size", pool_size)
        SECONDS.check("timeout", timeout)
        self.blocking = True
        login = (username, password)
        target = build_target(url, client, login, database, collection)
        self._location = target.location
        self._calls = RetryingClient(
            lambda: make_client(target, pool_size, seconds),
            owned=client is None,
            place=target.namespace,
            where=target.location,
            timeout=float(timeout),
            connect_timeout=float(seconds),
        )

    def __repr__(self) -> str:
        return f"MongoBackend({self._location})"

    def read(self, *queries: Query, now: float) -> list[Page]:
        return self._calls.run(lambda store: read_pages(store, queries, now))

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
        attempts = _MongoCommitAttempts(committing.promise(change))
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

        listed = [document["_id"][2:] for document in self._calls.run(work)]
        page = [name for name in listed if name.startswith(prefix)]
        return page, page[-1] if len(page) == limit else None

    def sweep(self, now: float, limit: int = 1000) -> int:
        return self._calls.run(lambda store: expire.sweep(store, now, limit))

    def purge(self, now: float) -> list[str]:
        """Does nothing, since the server reuses space itself; returns where copies may remain."""
        del now
        return [
            "marks of what was dropped, which hold names and ids, until a sweep an hour later",
            "the server's files and oplog, until it reuses their room",
            "its backups",
        ]

    def describe(self) -> dict[str, str]:
        """Describe the server; does not create the collection."""
        return self._calls.run(describe_server, making=False)

    def close(self) -> None:
        """Close the connections opened here."""
        self._calls.close()


class _MongoCommitAttempts:
    """A commit and its retries; a retry that finds the stream already deleted has succeeded."""

    def __init__(self, promise: committing.Promise) -> None:
        self._promise = promise
        self._tried = False

    def __call__(self, store: Store) -> tuple[int, dict[tuple[str, str], int]]:
        is_retry, self._tried = self._tried, True
        try:
            return committing.commit(store, self._promise)
        except Conflict as conflict:
            change = self._promise.change
            if is_retry and conflict.current == 0 and change.drops_stream and not change.put:
                return 0, {}
            raise
