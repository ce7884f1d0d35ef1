"""One call: this process's client, a deadline, retries of what may pass, errors in our words."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TypeVar

import pymongo
from pymongo import errors

from threadkeep.backends.common.deadline import Deadline, backoff, format_wait
from threadkeep.backends.mongodb import driver_errors
from threadkeep.backends.mongodb.documents import INDEXES, Document, Store
from threadkeep.backends.mongodb.driver_errors import Fault, Kind
from threadkeep.errors import BackendError

T = TypeVar("T")
Client = pymongo.MongoClient[Document]


class RetryingClient:
    """Runs work on a collection. After a fork the child makes a client of its own.

    Args:
        make: makes the client.
        owned: was it made here, and is it closed here?
        place: names of the database and the collection.
    """

    def __init__(
        self,
        make: Callable[[], Client],
        *,
        owned: bool,
        place: tuple[str, str],
        where: str,
        timeout: float,
        connect_timeout: float,
    ) -> None:
        self._make = make
        self._owned = owned
        self._place = place
        self._where = where
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._lock = threading.Lock()
        self._clients: dict[int, Client] = {}
        self._ready: set[int] = set()
        self._closed = False

    def run(self, work: Callable[[Store], T], *, repeatable: bool = True, making: bool = True) -> T:
        """Do it, again where that may help, until the deadline.

        Args:
            making: make the collection with its indexes first, if it is not there?
            repeatable: may it be done again if a connection broke and nobody knows whether it
                was done?

        Raises:
            BackendTimeout: not done within the time-out.
            BackendError: what the server says, or that it cannot be reached.
        """
        deadline = Deadline(self._timeout)
        attempt = 0
        while True:
            waits = min(deadline.remaining(), self._connect_timeout)
            try:
                return self._once(work, deadline, making)
            except errors.PyMongoError as error:
                within = format_wait(waits, self._timeout, self._connect_timeout)
                fault = driver_errors.understand(error, within)
                if fault.kind is Kind.LOST and not repeatable:
                    raise driver_errors.unknown(self._where) from error
                if not self._hopeful(fault) or not backoff(attempt, deadline):
                    raise driver_errors.error(fault, self._where, self._timeout) from error
            attempt += 1

    def close(self) -> None:
        """Close the client that was made here."""
        with self._lock:
            self._closed = True
            client = self._clients.pop(os.getpid(), None)
        if client is not None and self._owned:
            client.close()

    def _once(self, work: Callable[[Store], T], deadline: Deadline, making: bool) -> T:
        store = self._store()
        if os.getpid() not in self._ready:
            self._connect(store, deadline)
            if making:
                with pymongo.timeout(_left(deadline)):
                    store.create_indexes(list(INDEXES))
                self._ready.add(os.getpid())
        with pymongo.timeout(_left(deadline)):
            return work(store)

    def _connect(self, store: Store, deadline: Deadline) -> None:
        """A server that never answered is waited for less long than one that is gone."""
        try:
            with pymongo.timeout(min(_left(deadline), self._connect_timeout)):
                store.database.command("ping")
        except errors.PyMongoError:
            raise
        except Exception as error:  # IndexError and ValueError of a password, among others
            raise BackendError(
                f"{self._where}: {type(error).__name__} in pymongo while connecting: "
                "check username, password and the options of the URL"
            ) from None

    def _store(self) -> Store:
        """The collection, of the primary: what is compared and set must be the newest."""
        database, collection = self._place
        primary = pymongo.ReadPreference.PRIMARY
        return self._client()[database].get_collection(collection, read_preference=primary)

    def _client(self) -> Client:
        pid = os.getpid()
        with self._lock:
            if self._closed:
                raise BackendError(f"{self._where} is closed: open a new backend")
            if pid not in self._clients:
                self._clients[pid] = self._make()
            return self._clients[pid]

    def _hopeful(self, fault: Fault) -> bool:
        if fault.kind is Kind.UNREACHABLE:
            return os.getpid() in self._ready
        return fault.kind in (Kind.AGAIN, Kind.LOST)


def _left(deadline: Deadline) -> float:
    return max(0.001, deadline.remaining())
