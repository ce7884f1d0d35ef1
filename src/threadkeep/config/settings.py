"""Validates the options of `connect` that do not depend on the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from threadkeep.config.option_spec import GivenOption
from threadkeep.config.read_options import read_options
from threadkeep.core.settings import NAMES, Settings


def settings(options: Mapping[str, Any]) -> Settings:
    """Validate options; `None` selects the default.

    Raises:
        ConfigError: an option is unknown, of the wrong type or out of range; it is named.
    """
    layer = [GivenOption(name, value) for name, value in options.items()]
    return settings_of(read_options("connect", (), layer))


def settings_of(values: Mapping[str, Any]) -> Settings:
    """The settings among validated values; 0 seconds are `None`, for ever."""
    chosen = {name: value for name, value in values.items() if name in NAMES}
    for name in ("ttl", "summary_ttl"):
        if chosen.get(name) == 0:
            chosen[name] = None
    return Settings(**chosen)
