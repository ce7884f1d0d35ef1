"""LangGraph's checkpointers and ours, each in a place of its own, and the graph that they save."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import psycopg

from benchmarks.messages import plain
from benchmarks.systems import servers
from tests.servers.instances import fresh_table

TEXT: Final = 350
"""Characters of a message; a turn has two."""

SNAPSHOTS: Final = 50
"""Updates after which a DeltaChannel stores its whole value."""

CONFIG: Final[Any] = {"configurable": {"thread_id": "t"}}

_TABLES: Final = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND "
_OWN_TABLES: Final = "relnamespace = 'public'::regnamespace"


class Opened(NamedTuple):
    """A checkpointer in an empty place.

    Attributes:
        saver: the checkpointer.
        size: the bytes that it has stored.
        cool: makes it forget what its process knows of the thread.
    """

    saver: Any
    size: Callable[[], int]
    cool: Callable[[], None] = lambda: None


def open_saver(stack: ExitStack, name: str, folder: Path) -> Opened:
    """Open a checkpointer by the first word of its name; the stack closes it.

    Raises:
        ModuleNotFoundError: there is no PostgreSQL.
    """
    opener: dict[str, Callable[[ExitStack, Path], Opened]] = {
        "InMemorySaver": _memory,
        "SqliteSaver": _sqlite,
        "PostgresSaver": _postgres,
        "ours": _ours_on_postgres if "PostgreSQL" in name else _ours,
    }
    return opener[name.partition(",")[0].partition(" ")[0]](stack, folder)


def _memory(_: ExitStack, __: Path) -> Opened:
    from langgraph.checkpoint.memory import InMemorySaver

    saver = InMemorySaver()
    return Opened(saver, lambda: sum(map(_serialized, (saver.storage, saver.blobs, saver.writes))))


def _sqlite(stack: ExitStack, folder: Path) -> Opened:
    from langgraph.checkpoint.sqlite import SqliteSaver

    path = folder / "saver.db"
    connection = stack.enter_context(closing(sqlite3.connect(path, check_same_thread=False)))
    return Opened(SqliteSaver(connection), lambda: _file_size(path))


def _postgres(stack: ExitStack, _: Path) -> Opened:
    from langgraph.checkpoint.postgres import PostgresSaver

    url = _database(stack)
    saver = stack.enter_context(PostgresSaver.from_conn_string(url))
    saver.setup()
    return Opened(saver, lambda: _database_size(url))


def _ours(stack: ExitStack, folder: Path) -> Opened:
    path = folder / "chat.db"
    return _ours_at(stack, path, lambda: _file_size(path))


def _ours_on_postgres(stack: ExitStack, _: Path) -> Opened:
    url = _database(stack)
    return _ours_at(stack, url, lambda: _database_size(url))


def _ours_at(stack: ExitStack, place: str | Path, size: Callable[[], int]) -> Opened:
    import threadkeep
    from langchain_threadkeep import ThreadkeepSaver

    memory = threadkeep.connect(place)
    stack.callback(memory.close)
    saver = ThreadkeepSaver(memory)

    def cool() -> None:
        saver.forget_threads()
        memory._engine.recent_items.clear()

    return Opened(saver, size, cool)


def _file_size(path: Path) -> int:
    """Bytes of a database once its log is written into it, as its last close does."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


def _database(stack: ExitStack) -> str:
    """The URL of an empty database; the stack drops it."""
    server, name = servers.postgres(), f"{fresh_table()}x"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')

    def drop() -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    stack.callback(drop)
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def _database_size(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(_TABLES + _OWN_TABLES).fetchone()
    return int(row[0] or 0) if row else 0


def _serialized(part: Any) -> int:
    """The bytes in nested dicts and tuples."""
    if isinstance(part, bytes):
        return len(part)
    if isinstance(part, dict):
        return sum(map(_serialized, part.values()))
    return sum(map(_serialized, part)) if isinstance(part, tuple) else 0


def say(graph: Any, text: str) -> None:
    """One turn; the graph answers."""
    graph.invoke({"messages": [{"role": "user", "content": text}]}, CONFIG, durability="sync")


def graph_on(saver: Any, *, delta: bool = False) -> Any:
    """A graph of one node, which answers with a text."""
    from typing import Annotated, TypedDict

    from langchain_core.messages import AIMessage
    from langgraph.channels.delta import DeltaChannel
    from langgraph.graph import END, START, StateGraph
    from langgraph.graph.message import _messages_delta_reducer, add_messages

    replayed: Any = _messages_delta_reducer
    reducer: Any = DeltaChannel(replayed, snapshot_frequency=SNAPSHOTS) if delta else add_messages
    channel = Annotated[list[Any], reducer]
    # not as a class: its annotations would be texts, which nobody could look up in here
    state_type = TypedDict("state_type", {"messages": channel})  # noqa: UP013
    texts = plain(2_000, TEXT, seed=7)
    numbers = itertools.count()

    def answer(state: Any) -> Any:
        text = texts[next(numbers) % 2_000]["content"]
        return {"messages": [AIMessage(text, id=f"lc_run--{os.urandom(16).hex()}")]}

    builder: Any = StateGraph(state_type)
    builder.add_node("answer", answer)
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)
