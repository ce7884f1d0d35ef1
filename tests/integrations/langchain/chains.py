"""Chat models that say what they are told to, and chains made of them."""

from __future__ import annotations

import threading

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from pydantic import PrivateAttr

CONFIG = {"configurable": {"thread_id": "t"}}
ASK = {"tool_calls": [{"name": "weather", "args": {"city": "Lisbon"}}]}
ASK_TWO = {
    "tool_calls": [{"name": "weather", "args": {"city": city}} for city in ("Lisbon", "Rome")]
}


class Echo(BaseChatModel):
    """Answers with what it was asked last, and notes what it was shown.

    `gate` holds the first call until it is opened; `fails` makes each call raise.
    """

    fails: bool = False
    _seen: list = PrivateAttr(default_factory=list)
    _gates: list = PrivateAttr(default_factory=list)

    @property
    def seen(self):
        return self._seen

    def hold(self):
        """The next call waits until the event is set; returns (entered, let_go)."""
        gate = threading.Event(), threading.Event()
        self._gates.append(gate)
        return gate

    @property
    def _llm_type(self):
        return "echo"

    def bind_tools(self, tools, **_):
        return self

    def _answer(self, messages):
        self._seen.append(messages)
        if self._gates:
            entered, let_go = self._gates.pop(0)
            entered.set()
            assert let_go.wait(20)
        if self.fails:
            raise RuntimeError("the model is down")
        return f"re: {messages[-1].text}"

    def _generate(self, messages, stop=None, run_manager=None, **_):
        answer = AIMessage(self._answer(messages))
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def _stream(self, messages, stop=None, run_manager=None, **_):
        for word in self._answer(messages).split(" "):
            yield ChatGenerationChunk(message=AIMessageChunk(word))


def texts(messages):
    return [message.text for message in messages]


@tool
def weather(city: str) -> str:
    """How the weather is."""
    return f"{city}: 21"


def said(chat, hidden=False):
    """What is stored: who, and the words or the calls."""
    return [
        (item.role, item.text or "+".join(call["name"] for call in item.tool_calls))
        for item in chat.items(hidden=hidden)
    ]


def user(text, **more):
    return {"messages": [{"role": "user", "content": text, **more}]}


def shown(model, request=-1):
    """The words of a request, without the system prompt."""
    return [m["content"] for m in model.requests[request]["messages"] if m["role"] != "system"]


class Clock:
    """Later at each look, so that what was first is known."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        self.now += 0.001
        return self.now
