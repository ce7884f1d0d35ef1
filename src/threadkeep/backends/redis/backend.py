"""The Redis backend: its options and the methods of the `Backend` protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from threadkeep.backends.common.client_pool import ClientPool
from threadkeep.backends.common.commit import Change, conflict
from threadkeep.backends.common.retry import run_commit
from threadkeep.backends.common.server_clock import ServerClock
from threadkeep.backends.redis import clients, describe, encoding, expire, scan
from threadkeep.backends.redis.client_calls import (
    RetryingClient,
    Run,
    evaluate,
    evaluate_all,
)
from threadkeep.backends.redis.clients import Client
from threadkeep.backends.redis.keys import StreamKeys
from threadkeep.backends.redis.scripts import COMMIT, READ
from threadkeep.backends.redis.url import from_url, merge_options, parse_target
from threadkeep.core.option_types import POOL_SIZE, SECONDS
from threadkeep.errors import ConfigError
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class RedisBackend:
    """Streams in Redis 6 or newer, Valkey, or a cluster of either; no modules are needed.

    It connects at the first use. After a fork, the child opens connections of its own. A commit
    is durable on one server only: replication is asynchronous, so a failover may lose commits
    that were acknowledged a moment before.

    Args:
        url: `redis://[user][:password@]host[:port][/db]`, `rediss://` for TLS,
            `redis+cluster://one:6379,other:6379` for a cluster; its other nodes are discovered.
        client: the application's own `redis.Redis` or `redis.RedisCluster`; it keeps its own
            pool and time-outs, and is never closed here.
        host: the server's host, if there is no URL.
        port: the server's port.
        db: the number of the database.
        username: the user to log in as.
        password: a str, or a callable that is called for each new connection.
        prefix: the prefix of all key names; default `tk`.
        pool_size: the maximum number of connections; of a cluster, of those in use at once.
        timeout: seconds a call may take in total: waiting for a connection, the server, retries.
        connect_timeout: seconds a connection attempt may take, within `timeout`; default 5.
        **parameters: `tls`, `cluster`, `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`,
            `ssl_cert_reqs`, `ssl_check_hostname`; also in the URL.

    Raises:
        ConfigError: an option is unknown, contradictory or out of range; the message names it.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        client: Client | None = None,
        host: str | None = None,
        port: int | None = None,
        db: int | None = None,
        username: str | None = None,
        password: str | Callable[[], str] | None = None,
        prefix: str | None = None,
        pool_size: int = 16,
        timeout: float = 30.0,
        connect_timeout: float | None = None,
        **parameters: Any,
    ) -> None:
        options = {"host": host, "port": port, "db": db, "username": username, **parameters}
        options |= {"password": password, "prefix": prefix, "connect_timeout": connect_timeout}
        settings = _settings(url, options)
        self._prefix = settings.pop("prefix", "tk")
        connect_seconds = SECONDS.read("connect_timeout", settings.pop("connect_timeout", 5.0))
        POOL_SIZE.check("pool_size", pool_size)
        SECONDS.check("timeout", timeout)
        self.blocking = True
        self._keys = StreamKeys(self._prefix)
        self._location, make_client = _connection(client, settings, connect_seconds)
        self._pool = _client_pool(make_client, self._location, pool_size, owned=client is None)
        self._clock = ServerClock()
        self._calls = RetryingClient(self._pool, location=self._location, timeout=float(timeout))
        if client is None:
            self._calls.ping_by(make_client)

    def __repr__(self) -> str:
        return f"RedisBackend({self._location}, prefix={self._prefix!r})"

    @property
    def in_use(self) -> int:
        """The number of connections in use now."""
        return self._pool.in_use

    def read(self, *queries: Query, now: float) -> list[Page]:
        query_indexes_by_stream: dict[str, list[int]] = {}
        for query_index, query in enumerate(queries):
            query_indexes_by_stream.setdefault(query.stream, []).append(query_index)
        script_runs: list[Run] = [
            (
                READ,
                self._keys.of(stream),
                encoding.read_args([queries[query_index] for query_index in query_indexes], now),
            )
            for stream, query_indexes in query_indexes_by_stream.items()
        ]
        replies = self._calls.run(lambda client: _read(client, script_runs)) if script_runs else []
        page_by_index: dict[int, Page] = {}
        for query_indexes, (stream_version, *query_replies) in zip(
            query_indexes_by_stream.values(), replies, strict=True
        ):
            for query_index, reply in zip(
                query_indexes, query_replies or [()] * len(query_indexes), strict=True
            ):
                page_by_index[query_index] = Page(
                    stream_version, encoding.decode_records(queries[query_index], reply)
                )
        return [page_by_index[query_index] for query_index in range(len(queries))]

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
        script_run = (COMMIT, self._keys.of(stream), encoding.commit_args(change))
        return run_commit(self._calls.run, partial(_commit, run=script_run, change=change), change)

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        key_pattern = self._keys.pattern(prefix)
        scan_position = scan.ScanPosition() if cursor is None else scan.decode(cursor, prefix)
        stream_names, scan_position = (
            list(scan_position.pending),
            scan_position._replace(pending=()),
        )
        while not scan_position.finished and len(stream_names) < limit:
            stream_keys, scan_position = self._calls.run(
                partial(scan.step, scan_position, key_pattern, limit)
            )
            stream_names += (self._keys.stream(stream_key) for stream_key in stream_keys)
        scan_position = scan_position._replace(pending=tuple(stream_names[limit:]))
        is_at_end = scan_position.finished and not scan_position.pending
        return stream_names[:limit], None if is_at_end else scan_position

    def sweep(self, now: float, limit: int = 1000) -> int:
        return self._calls.run(lambda client: expire.sweep(client, self._keys, now, limit))

    def purge(self, now: float) -> list[str]:
        """Return where deleted data may remain; the server's own memory holds none of it."""
        del now
        return [
            "the server's AOF and RDB files, until it rewrites them",
            "its replicas and backups",
        ]

    def describe(self) -> dict[str, str]:
        """Describe the server: engine and version, memory, eviction policy, role."""
        return self._calls.run(describe.describe)

    def clock_offset(self, *, renew: bool = False) -> float | None:
        """Seconds by which the server's clock is ahead; of a cluster, that of any one server."""
        if renew or self._clock.offset is None:
            self._calls.run(lambda client: self._clock.measure(partial(clients.time, client)))
        return self._clock.offset

    def close(self) -> None:
        """Close the connections opened here; those in use are closed when their calls end."""
        self._pool.close()


