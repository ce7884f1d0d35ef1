"""The Memory of a service, as its configuration says it."""

from __future__ import annotations

from collections.abc import Callable

from threadkeep.api.memory import Memory
from threadkeep.service import longterm_settings, namespaces
from threadkeep.service.settings import Settings


def open_memory(identifier: str, settings: Settings, clock: Callable[[], float] | None) -> Memory:
    """The Memory of an identifier, with its long-term memory where that is kept apart; no I/O."""
    users = {} if settings.longterm is None else settings.longterm.options
    memory = settings.provider.open(
        namespace=namespaces.of_sessions(identifier),
        ttl=settings.ours["time_to_live"],
        retain=settings.retain,
        clock=clock,
        **users,
    )
    longterm_settings.attach(memory, settings.longterm, clock=clock)
    return memory
