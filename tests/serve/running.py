"""A server of ours in a thread of the test, as `threadkeep serve` runs it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from threadkeep.serve import Limits, app
from threadkeep.serve.keys import add_key
from threadkeep.serve.server import bind, server


@contextmanager
def serving(application, limits=None) -> Iterator[str]:
    """Serve an application on a free port; gives its URL, without a path."""
    listener = bind("127.0.0.1", 0)
    running = server(application, limits or Limits())
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not running.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive()


class Door:
    """A served memory, with a key for anybody."""

    def __init__(self, memory, folder, **options):
        self.memory = memory
        self.keys = folder / "keys.jsonl"
        self.ada = self.key("ada")
        self.application = app(memory, keys=self.keys, **options)
        self.url = ""

    def key(self, user, *scopes):
        return add_key(self.keys, user, scopes or ("read", "write"))


@contextmanager
def door(memory, folder, limits=None, **options) -> Iterator[Door]:
    """Serve a memory with a file of keys."""
    opened = Door(memory, folder, limits=limits, **options)
    with serving(opened.application, limits) as url:
        opened.url = url
        yield opened
