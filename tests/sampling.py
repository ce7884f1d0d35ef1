"""Which cases of a large product a run takes: a seeded part, the same in each run, or all of them.

Every store and every verb are among the part; `make soak` sets THREADKEEP_SOAK and takes them all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest

SOAK: Final = "THREADKEEP_SOAK" in os.environ
Test = TypeVar("Test", bound=Callable[..., Any])


def sampled(test: Test) -> Test:
    """Mark a test that takes a part: `make soak` runs it again, whole."""
    marked: Test = pytest.mark.soak(test) if SOAK else test
    return marked
