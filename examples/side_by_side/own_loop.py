"""A chat in a loop of your own, which survives a restart."""

from __future__ import annotations

from typing import Any


def with_threadkeep(client: Any, question: str) -> str:
    """Any model API; here OpenAI's."""
    import threadkeep

    chat = threadkeep.connect("sqlite:///chat.db").session("chat-42")
    chat.add(question)
    reply = client.chat.completions.create(model="gpt-5", messages=chat.window().to_openai())
    chat.add(reply)
    return str(reply.choices[0].message.content)


def with_langchain(model: Any, question: str) -> str:
    """LangChain's `SQLChatMessageHistory`."""
    from langchain_community.chat_message_histories import SQLChatMessageHistory

    history = SQLChatMessageHistory("chat-42", connection="sqlite:///chat.db")
    history.add_user_message(question)
    reply = model.invoke(history.messages)
    history.add_message(reply)
    return str(reply.text)


async def with_openai_agents(client: Any, question: str) -> str:
    """The Agents SDK's `SQLiteSession`, without its runner."""
    from agents import SQLiteSession

    session = SQLiteSession("chat-42", "chat.db")
    await session.add_items([{"role": "user", "content": question}])
    reply = await client.responses.create(model="gpt-5", input=await session.get_items())
    await session.add_items([{"role": "assistant", "content": reply.output_text}])
    return str(reply.output_text)
