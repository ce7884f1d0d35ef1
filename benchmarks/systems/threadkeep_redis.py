"""threadkeep on Redis, as `connect(url)` gives it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import threadkeep
from benchmarks.systems.servers import redis
from benchmarks.systems.threadkeep_core import Threadkeep
from tests.servers.instances import fresh_table


class ThreadkeepRedis(Threadkeep):
    """A commit is one script, and sessions live for thirty days."""

    raw: ClassVar = "raw_redis"
    longest: ClassVar = 100_000

    def __init__(self, folder: Path) -> None:
        super().__init__(threadkeep.connect({"url": redis(), "prefix": fresh_table()}))

    def size(self) -> None:
        return None
