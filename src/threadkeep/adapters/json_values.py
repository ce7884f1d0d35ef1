"""Values that are not JSON, as JSON: for adapters whose frameworks hold any Python value."""

from __future__ import annotations

from threadkeep.core.json_values import as_json

__all__ = ["as_json", "object_text"]


def object_text(value: object) -> str:
    """The `repr` of an object; the name of its class where that fails, so that no message is lost.

    Args:
        value: of any type.
    """
    try:
        return repr(value)
    except Exception:  # whatever an application's __repr__ raises
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
