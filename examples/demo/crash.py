"""A process that dies in a tool call: `python -m examples.demo.crash STORE SESSION USER`."""

from __future__ import annotations

import os
import signal
import sys

import threadkeep
from examples.demo import script
from threadkeep import Session


def main(store: str, session: str, user: str) -> None:
    """Ask for two tools, answer one, and die while the second runs."""
    chat = threadkeep.connect(store).session(session, user=user)
    chat.add(script.BROKEN, {"role": "assistant", "tool_calls": script.CITIES})
    first, second = script.CITIES
    _answer(chat, first["id"], "sunny, 24 degrees")
    _answer(chat, second["id"], _die())


def _answer(chat: Session, call: str, text: str) -> None:
    chat.add({"role": "tool", "name": "weather", "tool_call_id": call, "content": text})


def _die() -> str:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return "never said"


if __name__ == "__main__":
    main(*sys.argv[1:])
