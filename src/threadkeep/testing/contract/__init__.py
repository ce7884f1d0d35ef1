"""The contract of a backend, as a test class for backends of any author.

class TestMyBackend(BackendContract):
    @pytest.fixture
    def backend(self):
        with closing(MyBackend(...)) as backend:      # an empty store
            yield backend
"""

from __future__ import annotations

import pytest

from threadkeep.protocols import Backend
from threadkeep.testing.contract.common import OpenBackend
from threadkeep.testing.contract.concurrency import ConcurrencyContract
from threadkeep.testing.contract.conditions import ConditionsContract
from threadkeep.testing.contract.damage import DamageContract
from threadkeep.testing.contract.expiry import ExpiryContract
from threadkeep.testing.contract.limits import LimitsContract
from threadkeep.testing.contract.maintenance import MaintenanceContract
from threadkeep.testing.contract.persistence import PersistenceContract
from threadkeep.testing.contract.reads import ReadsContract
from threadkeep.testing.contract.records import RecordsContract
from threadkeep.testing.contract.state_machine import StateMachineContract

__all__ = ["BackendContract"]


class BackendContract(
    RecordsContract,
    ReadsContract,
    ExpiryContract,
    ConditionsContract,
    LimitsContract,
    MaintenanceContract,
    ConcurrencyContract,
    PersistenceContract,
    StateMachineContract,
    DamageContract,
):
    """Every promise of `threadkeep.protocols.Backend`, one test each."""

    @pytest.fixture
    def backend(self) -> Backend:
        """An open backend on an empty store; whoever opened it closes it after the test."""
        raise NotImplementedError("define a fixture `backend` in your subclass")

    @pytest.fixture
    def reopen(self) -> OpenBackend | None:
        """Opens the store of `backend` once more; must be picklable, as other processes call it.

        `None` = the store ends with its object; tests that need a second opener are skipped.
        """
        return None

    @pytest.fixture
    def share(self) -> float:
        """Share of the work in the largest concurrency tests: less than 1.0 for a slow server."""
        return 1.0
