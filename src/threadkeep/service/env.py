"""`${NAME}` in a configuration: the value of an environment variable."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from threadkeep.errors import ConfigError

_VARIABLE: Final = re.compile(r"\$\{\s*(\w+)\s*(?:,\s*(.*?)\s*)?\}")


def expand(value: Any, key: str) -> Any:
    """The value with each `${NAME}` in its texts replaced; `${NAME, 40}` has a default.

    Raises:
        ConfigError: a variable is not set; it is named, and so is the key.
    """
    if isinstance(value, str):
        return _VARIABLE.sub(lambda variable: _variable_value(variable, key), value)
    if isinstance(value, Mapping):
        return {name: expand(entry, f"{key}.{name}") for name, entry in value.items()}
    if isinstance(value, list):
        return [expand(entry, f"{key}[{entry_index}]") for entry_index, entry in enumerate(value)]
    return value


def _variable_value(variable_match: re.Match[str], key: str) -> str:
    variable_name, default_value = variable_match.groups()
    variable_value = os.environ.get(variable_name, default_value)
    if variable_value is None:
        raise ConfigError(f"{key}: the environment variable {variable_name} is not set")
    return variable_value
