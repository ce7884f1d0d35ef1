"""The Redis backend: options, and the verbs of the protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from threadkeep.backends.redis import (
    clients,
    encoding,
    expire,
    scan,
)
from threadkeep.backends.redis import (
    describe as describing,
)
from threadkeep.backends.redis import url as targets
from threadkeep.backends.redis.client_calls import (
    RetryingClient,
    Run,
    evaluate,
    evaluate_all,
)
from threadkeep.backends.redis.clients import Client
from threadkeep.backends.redis.keys import Keys
from threadkeep.backends.redis.pool import Pool
from threadkeep.backends.redis.scripts import COMMIT, READ
from threadkeep.errors import ConfigError, Conflict
from threadkeep.types import Commit, Drop, Page, Query, Record, Ttl


class RedisBackend:
    """Streams in Redis 6 or newer, Valkey, or a cluster of either; no modules are needed.

    Nothing is connected before the first use. After a fork a child goes on with connections of
    its own. What a commit promises is one server's: replication is asynchronous, so a failover may
    lose commits that were acknowledged a moment before.

    Args:
        url: `redis://[user][:password@]host[:port][/db]`, `rediss://` for TLS,
            `redis+cluster://one:6379,other:6379` for a cluster, whose other nodes are found.
        client: a `redis.Redis` or `redis.RedisCluster` of the application's own, which is never
            closed here; its pool and time-outs are its own affair.
        host: the server, where there is no URL.
        port: its port.
        db: number of its database.
        username: whom to log in as.
        password: a str, or a callable that is asked at each new connection.
        prefix: what the names of all keys begin with; default `tk`.
        pool_size: connections at most; of a cluster, in use at once.
        timeout: seconds a call may take in all: waiting for a connection, the server, retries.
        connect_timeout: seconds a connection attempt may take, within `timeout`; default 5.
        **parameters: `tls`, `cluster`, `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`,
            `ssl_cert_reqs`, `ssl_check_hostname`; also in the URL.

    Raises:
        ConfigError: an option is unknown, contradictory or out of range; it is named.
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
        fields = {"host": host, "port": port, "db": db, "username": username, **parameters}
        fields |= {"password": password, "prefix": prefix, "connect_timeout": connect_timeout}
        given = {name: value for name, value in fields.items() if value is not None}
        said = targets.merged({} if url is None else targets.from_url(url), given)
        named, patience = said.pop("prefix", "tk"), said.pop("connect_timeout", 5.0)
        wait = _check(pool_size, timeout, patience)
        self.blocking = True
        self._keys = Keys(named)
        if client is None:
            target = targets.target(said)
            where, size = target.described(), pool_size
            make = lambda: clients.make(target, wait)  # noqa: E731 (bound to this target)
        else:
            own = _alone(client, said)
            where, size, make = clients.described(own), None, lambda: own
        self._where = where
        self._prefix = named
        self._pool = Pool(make, where=where, size=size)
        self._calls = RetryingClient(self._pool, where=where, timeout=float(timeout))

    def __repr__(self) -> str:
        return f"RedisBackend({self._where}, prefix={self._prefix!r})"

    @property
    def in_use(self) -> int:
        """How many connections are lent now."""
        return self._pool.lent

    def read(self, *queries: Query, now: float) -> list[Page]:
        streams: dict[str, list[int]] = {}
        for n, query in enumerate(queries):
            streams.setdefault(query.stream, []).append(n)
        runs: list[Run] = [
            (READ, self._keys.of(stream), encoding.read([queries[n] for n in places], now))
            for stream, places in streams.items()
        ]
        answers = self._calls.run(lambda client: _read(client, runs)) if runs else []
        pages: dict[int, Page] = {}
        for places, (version, *flat) in zip(streams.values(), answers, strict=True):
            for n, one in zip(places, flat or [()] * len(places), strict=True):
                pages[n] = Page(version, encoding.records(queries[n], one))
        return [pages[n] for n in range(len(queries))]

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
        args = encoding.commit(put, drop, ttl, expect, token, now)
        run = _Once((COMMIT, self._keys.of(stream), args))
        repeatable = expect is None or token is not None
        done, version, *told = self._calls.run(run, repeatable=repeatable)
        if done:
            return Commit(version, encoding.seqs(put, told))
        if run.again and version == 0 and not put and any(one.kind is None for one in drop):
            return Commit(0, [])  # the first attempt ended the stream; its answer was lost
        raise Conflict(
            f"stream {stream!r} is at version {version}, not {expect}: "
            "read it again and repeat the change",
            current=version,
        )

    def streams(
        self, prefix: str, *, cursor: Any = None, limit: int = 1000
    ) -> tuple[list[str], Any]:
        pattern = self._keys.pattern(prefix)
        place = scan.Place() if cursor is None else scan.decode(cursor, prefix)
        found, place = list(place.left), place._replace(left=())
        while not place.over and len(found) < limit:
            keys, place = self._calls.run(partial(scan.step, place, pattern, limit))
            found += (self._keys.stream(key) for key in keys)
        place = place._replace(left=tuple(found[limit:]))
        return found[:limit], None if place.over and not place.left else place

    def sweep(self, now: float, limit: int = 1000) -> int:
        return self._calls.run(lambda client: expire.sweep(client, self._keys, now, limit))

    def purge(self, now: float) -> list[str]:
        """Nothing of a deleted key is left in the server's memory; where else it may be."""
        del now
        return [
            "the server's AOF and RDB files, until it rewrites them",
            "its replicas and backups",
        ]

    def describe(self) -> dict[str, str]:
        """What the server says of itself."""
        return self._calls.run(describing.describe)

    def close(self) -> None:
        """Close the connections opened here, also those in use now, as their calls end."""
        self._pool.close()


class _Once:
    """A script to be run, which remembers whether it had to be run again."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tried = False
        self.again = False

    def __call__(self, client: Client) -> Any:
        self.again, self._tried = self._tried, True
        return evaluate(client, self._run)


def _read(client: Client, runs: Sequence[Run]) -> list[Any]:
    if len(runs) == 1 or clients.clustered(client):
        return [evaluate(client, run) for run in runs]
    return evaluate_all(client, runs)


def _alone(client: object, said: dict[str, Any]) -> Client:
    """The application's client, which says everything about the server itself."""
    for name in said:
        raise ConfigError(f"{name} contradicts client: the client says where the server is")
    return clients.check(client)


def _check(pool_size: object, timeout: object, connect_timeout: Any) -> float:
    """The time-out of connecting, which a URL gives as text."""
    if not isinstance(pool_size, int) or isinstance(pool_size, bool) or pool_size < 1:
        raise ConfigError(f"pool_size must be a whole number of at least 1, got {pool_size!r}")
    if isinstance(connect_timeout, str) and connect_timeout.replace(".", "", 1).isdigit():
        connect_timeout = float(connect_timeout)
    for name, value in (("timeout", timeout), ("connect_timeout", connect_timeout)):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value <= 0:  # type: ignore[arg-type,operator]
            raise ConfigError(f"{name} must be a number of seconds above 0, got {value!r}")
    return float(connect_timeout)
