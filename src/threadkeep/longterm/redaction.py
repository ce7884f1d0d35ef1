"""The application's redactor: it sees every text before it is stored or shown to a model."""

from __future__ import annotations

from threadkeep.engine import Engine
from threadkeep.errors import ConfigError


def redacted(engine: Engine, text: str, kind: str) -> str | None:
    """The text as the redactor leaves it; `None` = it must not be kept.

    Args:
        engine: whose settings name the redactor; without one the text stays as it is.
        text: what is about to be stored, or to be shown to a model.
        kind: what it is of: `item`, `fact`, `instruction` or `summary`.

    Raises:
        ConfigError: the redactor gave something else than a text or `None`.
    """
    redactor = engine.settings.redactor
    if redactor is None or not text:
        return text
    left = redactor(text, kind)
    if left is not None and not isinstance(left, str):
        raise ConfigError(
            f"redactor must return a str or None, got {type(left).__name__} for a text of an {kind}"
        )
    return left
