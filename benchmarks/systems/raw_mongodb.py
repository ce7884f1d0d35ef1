"""pymongo by hand: a document for each message; the least a chat there can cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pymongo import MongoClient

from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.servers import mongodb
from tests.servers.instances import fresh_table


class RawMongodb:
    """One insert of many, one find by an index."""

    raw: ClassVar = "raw_mongodb"
    longest: ClassVar = 10_000

    def __init__(self, folder: Path) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(mongodb())
        self._store = self._client["history_db"][fresh_table()]
        self._store.create_index([("session", 1), ("_id", 1)])

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._store.insert_many([{"session": session, **message} for message in messages])

    def recent(self, session: str) -> list[Any]:
        return list(self._store.find({"session": session}).sort("_id", -1).limit(RECENT))[::-1]

    def size(self) -> None:
        return None

    def close(self) -> None:
        self._store.drop()
        self._client.close()
