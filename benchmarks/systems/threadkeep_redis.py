"""threadkeep on Redis, as `connect(url)` gives it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import threadkeep
from benchmarks.systems.servers import InRedis, redis
from benchmarks.systems.threadkeep_core import Threadkeep


class ThreadkeepRedis(Threadkeep, InRedis):
    """A commit is one script, and sessions live for thirty days."""

    raw: ClassVar = "raw_redis"
    longest: ClassVar = 100_000

    def __init__(self, folder: Path) -> None:
        InRedis.__init__(self)
        Threadkeep.__init__(self, threadkeep.connect({"url": redis(), "prefix": self.name}))

    def close(self) -> None:
        InRedis.close(self)
