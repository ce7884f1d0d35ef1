"""The model of the demo: a scripted one over real HTTP, or the endpoint the environment names."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from openai import OpenAI, OpenAIError

from examples.demo import EndpointError
from threadkeep import Item, Session, Window
from threadkeep.testing import ScriptedModel

ROUNDS = 8


@dataclass
class Model:
    """A model to talk to, and what the last request to it was."""

    client: OpenAI
    name: str
    sent: Window | None = None

    def answer(self, chat: Session) -> list[Item]:
        """Let the model go on with a chat, tools included; what was added to the chat."""
        added: list[Item] = []
        for _ in range(ROUNDS):
            self.sent = chat.window(max_tokens=3000)
            reply = self.complete(self.sent.to_openai(), tools=TOOLS)
            added += chat.add(reply)
            calls = added[-1].tool_calls
            if not calls:
                return added
            added += chat.add(*(result(call) for call in calls))
        raise EndpointError(f"the model {self.name!r} still calls tools after {ROUNDS} rounds")

    def complete(self, messages: list[dict[str, Any]], **options: Any) -> Any:
        """One reply of the model."""
        create: Any = self.client.chat.completions.create
        try:
            return create(model=self.name, messages=messages, **options)
        except OpenAIError as error:
            message = " ".join(str(error).split())[:200]
            raise EndpointError(
                f"the model {self.name!r} at {self.client.base_url} did not answer "
                f"({type(error).__name__}): {message}"
            ) from error


def is_real() -> bool:
    """Whether the environment names an endpoint."""
    return bool(os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL"))


def described() -> str:
    """Which model the demo talks to."""
    if not is_real():
        return "scripted, over HTTP on 127.0.0.1; with OPENAI_API_KEY set: a real one"
    where = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
    return f"{_name()} at {where} (OPENAI_MODEL chooses another)"


@contextmanager
def model(script: Sequence[Any]) -> Iterator[Model]:
    """The real endpoint if there is one, else a server that answers by the script."""
    if is_real():
        key = os.environ.get("OPENAI_API_KEY") or "none"
        yield Model(OpenAI(api_key=key, timeout=120.0), _name())
        return
    with ScriptedModel(script) as scripted:
        yield Model(OpenAI(base_url=scripted.base_url, api_key="none"), "scripted")


def result(call: Mapping[str, Any]) -> dict[str, Any]:
    """Run a tool for a call, and say what came out as a message."""
    tool = _RUN.get(call["name"])
    try:
        message = tool(**call["args"]) if tool else f"There is no tool {call['name']!r}."
    except TypeError as error:
        message = f"Wrong arguments: {error}"
    return {"role": "tool", "tool_call_id": call["id"], "name": call["name"], "content": message}


def _name() -> str:
    return os.environ.get("OPENAI_MODEL") or "gpt-5-mini"


def _weather(city: str) -> str:
    return json.dumps({"city": city, "sky": "sunny", "celsius": 24})


def _train(origin: str, destination: str) -> str:
    return json.dumps({"from": origin, "to": destination, "hours": 3, "euros": 35})


def _function(name: str, about: str, *needed: str) -> dict[str, Any]:
    texts = {key: {"type": "string"} for key in needed}
    schema = {"type": "object", "properties": texts, "required": list(needed)}
    function = {"name": name, "description": about, "parameters": schema}
    return {"type": "function", "function": function}


_RUN: Mapping[str, Callable[..., str]] = {"weather": _weather, "train": _train}
TOOLS = [
    _function("weather", "The weather in a city at the weekend", "city"),
    _function("train", "Duration and price of a train", "origin", "destination"),
]
