"""What is wrong in a store beside broken histories: orphans, and records that cannot be read."""

from threadkeep.longterm.repair.problem import StoreFinding
from threadkeep.longterm.repair.walk import store_findings

__all__ = ["StoreFinding", "store_findings"]
