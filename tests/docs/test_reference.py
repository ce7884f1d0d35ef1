"""The reference has every name that is public."""

from __future__ import annotations

import importlib
import re
from types import ModuleType

import pytest

from tests.docs.pages import ROOT

MODULES = (
    "threadkeep",
    "threadkeep.policies",
    "threadkeep.testing",
    "threadkeep.service",
    "threadkeep.serve",
    "threadkeep.mcp",
    "threadkeep.ui",
    "langchain_threadkeep",
    "llama_index.memory.threadkeep",
    "openai_agents_threadkeep",
    "pydantic_ai_threadkeep",
    "google_adk_threadkeep",
    "agent_framework_threadkeep",
)
PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)
SHOWN = set(re.findall(r"^::: (\S+)", TEXT, re.MULTILINE))
CHOSEN = set(re.findall(r"^ +- (\w+)$", TEXT, re.MULTILINE))
"""Members that a module's page names one by one."""


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    shown = importlib.import_module(module)
    assert [name for name in shown.__all__ if not is_shown(module, name)] == []


@pytest.mark.parametrize("path", sorted(SHOWN))
def test_what_the_reference_shows_is_there_and_explained(path: str) -> None:
    assert found(path).__doc__, f"{path} has no docstring"


def is_shown(module: str, name: str) -> bool:
    """Whether it stands in the reference by itself, or as a part of a module that does."""
    thing = getattr(importlib.import_module(module), name)
    if isinstance(thing, ModuleType):
        return any(path.startswith(thing.__name__) for path in SHOWN)
    if module in SHOWN and name in CHOSEN:
        return True
    home = getattr(thing, "__module__", module)
    return home in SHOWN or any(path.endswith(f".{name}") for path in SHOWN)


def found(path: str) -> object:
    """The module, class or function of a path."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        home, _, name = path.rpartition(".")
        return getattr(found(home), name)
