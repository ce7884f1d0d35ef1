"""The contract of a backend, as a test class that anyone can run against a store of their own.

class TestMyBackend(BackendContract):
    @pytest.fixture
    def backend(self):
        with closing(MyBackend(...)) as backend:      # an empty store
            yield backend
"""

from __future__ import annotations

import pytest

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import Reopen
from threadkeep.testing.contract.conditions import ConditionsContract
from threadkeep.testing.contract.crowds import CrowdsContract
from threadkeep.testing.contract.limits import LimitsContract
from threadkeep.testing.contract.lives import LivesContract
from threadkeep.testing.contract.reads import ReadsContract
from threadkeep.testing.contract.records import RecordsContract
from threadkeep.testing.contract.reopening import ReopeningContract
from threadkeep.testing.contract.state import StateContract
from threadkeep.testing.contract.upkeep import UpkeepContract

__all__ = ["BackendContract"]


class BackendContract(
    RecordsContract,
    ReadsContract,
    LivesContract,
    ConditionsContract,
    LimitsContract,
    UpkeepContract,
    CrowdsContract,
    ReopeningContract,
    StateContract,
):
    """Every promise of `threadkeep.protocols.Backend`, one test each."""

    @pytest.fixture
    def backend(self) -> Backend:
        """An open backend on an empty store; whoever opened it closes it after the test."""
        raise NotImplementedError("define a fixture `backend` in your subclass")

    @pytest.fixture
    def reopen(self) -> Reopen | None:
        """Opens the store of `backend` once more; to be picklable, as other processes call it.

        `None` = the store lives and dies with its object; what needs a second opener is skipped.
        """
        return None

    @pytest.fixture
    def share(self) -> float:
        """How much of the work of the largest crowds is done: less than 1.0 for a slow server."""
        return 1.0
