"""threadkeep on MongoDB, as `connect(url)` gives it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import threadkeep
from benchmarks.systems.servers import mongodb
from benchmarks.systems.threadkeep_core import Threadkeep
from tests.servers.instances import fresh_table


class ThreadkeepMongodb(Threadkeep):
    """A commit is promised, then applied."""

    raw: ClassVar = "raw_mongodb"
    longest: ClassVar = 10_000

    def __init__(self, folder: Path) -> None:
        store = {"type": "mongodb", "url": mongodb(), "collection": fresh_table()}
        super().__init__(threadkeep.connect(store))

    def size(self) -> None:
        return None
