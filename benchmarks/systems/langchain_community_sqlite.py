"""`SQLChatMessageHistory` of langchain-community on SQLite; it reads all, then we slice."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy

from benchmarks.messages import Message
from benchmarks.systems import RECENT, files
from benchmarks.systems.langchain_messages import chat

with warnings.catch_warnings():  # that langchain-community is no longer developed
    warnings.simplefilter("ignore")
    from langchain_community.chat_message_histories import SQLChatMessageHistory


class LangChainCommunitySqlite:
    """A history object per session, kept, on one engine; journal and sync as SQLAlchemy's."""

    raw: ClassVar = "raw_sqlite"
    longest: ClassVar = 10_000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._engine = sqlalchemy.create_engine(f"sqlite:///{folder / 'community.db'}")
        self._histories: dict[str, SQLChatMessageHistory] = {}

    def append(self, session: str, messages: Sequence[Message]) -> None:
        self._history(session).add_messages([chat(message) for message in messages])

    def recent(self, session: str) -> list[Any]:
        return self._history(session).messages[-RECENT:]

    def size(self) -> int:
        return files(self._folder)

    def close(self) -> None:
        self._engine.dispose()

    def _history(self, session: str) -> SQLChatMessageHistory:
        if session not in self._histories:
            self._histories[session] = SQLChatMessageHistory(session, connection=self._engine)
        return self._histories[session]
