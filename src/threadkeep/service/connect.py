"""Opens the Memory of a service from its settings."""

from __future__ import annotations

from collections.abc import Callable

from threadkeep.api.memory import Memory
from threadkeep.service import longterm_settings, namespaces
from threadkeep.service.settings import ServiceSettings


def open_memory(
    identifier: str, settings: ServiceSettings, clock: Callable[[], float] | None
) -> Memory:
    """Open the Memory of an identifier and attach its long-term store; no I/O."""
    longterm_options = {} if settings.longterm is None else settings.longterm.options
    memory = settings.provider.open(
        namespace=namespaces.for_sessions(identifier),
        ttl=settings.service["time_to_live"],
        retain=settings.retain,
        clock=clock,
        **longterm_options,
    )
    longterm_settings.attach(memory, settings.longterm, clock=clock)
    return memory
