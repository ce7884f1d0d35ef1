"""As `threadkeep.redaction`, for what long-term memory stores and shows."""

from __future__ import annotations

from threadkeep.redaction import redacted

__all__ = ["redacted"]
