"""Runs calls on this process's client: a deadline, retries, and errors mapped to ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

import pymongo
from pymongo import errors

from threadkeep.backends.common.circuit import PATIENCE
from threadkeep.backends.common.client_pool import ClientPool
from threadkeep.backends.common.deadline import Deadline, format_wait
from threadkeep.backends.common.faults import Failed, FaultKind
from threadkeep.backends.common.retry import RetryLoop
from threadkeep.backends.common.server_clock import ServerClock
from threadkeep.backends.mongodb.documents import INDEXES, Document, Store
from threadkeep.backends.mongodb.driver_errors import classify
from threadkeep.core.call_limit import Purpose, purpose
from threadkeep.errors import BackendError

T = TypeVar("T")
_SHORT: Final = 1.5  # seconds, most of a read's patience
Client = pymongo.MongoClient[Document]


class RetryingClient:
    """Runs work on a collection.

    Args:
        pool: of the client.
        namespace: names of the database and the collection.
        connect_timeout: seconds in which a server must be found.
    """

    def __init__(
        self,
        pool: ClientPool[Client],
        *,
        namespace: tuple[str, str],
        location: str,
        timeout: float,
        connect_timeout: float,
    ) -> None:
        self._pool = pool
        self._namespace = namespace
        self._location = location
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._loop = RetryLoop(location, timeout)
        self.clock = ServerClock()
        self._prepared: Client | None = None  # the client that found or made the indexes

    def run(
        self, work: Callable[[Store], T], *, repeatable: bool = True, creates: bool = True
    ) -> T:
        """Run work with retries; see `RetryLoop.run`.

        Args:
            creates: create the collection with its indexes first, if it is missing.
        """

        def attempt(deadline: Deadline) -> T:
            server_wait = min(deadline.remaining(), self._connect_timeout)
            try:
                return self._attempt(work, deadline, creates)
            except errors.PyMongoError as error:
                wait_text = format_wait(server_wait, self._timeout, self._connect_timeout)
                raise Failed(classify(error, wait_text), error) from None

        return self._loop.run(attempt, repeatable=repeatable)

    def _attempt(self, work: Callable[[Store], T], deadline: Deadline, creates: bool) -> T:
        self._pool.acquire(deadline)
        try:
            client = self._pool.client(deadline)
            store = self._store(client)
            if self._prepared is not client:
                self._connect(store, deadline)
                if creates:
                    with pymongo.timeout(_remaining(deadline)):
                        store.create_indexes(list(INDEXES))
                    self._prepared = client
            if purpose() is Purpose.READ:
                return self._read(work, store, deadline)
            with pymongo.timeout(_remaining(deadline)):
                return work(store)
        finally:
            self._pool.release()

    def _read(self, work: Callable[[Store], T], store: Store, deadline: Deadline) -> T:
        """Run a read, which has all its time only if the server is there.

        Inside an operation pymongo waits for a lost server as long as it may, and cannot be
        interrupted. So after a short while the server is asked for a sign of life. The clock says
        whether it was: when its time is over pymongo may raise what it met first, a lost
        connection.
        """
        short_deadline = deadline.part(_SHORT)
        try:
            with pymongo.timeout(_remaining(short_deadline)):
                return work(store)
        except errors.PyMongoError as error:
            is_time_over = error.timeout or not short_deadline.remaining()
            if not is_time_over or not deadline.remaining():
                raise
        with pymongo.timeout(min(_remaining(deadline), PATIENCE - _SHORT)):
            _ask_for_sign_of_life(store)
        with pymongo.timeout(_remaining(deadline)):
            return work(store)

    def _connect(self, store: Store, deadline: Deadline) -> None:
        """A server that never answered is waited for less long than one that is gone."""
        try:
            with pymongo.timeout(min(_remaining(deadline), self._connect_timeout)):
                self.measure_clock(store)
        except errors.PyMongoError:
            raise
        except Exception as error:  # IndexError and ValueError of a password, among others
            raise BackendError(
                f"{self._location}: {type(error).__name__} in pymongo while connecting: "
                "check username, password and the options of the URL"
            ) from None
        self._loop.connected = True

    def measure_clock(self, store: Store) -> None:
        """Say hello to the server, which tells its time."""
        self.clock.measure(lambda: _server_time(store.database.command("hello")))

    def _store(self, client: Client) -> Store:
        """The collection, of the primary: what is compared and set must be the newest."""
        database, collection = self._namespace
        read_preference = pymongo.ReadPreference.PRIMARY
        return client[database].get_collection(collection, read_preference=read_preference)


def _ask_for_sign_of_life(store: Store) -> None:
    """Say hello; a server that lets go of the connection then is as far away as one that is gone.

    Else the read would begin anew, with all its time.
    """
    try:
        store.database.command("hello")
    except errors.ConnectionFailure as error:
        fault = classify(error, f"{PATIENCE:g} s")
        if fault.kind is FaultKind.LOST:
            fault = fault._replace(kind=FaultKind.UNREACHABLE)
        raise Failed(fault, error) from None


def _server_time(hello: Document) -> float | None:
    local_time = hello.get("localTime")
    if not isinstance(local_time, datetime):
        return None
    utc_time = local_time if local_time.tzinfo else local_time.replace(tzinfo=UTC)
    return utc_time.timestamp()


def _remaining(deadline: Deadline) -> float:
    return max(0.001, deadline.remaining())
