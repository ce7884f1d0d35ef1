"""Test kit: the backend contract, validators of prompts, and a scripted model.

Only `BackendContract` imports pytest and hypothesis.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from threadkeep.testing.contract import BackendContract
    from threadkeep.testing.learner import ScriptedLearner
    from threadkeep.testing.model import ScriptedModel
    from threadkeep.testing.validity import assert_carried, assert_valid

__all__ = ["BackendContract", "ScriptedLearner", "ScriptedModel", "assert_carried", "assert_valid"]

_CONTRACT: Final = "threadkeep.testing.contract"


def _explain_assertions() -> None:
    """Have pytest say what was compared where an assertion of the contract fails."""
    import pytest

    pytest.register_assert_rewrite(_CONTRACT)


if "pytest" in sys.modules:  # before anybody imports a part of it, which then cannot be rewritten
    _explain_assertions()


def __getattr__(name: str) -> Any:
    if name == "BackendContract":
        if _CONTRACT not in sys.modules:
            _explain_assertions()
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
