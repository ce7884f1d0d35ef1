"""An encrypted store keeps every promise of the protocol, whether ids are hidden or not."""

from __future__ import annotations

from functools import partial

import pytest

from tests.wrappers.conftest import INNER, SERVERS, ServerContract, opener
from tests.wrappers.wrapping import encrypted
from threadkeep.backends.encrypted import HIDDEN, new_key
from threadkeep.testing import BackendContract

pytestmark = pytest.mark.slow


class Encrypted:
    @pytest.fixture
    def backend(self, again):
        backend = again[1]()
        yield backend
        pool = getattr(backend.inner, "_pool", None)
        assert pool is None or pool.in_use == 0, "a connection was not given back"
        backend.close()

    @pytest.fixture
    def reopen(self, again):
        name, make = again
        return None if name == "memory" else make


class TestEncrypted(Encrypted, BackendContract):
    @pytest.fixture(
        params=[(inner, hidden) for inner in INNER for hidden in ("some", "all")], ids="-".join
    )
    def again(self, request, tmp_path):
        name, hidden = request.param
        hides = HIDDEN if hidden == "some" else None
        return name, partial(encrypted, opener(name, tmp_path), new_key(), hides)


class TestEncryptedOnServers(Encrypted, ServerContract):
    @pytest.fixture(params=SERVERS)
    def again(self, request, tmp_path):
        return request.param, partial(encrypted, opener(request.param, tmp_path), new_key(), HIDDEN)