def _commit(client: Client, run: Run, change: Change) -> Commit:
    is_committed, version, *encoded_seqs = evaluate(client, run)
    if not is_committed:
        raise conflict(change.stream, change.expect, version)
    return Commit(version, encoding.decode_seqs(change.put, encoded_seqs))


def _read(client: Client, runs: Sequence[Run]) -> list[Any]:
    if len(runs) == 1 or clients.is_cluster(client):
        return [evaluate(client, run) for run in runs]
    return evaluate_all(client, runs)


def _settings(url: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """What the URL and the options that were given say together."""
    given_options = {name: value for name, value in options.items() if value is not None}
    return merge_options({} if url is None else from_url(url), given_options)


def _client_pool(
    make_client: Callable[[], Client], location: str, size: int, *, owned: bool
) -> ClientPool[Client]:
    """A pool that limits and closes its own clients, and leaves the application's one alone."""
    return ClientPool(
        make_client,
        (lambda client: client.close()) if owned else None,
        location=location,
        size=size if owned else None,
    )


def _connection(
    client: Client | None, settings: dict[str, Any], connect_timeout: float
) -> tuple[str, Callable[[], Client]]:
    """The location of the server, and a function that returns a client of it."""
    if client is not None:
        checked_client = _check_client(client, settings)
        return clients.location(checked_client), lambda: checked_client
    target = parse_target(settings)
    return target.location(), partial(clients.make_client, target, connect_timeout)


def _check_client(client: object, settings: dict[str, Any]) -> Client:
    """Return the application's client, which takes no other connection settings beside it."""
    for setting_name in settings:
        raise ConfigError(f"{setting_name} contradicts client: the client says where the server is")
    return clients.check_client(client)
