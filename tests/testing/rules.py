"""What the three tests of `assert_valid` share: the rules a judge documents, and a rejection."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pytest

from threadkeep.testing.validity import assert_valid

Messages = list[dict[str, Any]]


def documented(judge: ModuleType) -> set[str]:
    """The names of the rules in the bullet lists of the module's docstring."""
    bullets = re.findall(r"^- ((?:`[a-z-]+`(?:, )?)+)", judge.__doc__ or "", re.MULTILINE)
    return {name for bullet in bullets for name in re.findall(r"`([a-z-]+)`", bullet)}


def verdict(messages: object, provider: str) -> str:
    """The judge's error, or nothing."""
    try:
        assert_valid(messages, provider)
    except AssertionError as error:
        return str(error)
    return ""


def rejection(messages: object, provider: str, **options: Any) -> str:
    """The message of the AssertionError that the judge must raise."""
    with pytest.raises(AssertionError) as caught:
        assert_valid(messages, provider, **options)
    return str(caught.value)


def broken_rule(error: str) -> str:
    """The rule's name at the end of an error."""
    found = re.search(r"\[rule: ([a-z-]+)\]$", error)
    assert found, error
    return found[1]


def named(cases: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Cases (name, ...) as parameters, under their names."""
    return [pytest.param(*rest, id=name) for name, *rest in cases]
