"""What the three have in common: open the store, take one turn, say what is new in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import threadkeep
from examples.demo import EndpointError, terminal
from examples.demo.model import Model, model
from threadkeep import Memory


@dataclass(frozen=True)
class Turn:
    """A turn to take.

    Attributes:
        memory: the store.
        session: which conversation.
        user: whose.
        question: what the user says.
        model: what to talk to; its `client` knows where it is.
    """

    memory: Memory
    session: str
    user: str
    question: str
    model: Model

    @property
    def endpoint(self) -> dict[str, Any]:
        """Where the model is, as the clients of the frameworks take it."""
        client = self.model.client
        return {"base_url": str(client.base_url), "api_key": client.api_key}


def weather(city: str) -> str:
    """The weather in a city at the weekend."""
    return f"{city}: sunny, 24 degrees"


def take(
    name: str,
    ask: Callable[[Turn], None],
    exchange: tuple[str, Sequence[Any]],
    place: Sequence[str],
) -> int:
    """Take a turn with a framework, in a process that has just opened the store.

    Args:
        name: of the framework.
        ask: takes the turn.
        exchange: the question, and the script of the model.
        place: store, session and user.
    """
    terminal.prepare()
    store, session, user = place
    question, script = exchange
    with threadkeep.connect(store) as memory, model(script) as talk:
        chat = memory.session(session, user=user)
        stored = chat.items()
        terminal.row(name, f"process {os.getpid()} finds {terminal.many(len(stored), 'item')}")
        try:
            ask(Turn(memory, session, user, question, talk))
        except EndpointError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
        terminal.messages(chat.items(after=stored[-1].seq if stored else None))
    return 0
