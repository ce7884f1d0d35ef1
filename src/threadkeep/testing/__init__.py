"""Test kit: the backend contract, validators of prompts, and a scripted model.

Only `BackendContract` imports pytest and hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from threadkeep.testing.contract import BackendContract
    from threadkeep.testing.learner import ScriptedLearner
    from threadkeep.testing.model import ScriptedModel
    from threadkeep.testing.validity import assert_carried, assert_valid

__all__ = ["BackendContract", "ScriptedLearner", "ScriptedModel", "assert_carried", "assert_valid"]


def __getattr__(name: str) -> Any:
    if name == "BackendContract":
        import pytest

        pytest.register_assert_rewrite("threadkeep.testing.contract")
        from threadkeep.testing.contract import BackendContract

        return BackendContract
    if name == "ScriptedLearner":
        from threadkeep.testing.learner import ScriptedLearner

        return ScriptedLearner
    if name == "ScriptedModel":
        from threadkeep.testing.model import ScriptedModel

        return ScriptedModel
    if name in {"assert_carried", "assert_valid"}:
        from threadkeep.testing import validity

        return getattr(validity, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
