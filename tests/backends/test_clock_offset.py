"""The server's own clock is the oracle: what a store with a server measures, and how rarely."""

import logging
import time

import pytest

from threadkeep import connect
from threadkeep.protocols import SupportsClockOffset

HOUR = 3_600.0
WITHOUT = {"memory", "file", "sqlite", "sqlite-memory"}


@pytest.fixture
def name(request):
    return request.node.callspec.params["store"]


def test_stores_with_a_server_have_an_offset(backend, name):
    assert isinstance(backend, SupportsClockOffset) == (name not in WITHOUT)


def test_offset_of_the_same_machine_is_about_nothing(backend, name):
    if name in WITHOUT or name.startswith("oracle"):
        pytest.skip("asks no server for its time")
    assert backend.clock_offset() == pytest.approx(0.0, abs=1.0)
    assert backend.clock_offset(renew=True) == pytest.approx(0.0, abs=1.0)


@pytest.mark.proves("D8")
@pytest.mark.parametrize("skew", [2 * HOUR, -26 * HOUR], ids=["fast", "slow"])
def test_worker_with_a_wrong_clock_follows_the_server(backend, name, skew, monkeypatch, caplog):
    if name in WITHOUT or name.startswith("oracle"):
        pytest.skip("asks no server for its time")
    punctual = connect(backend, clock=time.time, ttl=HOUR)
    punctual.session("chat", user="ada").add("precious")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + skew)
    backend.clock_offset(renew=True)  # its connections were made before
    with caplog.at_level(logging.WARNING, logger="threadkeep"):
        wrong = connect(backend, ttl=HOUR)
        (added,) = wrong.session("chat", user="ada").add("hello")
        wrong.sweep()
    assert added.created_at
    assert added.created_at.timestamp() == pytest.approx(real(), abs=5)
    assert [item.text for item in wrong.session("chat").items()] == ["precious", "hello"]
    assert "clock" in caplog.text
