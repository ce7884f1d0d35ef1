"""Values that are not JSON, as JSON: for adapters whose frameworks hold any Python value."""

from __future__ import annotations

from threadkeep.core.json_values import as_json

__all__ = ["as_json"]
