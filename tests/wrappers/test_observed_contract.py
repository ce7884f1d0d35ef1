"""An observed store keeps every promise of the protocol."""

from __future__ import annotations

from functools import partial

import pytest

from tests.wrappers.conftest import INNER, SERVERS, ServerContract, opener
from tests.wrappers.wrapping import observed
from threadkeep.testing import BackendContract

pytestmark = pytest.mark.slow


class Observed:
    @pytest.fixture
    def backend(self, again):
        backend = again[1]()
        yield backend
        assert not backend.in_use, "a connection was not given back"
        backend.close()

    @pytest.fixture
    def reopen(self, again):
        name, make = again
        return None if name == "memory" else make


class TestObserved(Observed, BackendContract):
    @pytest.fixture(params=INNER)
    def again(self, request, tmp_path):
        return request.param, partial(observed, opener(request.param, tmp_path))


class TestObservedOnServers(Observed, ServerContract):
    @pytest.fixture(params=SERVERS)
    def again(self, request, tmp_path):
        return request.param, partial(observed, opener(request.param, tmp_path))
