"""From other histories: what the how-to says, with a real table of langchain-community."""

from __future__ import annotations

import warnings

import sqlalchemy
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from langchain_threadkeep import ThreadkeepChatMessageHistory


def test_a_table_of_langchain_community_is_taken_over(tmp_path, memory):
    with warnings.catch_warnings():  # that langchain-community is no longer developed
        warnings.simplefilter("ignore")
        from langchain_community.chat_message_histories import SQLChatMessageHistory
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/old.db")
    said = [
        HumanMessage("weather?", id="u"),
        AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Lisbon"}, "id": "c"}]),
        ToolMessage("21", tool_call_id="c", artifact={"rows": [1]}),
        AIMessage(
            "warm", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        ),
    ]
    SQLChatMessageHistory("t", connection=engine).add_messages(said)
    query = sqlalchemy.text("SELECT DISTINCT session_id FROM message_store")
    with engine.connect() as connection:
        sessions = list(connection.scalars(query))
    for session in sessions:
        new = ThreadkeepChatMessageHistory(session, memory)
        new.add_messages(SQLChatMessageHistory(session, connection=engine).messages)
    engine.dispose()
    assert ThreadkeepChatMessageHistory("t", memory).messages == said
    assert [message["role"] for message in memory.session("t").window().to_openai()] == [
        "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
