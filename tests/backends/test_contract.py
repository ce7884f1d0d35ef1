"""Every promise of the protocol, held against every backend of the table."""

import pytest

from tests.servers import mongodb
from threadkeep.testing import BackendContract


class TestBackends(BackendContract):
    @pytest.fixture
    def backend(self, backend):
        return backend

    @pytest.fixture
    def reopen(self, reopen):
        return reopen

    @pytest.fixture
    def share(self, request):
        return mongodb.share() if "mongodb" in request.node.name else 1.0
