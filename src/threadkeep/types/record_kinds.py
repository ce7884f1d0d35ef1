"""All kinds of records, for code that reads whole stores; a test keeps the list complete."""

from __future__ import annotations

from typing import Final

KINDS: Final = (
    "session",
    "item",
    "blob",
    "piece",
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
    "checkpoint",
    "run",
    "write",
    "element",
    "value",
    "namespace",
    "thread",
    "lease",
    "conversation",
    "entry",
    "fork",
    "undo",
    "recall_segment",
    "recall_piece",
    "recall_gap",
    "refused",
    "keyring",
    "store",
)
