"""Histories that the frameworks' own classes write to a database, and what they read of them."""

from __future__ import annotations

import asyncio
import json
import uuid
import warnings
from typing import Any

import psycopg
import sqlalchemy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, message_to_dict
from llama_index.core.llms import ChatMessage

from threadkeep.types import Json

MESSAGES = [
    HumanMessage("weather? \N{SUN BEHIND CLOUD}", id="u"),
    AIMessage("", id="a", tool_calls=[{"name": "weather", "args": {"city": "Lima"}, "id": "c"}]),
    ToolMessage("21", id="t", tool_call_id="c"),
    AIMessage("warm", id="b", response_metadata={"model_name": "gpt-5"}),
]
ITEMS: list[Any] = [
    {"role": "user", "content": "Weather?"},
    {"type": "function_call", "call_id": "c1", "name": "w", "arguments": "{}", "id": "__fake"},
    {"type": "function_call_output", "call_id": "c1", "output": "rain"},
    {"type": "message", "role": "assistant", "id": "__fake", "status": "completed",
     "content": [{"type": "output_text", "text": "Rain.", "annotations": []}]},
]  # fmt: skip
TURNS = [ChatMessage("Hi"), ChatMessage("Yes?", role="assistant")]


def community(name: str) -> Any:
    """A history of langchain-community."""
    with warnings.catch_warnings():  # it says that it is no longer developed
        warnings.simplefilter("ignore")
        from langchain_community import chat_message_histories

        return getattr(chat_message_histories, name)


def with_driver(url: str, driver: str = "") -> str:
    """The URL as SQLAlchemy takes it."""
    kind, _, rest = url.partition("://")
    drivers = {"postgresql": "psycopg", "mysql": "pymysql"}
    return f"{kind}+{driver or drivers[kind]}://{rest}"


def langchain_sql(url: str, session: str, messages: Any = MESSAGES) -> Any:
    """`SQLChatMessageHistory`."""
    engine = sqlalchemy.create_engine(with_driver(url))
    try:
        history = community("SQLChatMessageHistory")(session, connection=engine)
        history.add_messages(messages)
        return history.messages
    finally:
        engine.dispose()


def langchain_postgres(url: str, session: uuid.UUID) -> Any:
    """`PostgresChatMessageHistory` of langchain-postgres."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_postgres import PostgresChatMessageHistory
    with psycopg.connect(url) as connection:
        PostgresChatMessageHistory.create_tables(connection, "chat_history")
        history = PostgresChatMessageHistory(
            "chat_history", str(session), sync_connection=connection
        )
        history.add_messages(MESSAGES)
        return history.messages


def old_postgres(url: str, session: str) -> Any:
    """`PostgresChatMessageHistory` of langchain-community."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = community("PostgresChatMessageHistory")(session, connection_string=url)
        history.add_messages(MESSAGES)
        messages = history.messages
    history.cursor.close()
    history.connection.close()
    return messages


def langchain_redis(url: str, session: str, messages: Any = MESSAGES) -> Any:
    """`RedisChatMessageHistory` of langchain-community."""
    history = community("RedisChatMessageHistory")(session, url=url)
    history.add_messages(messages)
    read = history.messages
    history.redis_client.close()
    return read


def langchain_mongodb(collection: Any, session: str) -> None:
    """What `MongoDBChatMessageHistory` inserts."""
    for message in MESSAGES:
        document = {"SessionId": session, "History": json.dumps(message_to_dict(message))}
        collection.insert_one(document)


def agents_sql(url: str, session: str, driver: str) -> list[Json]:
    """`SQLAlchemySession` of the Agents SDK."""
    from agents.extensions.memory import SQLAlchemySession

    async def fill() -> list[Json]:
        chat = SQLAlchemySession.from_url(session, url=with_driver(url, driver), create_tables=True)
        await chat.add_items(ITEMS)
        items: Any = await chat.get_items()
        await chat.engine.dispose()
        return list(items)

    return asyncio.run(fill())


def agents_redis(url: str, session: str) -> list[Json]:
    """`RedisSession` of the Agents SDK."""
    from agents.extensions.memory import RedisSession

    async def fill() -> list[Json]:
        chat = RedisSession.from_url(session, url=url)
        await chat.add_items(ITEMS)
        items: Any = await chat.get_items()
        await chat.close()
        return list(items)

    return asyncio.run(fill())


def llama_redis(url: str, session: str) -> Any:
    """LlamaIndex's `RedisChatStore`."""
    from llama_index.storage.chat_store.redis import RedisChatStore  # type: ignore[import-untyped]

    store = RedisChatStore(redis_url=url)
    for message in TURNS:
        store.add_message(session, message)
    read = store.get_messages(session)
    store._redis_client.close()
    return read


def llama_sql(url: str, session: str, driver: str) -> None:
    """LlamaIndex's `SQLAlchemyChatStore`."""
    from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore

    async def fill() -> None:
        store = SQLAlchemyChatStore("memory", async_database_uri=with_driver(url, driver))
        await store.add_messages(session, TURNS)
        if store._async_engine is not None:
            await store._async_engine.dispose()

    asyncio.run(fill())


def llama_postgres(url: str, session: str) -> None:
    """The table of LlamaIndex's `PostgresChatStore`."""
    dumps = [message.model_dump_json() for message in TURNS]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE chatstore (id SERIAL PRIMARY KEY, key VARCHAR, value JSON[])"
        )
        connection.execute(
            "INSERT INTO chatstore (key, value) VALUES (%s, %s::json[])", (session, dumps)
        )
