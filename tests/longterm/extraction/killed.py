"""A process that learns from a session, and dies between the model's answer and the commit."""

from __future__ import annotations

import os
import signal
import sys

from threadkeep import connect
from threadkeep.longterm.store.user_stream import UserStream

url, base_url, moment = sys.argv[1:]
commit, commits = UserStream.commit, [0]


def dying(self, held):
    """The first commit is the lease, the second one is of what was learned."""
    commits[0] += 1
    if commits[0] == 2 and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = commit(self, held)
    if commits[0] == 2 and moment == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return done


UserStream.commit = dying  # type: ignore[method-assign]
llm = {"model": "scripted", "api_key": "none", "base_url": base_url, "idle": 3_600}
with connect(url, llm=llm) as memory:
    memory.extract()
