"""A backend whose driver nobody has installed."""

import nosuchdriver  # type: ignore[import-not-found]  # noqa: F401
