"""What applications write with the providers' clients; checked by type checkers, never run.

mypy checks it with everything else. For pyright: `uvx 'pyright[nodejs]' tests/typing/clients.py`.
"""

from __future__ import annotations

import anthropic
import openai

import threadkeep


def chat_completions(client: openai.OpenAI, chat: threadkeep.Session) -> str | None:
    window = chat.window(max_tokens=3000)
    reply = client.chat.completions.create(model="gpt-5", messages=window.to_openai())
    chat.add(reply.choices[0].message)
    return reply.choices[0].message.content


def responses(client: openai.OpenAI, chat: threadkeep.Session) -> str:
    reply = client.responses.create(model="gpt-5", input=chat.window().to_responses())
    chat.add(reply)
    return reply.output_text


def messages(client: anthropic.Anthropic, chat: threadkeep.Session) -> str:
    prompt = chat.window().to_anthropic()
    reply = client.messages.create(
        model="claude-sonnet-4-5", max_tokens=1000, messages=prompt, system=prompt.system
    )
    chat.add(reply)
    return reply.id


async def asynchronously(
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    chat: threadkeep.Session,
) -> None:
    added: list[threadkeep.Item] = await chat.aadd("hi", role="user", name="ada", metadata={"a": 1})
    await chat.aadd({"type": "new_item"}, format="openai-responses")
    window = await chat.awindow()
    await openai_client.chat.completions.create(model="gpt-5", messages=window.to_openai())
    stream = await openai_client.responses.create(
        model="gpt-5", input=window.to_responses(), stream=True
    )
    async for event in stream:
        print(event.type, added)
    prompt = window.to_anthropic()
    async with anthropic_client.messages.stream(
        model="claude-sonnet-4-5", max_tokens=1000, messages=prompt, system=prompt.system
    ) as anthropic_stream:
        await chat.aadd(await anthropic_stream.get_final_message())


def wrong_names(memory: threadkeep.Memory, chat: threadkeep.Session) -> None:
    chat.messages()  # type: ignore[attr-defined]
    chat.window(k=3)  # type: ignore[call-arg]
    memory.session("s", user_id="ada")  # type: ignore[call-arg]
    chat.add("x", format="gemini")  # type: ignore[arg-type]
