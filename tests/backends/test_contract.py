"""Every promise of the protocol, held against every backend of the table."""

import pytest

from threadkeep.testing import BackendContract


class TestBackends(BackendContract):
    @pytest.fixture
    def backend(self, backend):
        return backend

    @pytest.fixture
    def reopen(self, reopen):
        return reopen
