"""Runs LangChain's own agent beside one with ours, on the same script, and compares the prompts.

What LangChain sends to the model is the outside oracle: with injection off, and room in the
window, an agent with `ThreadkeepMiddleware` must send the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

import threadkeep
from langchain_threadkeep import ThreadkeepMiddleware
from threadkeep import policies

CONFIG: Any = {"configurable": {"thread_id": "t"}}
UNCUT = [policies.max_messages(100_000)]


class Recorder(GenericFakeChatModel):
    """Says what it is told to, and records each prompt."""

    seen: list[list[BaseMessage]] = Field(default_factory=list)

    def _generate(self, messages, *args, **kwargs):
        self.seen.append([message.model_copy(deep=True) for message in messages])
        return super()._generate(messages, *args, **kwargs)

    def bind_tools(self, tools, **kwargs):
        return self


def recorder(*answers: str | AIMessage) -> Recorder:
    messages = [AIMessage(a) if isinstance(a, str) else a.model_copy(deep=True) for a in answers]
    return Recorder(messages=iter(messages))


def content(prompt: Sequence[BaseMessage]) -> list[tuple[str, Any, Any, Any]]:
    """What a model reads of a prompt: all but the ids, which are random."""
    return [
        (m.type, m.content, [(c["name"], c["args"], c["id"]) for c in getattr(m, "tool_calls", [])],
         getattr(m, "tool_call_id", None))
        for m in prompt
    ]  # fmt: skip


class Sides(NamedTuple):
    """One agent without ours and one with: what was seen by the model, and our store."""

    bare: Recorder
    ours: Recorder
    memory: threadkeep.Memory

    def assert_same(self) -> None:
        bare, ours = map(content_of_all, (self.bare, self.ours))
        assert ours == bare


def content_of_all(model: Recorder) -> list[list[tuple[str, Any, Any, Any]]]:
    return [content(prompt) for prompt in model.seen]


def beside(
    play: Callable[[Any], None],
    middlewares: Callable[[], Sequence[Any]],
    answers: Sequence[str | AIMessage],
    *,
    place: int | None = None,
    checkpointer: bool = True,
    tools: Sequence[Any] = (),
    memory: threadkeep.Memory | None = None,
    **options: Any,
) -> Sides:
    """Let a play of runs be performed by both agents.

    Args:
        play: gets an agent, and runs it.
        middlewares: makes the other middlewares, anew for each agent.
        answers: of the model.
        place: where ours stands among the others; `None` = last, as documented.
        checkpointer: whether the agents have one.
        tools: of the agents.
        memory: the store of ours.
        options: of `ThreadkeepMiddleware`.
    """
    memory = memory or threadkeep.connect("memory://")
    models = recorder(*answers), recorder(*answers)
    for model, with_ours in zip(models, (False, True), strict=True):
        chain = list(middlewares())
        if with_ours:
            ours = ThreadkeepMiddleware(memory, inject=False, window=UNCUT, **options)
            chain.insert(len(chain) if place is None else place, ours)
        saver = InMemorySaver() if checkpointer else None
        play(create_agent(model, list(tools), middleware=chain, checkpointer=saver))
    return Sides(*models, memory)


async def _drained(stream: Any) -> list[Any]:
    return [part async for part in stream]


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sync": lambda agent, given, config: agent.invoke(given, config),
    "async": lambda agent, given, config: asyncio.run(agent.ainvoke(given, config)),
    "stream": lambda agent, given, config: list(
        agent.stream(given, config, stream_mode="messages")
    ),
    "async stream": lambda agent, given, config: asyncio.run(
        _drained(agent.astream(given, config, stream_mode="updates"))
    ),
}


def asks(*questions: str, way: str = "sync") -> Callable[[Any], None]:
    """A play of one run for each question."""

    def play(agent: Any) -> None:
        for question in questions:
            WAYS[way](agent, {"messages": [{"role": "user", "content": question}]}, CONFIG)

    return play
