"""Checks the options of a checkpointer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from langchain_threadkeep.saver.context import OnConflict, Options
from threadkeep import Memory
from threadkeep.adapters import checkpoints
from threadkeep.errors import ConfigError
from threadkeep.printable import shown


def parse_options(
    memory: Memory,
    serde: Any,
    *,
    messages: Sequence[str],
    on_conflict: OnConflict,
    strict: bool,
    erase_replaced: bool,
    lease: float,
    ttl: float | None,
    keep_checkpoints: int | None,
) -> Options:
    """The options, checked.

    Raises:
        ConfigError: one is not valid; it is named.
    """
    _check_channels(messages)
    if on_conflict not in ("raise", "last"):
        raise ConfigError(f"on_conflict must be 'raise' or 'last', got {shown(on_conflict)}")
    _check_seconds("lease", lease)
    if ttl is not None:
        _check_seconds("checkpoint_ttl", ttl)
    if keep_checkpoints is not None:
        _check_keep(keep_checkpoints)
    _check_storable(memory, serde)
    return Options(
        messages=frozenset(messages),
        on_conflict=on_conflict,
        strict=bool(strict),
        erase_replaced=bool(erase_replaced),
        lease=float(lease),
        ttl=checkpoints.session_ttl(memory) if ttl is None else float(ttl),
        keep_checkpoints=keep_checkpoints,
    )


def _check_channels(messages: Sequence[str]) -> None:
    if isinstance(messages, str) or not all(isinstance(channel, str) for channel in messages):
        raise ConfigError(f"messages must be names of channels, got {shown(messages)}")


def _check_keep(count: object) -> None:
    if type(count) is not int or count < 1:
        raise ConfigError(
            f"keep_checkpoints must be a whole number of at least 1, got {shown(count)}"
        )


def _check_storable(memory: Memory, serde: Any) -> None:
    """Refuse what would store the state of a graph otherwise than it is, or unpickle it."""
    if getattr(serde, "pickle_fallback", False):
        raise ConfigError(
            "serde has pickle_fallback=True: nothing is unpickled here; use a serializer without it"
        )
    if checkpoints.has_redactor(memory):
        raise ConfigError(
            "the Memory has a redactor, but a graph goes on from its state as it was stored: "
            "redact in the graph, with PIIMiddleware and erase_replaced=True, and use a Memory "
            "without redactor="
        )


def _check_seconds(name: str, value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value <= 0:  # type: ignore[arg-type,operator]
        raise ConfigError(f"{name} must be seconds, more than 0, got {shown(value)}")
