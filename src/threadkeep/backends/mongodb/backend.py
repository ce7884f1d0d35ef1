"""The MongoDB backend: options, and the verbs of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from threadkeep.backends.common.client_pool import ClientPool
from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.retry import run_commit
from threadkeep.backends.mongodb import commit as committing
from threadkeep.backends.mongodb import expire
from threadkeep.backends.mongodb.client_calls import Client, RetryingClient
from threadkeep.backends.mongodb.describe import describe_server
from threadkeep.backends.mongodb.documents import Document, Store
from threadkeep.backends.mongodb.read import read_pages
from threadkeep.backends.mongodb.url import build_target, make_client
from threadkeep.core import cursor as cursors
from threadkeep.core.option_types import POOL_SIZE, SECONDS
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
        connect_seconds = SECONDS.check(
            "connect_timeout", 5.0 if connect_timeout is None else connect_timeout
        )
        POOL_SIZE.check("pool_size", pool_size)
        SECONDS.check("timeout", timeout)
        self.blocking = True
        login = (username, password)
        target = build_target(url, client, login, database, collection)
        self._location = target.location
        self._pool: ClientPool[Client] = ClientPool(
            lambda: make_client(target, pool_size, connect_seconds),
            Client.close if client is None else None,
            location=target.location,
        )
        self._calls = RetryingClient(
            self._pool,
            namespace=target.namespace,
            location=target.location,
            timeout=float(timeout),
            connect_timeout=float(connect_seconds),
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
        promise = committing.promise(Change(stream, put, drop, ttl, expect, token, now))
        commit_call = partial(committing.commit, promise=promise)
        return run_commit(self._calls.run, commit_call, promise.change)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        start_name = prefix if cursor is None else cursors.stream(cursor, prefix)
        id_condition = {"$gte" if cursor is None else "$gt": f"s:{start_name}"}

        def work(store: Store) -> list[Document]:
            head_filter = {"_id": {**id_condition, "$lt": "t"}, "g": {"$exists": False}}
            return list(store.find(head_filter, {"_id": 1}).sort("_id", 1).limit(limit))

        listed_names = [document["_id"][2:] for document in self._calls.run(work)]
        page_names = [stream_name for stream_name in listed_names if stream_name.startswith(prefix)]
        return page_names, page_names[-1] if len(page_names) == limit else None

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
        return self._calls.run(describe_server, creates=False)

    def clock_offset(self, *, renew: bool = False) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's."""
        if renew or self._calls.clock.offset is None:
            self._calls.run(self._calls.measure_clock if renew else lambda store: None)
        return self._calls.clock.offset

    def close(self) -> None:
        """Close the connections opened here."""
        self._pool.close()
