"""The second process of the story: `python -m examples.demo.again STORE SESSION USER`."""

from __future__ import annotations

import os
import sys

import threadkeep
from examples.demo import EndpointError, script, terminal
from examples.demo.model import model


def main(store: str, session: str, user: str) -> int:
    """Open the store anew and go on with the session."""
    terminal.prepare()
    with threadkeep.connect(store) as memory, model(script.RESTARTED) as talk:
        chat = memory.session(session, user=user)
        item_count = len(chat.items())
        terminal.row(
            "process", f"{os.getpid()}, a new one; it finds {item_count} items of {session!r}"
        )
        question = chat.add(script.RECALL)
        try:
            answers = talk.answer(chat)
        except EndpointError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
        terminal.messages([*question, *answers])
        terminal.row("", f"the model got {len(talk.sent or [])} messages, the earlier turns first")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
