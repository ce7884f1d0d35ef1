"""The turns that a process has begun, so that each hook of a run goes on with the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from langchain_threadkeep.identity import RunIdentity
from langchain_threadkeep.turn import AgentTurn

_MAX_TURNS: Final = 1_000


class TurnCache:
    """The newest turns of a process, each for the identity that began it and no other."""

    def __init__(self) -> None:
        self._turns: OrderedDict[tuple[RunIdentity, str], AgentTurn] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, identity: RunIdentity, run: str) -> AgentTurn | None:
        """The turn of a run."""
        with self._lock:
            return self._turns.get((identity, run))

    def keep(self, identity: RunIdentity, turn: AgentTurn) -> None:
        """Keep a turn, and let go of the oldest if there are too many."""
        with self._lock:
            self._turns[identity, turn.run] = turn
            while len(self._turns) > _MAX_TURNS:
                self._turns.popitem(last=False)

    def drop(self, identity: RunIdentity, turn: AgentTurn) -> None:
        """Let go of a turn that has ended."""
        with self._lock:
            self._turns.pop((identity, turn.run), None)
