"""LangChain's histories on servers that need no modules of Redis; they read all, then we slice."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import sqlalchemy
from langchain_postgres import PostgresChatMessageHistory

from benchmarks.messages import Message
from benchmarks.systems import RECENT
from benchmarks.systems.langchain_messages import chat
from benchmarks.systems.servers import InMysql, InPostgres, InRedis, mariadb, postgres, redis

with warnings.catch_warnings():  # that langchain-community is no longer developed
    warnings.simplefilter("ignore")
    from langchain_community.chat_message_histories import (
        RedisChatMessageHistory,
        SQLChatMessageHistory,
    )


class _Histories:
    """A history object per session, kept."""

    longest: ClassVar = 10_000
    name: str

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._histories: dict[str, Any] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._history(session).add_messages([chat(message) for message in messages])

    def recent(self, session: str) -> list[Any]:
        return list(self._history(session).messages[-RECENT:])

    def disconnect(self) -> None:
        """Nothing is open."""

    def _history(self, session: str) -> Any:
        if session not in self._histories:
            self._histories[session] = self._make(session)
        return self._histories[session]

    def _make(self, session: str) -> Any:
        raise NotImplementedError


class LangChainPostgres(_Histories, InPostgres):
    """`PostgresChatMessageHistory` of langchain-postgres, all on one connection."""

    raw: ClassVar = "raw_postgres"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._connection = psycopg.connect(postgres())
        PostgresChatMessageHistory.create_tables(self._connection, self.name)

    def _make(self, session: str) -> PostgresChatMessageHistory:
        id = str(uuid.uuid5(uuid.NAMESPACE_URL, session))
        return PostgresChatMessageHistory(self.name, id, sync_connection=self._connection)

    def disconnect(self) -> None:
        self._connection.close()


class LangChainMysql(_Histories, InMysql):
    """`SQLChatMessageHistory` of langchain-community, on one engine, by PyMySQL."""

    raw: ClassVar = "raw_mysql"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        url = sqlalchemy.make_url(mariadb()).set(drivername="mysql+pymysql")
        self._engine = sqlalchemy.create_engine(url)

    def _make(self, session: str) -> SQLChatMessageHistory:
        return SQLChatMessageHistory(session, table_name=self.name, connection=self._engine)

    def disconnect(self) -> None:
        self._engine.dispose()


class LangChainRedis(_Histories, InRedis):
    """`RedisChatMessageHistory` of langchain-community: a list, one message at a time."""

    raw: ClassVar = "raw_redis"

    def _make(self, session: str) -> RedisChatMessageHistory:
        return RedisChatMessageHistory(session, redis(), key_prefix=f"{self.name}:")
