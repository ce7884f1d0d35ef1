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
    setting_options = [GivenOption(name, option_value) for name, option_value in options.items()]
    return settings_of(read_options("connect", (), setting_options))


def settings_of(values: Mapping[str, Any]) -> Settings:
    """The settings among validated values; 0 seconds are `None`, for ever."""
    setting_values = {name: value for name, value in values.items() if name in NAMES}
    for setting_name in ("ttl", "summary_ttl"):
        if setting_values.get(setting_name) == 0:
            setting_values[setting_name] = None
    return Settings(**setting_values)
