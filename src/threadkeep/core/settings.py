"""The options of `connect` that do not depend on the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from threadkeep.protocols import Policy

if TYPE_CHECKING:
    from threadkeep.types.embedder import Embed, Embedder

SUMMARY_TTL: Final = 432_000.0
"""Five days."""

SWEEP_GRACE: Final = 3_600.0
"""One hour."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a Memory, independent of its store.

    Attributes:
        namespace: separates applications or tenants that share a store.
        require_user: refuse sessions and listings without a user.
        window: the policies of `chat.window()` without arguments.
        retain: policies that decide what stays stored: items older than all they keep are deleted
            at the next write. None = everything stays.
        ttl: seconds a session lives after its last write; `None` = for ever.
        clock: epoch seconds, for expiry and dates; `None` = this machine's clock, corrected by
            that of the store's server.
        sweep_grace: seconds for which what has expired is kept before a sweep takes it, since
            clocks may differ.
        pool_size: connections to the store, and threads for async callers, at most.
        timeout: seconds to wait for the store or a free connection.
        key: encrypts what is stored: see `threadkeep.backends.encrypted.EncryptedBackend`.
        observe: spans and metrics of the store by OpenTelemetry.
        longterm: another store for long-term memory: anything `connect` takes, or a Memory.
        llm: turns extraction on: `{"model", "api_key", "base_url", ...}`, or a callable that takes
            messages of OpenAI Chat and returns a text; see `threadkeep.longterm`.
        embedder: an `Embedder`, or a callable from texts to vectors, for recall by meaning.
        redactor: a callable of a text and its kind (`item`, `session`, `file`, `response`,
            `feedback`, `fact`, `instruction`, `summary`), which returns the text that may
            be stored and shown to a model; `None` = nothing.
        summary_ttl: seconds a summary lives after it was last read; `None` = for ever.
    """

    namespace: str = "default"
    require_user: bool = False
    window: tuple[Policy, ...] = ()
    retain: tuple[Policy, ...] = ()
    ttl: float | None = None
    clock: Callable[[], float] | None = None
    sweep_grace: float = SWEEP_GRACE
    pool_size: int = 16
    timeout: float = 30.0
    key: str | bytes | Sequence[str | bytes] | None = field(default=None, repr=False)
    observe: bool = False
    longterm: object = field(default=None, repr=False)
    llm: Mapping[str, Any] | Callable[..., Any] | None = field(default=None, repr=False)
    embedder: Embedder | Embed | None = None
    redactor: Callable[[str, str], str | None] | None = None
    summary_ttl: float | None = SUMMARY_TTL


NAMES = tuple(option.name for option in fields(Settings))
