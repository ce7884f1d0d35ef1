"""The modules `threadkeep.langchain` and its siblings: the names of an adapter's distribution."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from threadkeep.core.suggestions import missing_name
from threadkeep.errors import MissingExtra


def hand_on(source: str, extra: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a module that has the public names of another.

    The other one is imported when a name is first asked for, and each name then.

    Args:
        source: the adapter's package.
        extra: the extra of threadkeep that installs it.

    Raises:
        MissingExtra: it is not installed; the error says how to install it.
    """
    if not _is_installed(source):
        raise MissingExtra(f'{source} is not installed: pip install "threadkeep[{extra}]"')

    def get(name: str) -> Any:
        package = importlib.import_module(source)
        if name == "__all__":
            return list(package.__all__)
        if name not in package.__all__:
            raise missing_name(source, name, "threadkeep")
        return getattr(package, name)

    def names() -> list[str]:
        return sorted(importlib.import_module(source).__all__)

    return get, names


def _is_installed(name: str) -> bool:
    """Return True if there is such a package; its parents are imported, it is not."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
