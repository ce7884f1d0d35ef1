"""How far the clock of a store's server is ahead of this machine's."""

from __future__ import annotations

import time
from collections.abc import Callable


class ServerClock:
    """The offset of a server's clock, measured in a round trip.

    Attributes:
        offset: seconds by which the server is ahead; `None` = not measured, or it did not say.
    """

    def __init__(self) -> None:
        self.offset: float | None = None

    def measure(self, ask: Callable[[], float | None]) -> None:
        """Ask the server for its time; half of the round trip is taken to be the way back."""
        request_time = time.time()
        server_time = ask()
        if server_time is not None:
            self.offset = float(server_time) - (request_time + time.time()) / 2
