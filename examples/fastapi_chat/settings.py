"""What the application is told by its environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The settings of the application.

    Attributes:
        url: of the store.
        keys: the user of each key; a key is a secret, so none is in the repr.
        pool_size: connections of one worker at most: workers times this must stay below what the
            server allows (100 for PostgreSQL unless you changed `max_connections`).
        timeout: seconds that a request waits for the store.
        model: who answers.
        window_tokens: what a prompt may cost.
    """

    url: str
    keys: Mapping[str, str] = field(repr=False)
    pool_size: int = 4
    timeout: float = 5.0
    model: str = "gpt-5-mini"
    window_tokens: int = 8_000


def from_environment() -> Settings:
    """The settings of THREADKEEP_URL, CHAT_KEYS (a JSON file), CHAT_POOL_SIZE and CHAT_MODEL."""
    keys = json.loads(Path(os.environ["CHAT_KEYS"]).read_text("utf-8"))
    return Settings(
        url=os.environ["THREADKEEP_URL"],
        keys=keys,
        pool_size=int(os.environ.get("CHAT_POOL_SIZE", Settings.pool_size)),
        model=os.environ.get("CHAT_MODEL", Settings.model),
    )
