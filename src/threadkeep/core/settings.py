"""What `connect` may be told besides where the store is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from threadkeep.protocols import Policy

SUMMARY_TTL: Final = 432_000.0
"""Five days."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a Memory behaves, whatever it is stored in.

    Attributes:
        namespace: sets apart applications or tenants that share a store.
        require_user: refuse sessions and listings without a user.
        window: the policies of `chat.window()` when it is told none.
        retain: policies of what stays stored; what is older than all they keep is deleted at the
            next write. None = everything stays.
        ttl: seconds a session lives after its last write; `None` = for ever.
        clock: epoch seconds, for expiry and dates.
        pool_size: connections to the store, and threads for async callers, at most.
        timeout: seconds to wait for the store or a free connection.
        key: encrypts what is stored: see `threadkeep.backends.encrypted.EncryptedBackend`.
        observe: spans and metrics of the store by OpenTelemetry.
        longterm: another store for what is learned of users: whatever `connect` takes, or a Memory.
        llm: turns learning on: `{"model", "api_key", "base_url", ...}`, or a callable that takes
            messages of OpenAI Chat and returns a text; see `threadkeep.longterm`.
        embedder: a callable from texts to vectors, for recall by meaning; seldom needed.
        redactor: a callable of a text and what it is of (`item`, `session`, `file`, `response`,
            `feedback`, `fact`, `instruction`, `summary`), which returns what may be stored of it
            and shown to a model; `None` = nothing.
        summary_ttl: seconds a summary lives after it was last asked for; `None` = for ever.
    """

    namespace: str = "default"
    require_user: bool = False
    window: tuple[Policy, ...] = ()
    retain: tuple[Policy, ...] = ()
    ttl: float | None = None
    clock: Callable[[], float] = time.time
    pool_size: int = 16
    timeout: float = 30.0
    key: str | bytes | Sequence[str | bytes] | None = field(default=None, repr=False)
    observe: bool = False
    longterm: object = field(default=None, repr=False)
    llm: Mapping[str, Any] | Callable[..., Any] | None = field(default=None, repr=False)
    embedder: Callable[[list[str]], Sequence[Sequence[float]]] | None = None
    redactor: Callable[[str, str], str | None] | None = None
    summary_ttl: float | None = SUMMARY_TTL


NAMES = tuple(one.name for one in fields(Settings))
