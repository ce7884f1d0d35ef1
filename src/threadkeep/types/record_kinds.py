"""Every kind of record there is, for what walks whole stores; a test holds the list complete."""

from __future__ import annotations

from typing import Final

KINDS: Final = (
    "session",
    "item",
    "file",
    "response",
    "response_entry",
    "response_gap",
    "feedback",
    "pointer",
    "summary",
    "fact",
    "instruction",
    "watermark",
    "forgotten",
    "keyring",
    "store",
)
