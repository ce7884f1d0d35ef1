"""Workers whose clocks differ: no write and no sweep of one ends what another still needs."""

import logging
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.doubles import START, Clock, Wrapper
from threadkeep import connect
from threadkeep.backends.memory import MemoryBackend
from threadkeep.core.clock import StoreClock
from threadkeep.errors import ConfigError

TTL = 86_400.0
DAY = 86_400.0
HOUR = 3_600.0


@pytest.fixture
def worker(backend):
    """Opens the store for a worker whose clock differs by so many seconds."""

    def open_memory(clock, skew=0.0, **options):
        return connect(backend, clock=lambda: clock.now + skew, **{"ttl": TTL, **options})

    return open_memory


def texts(memory, session="chat"):
    return [item.text for item in memory.session(session).items()]


@pytest.mark.proves("D8")
def test_slow_clock_does_not_end_session(worker, clock):
    punctual, slow = worker(clock), worker(clock, -10 * DAY)
    punctual.session("chat", user="ada").add("precious")
    slow.session("chat", user="ada").add("hello")
    clock.tick(TTL - 1)
    assert texts(punctual) == ["precious", "hello"]
    clock.tick(1)
    assert texts(punctual) == []


def test_slow_clock_does_not_hide_session_from_list(worker, clock):
    punctual, slow = worker(clock), worker(clock, -10 * DAY)
    punctual.session("chat", user="ada").add("precious")
    slow.session("chat", user="ada").add("hello")
    clock.tick(TTL - 1)
    assert [info.id for info in punctual.user("ada").sessions()] == ["chat"]


@pytest.mark.proves("D8")
@pytest.mark.parametrize("reclaim", ["sweep", "purge"])
def test_fast_sweeper_leaves_live_sessions(worker, clock, reclaim):
    punctual, fast = worker(clock), worker(clock, TTL + HOUR / 2)
    punctual.session("chat", user="ada").add("precious")
    getattr(fast, reclaim)()
    assert texts(punctual) == ["precious"]
    assert [info.id for info in punctual.user("ada").sessions()] == ["chat"]


def test_sweep_grace_is_an_hour_or_what_was_chosen(worker, backend, clock):
    patient, brisk = worker(clock), worker(clock, sweep_grace=0)
    patient.session("one").add("x")
    clock.tick(TTL + HOUR - 1)
    assert patient.sweep() == 0
    clock.tick(1)
    assert patient.sweep() >= 1
    brisk.session("two").add("x")
    clock.tick(TTL)
    assert brisk.sweep() >= 1
    assert backend.streams("default/session/")[0] == []


SKEWS = st.floats(-12 * HOUR, 12 * HOUR, allow_nan=False)
STEPS = st.lists(st.tuples(SKEWS, st.floats(0, 4 * HOUR), st.booleans()), max_size=8)


@pytest.mark.proves("D8")
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_life_is_that_of_the_latest_clock(steps):
    """Writes and sweeps by clocks half a day apart at most; a day of life outlasts that."""
    clock, store = Clock(), MemoryBackend()
    ends = START + TTL
    connect(store, ttl=TTL, clock=clock).session("chat").add("first")
    for skew, pause, sweeps in steps:
        clock.tick(pause)
        now = clock.now + skew
        if now >= ends:
            break  # by this clock a new life begins
        memory = connect(store, ttl=TTL, clock=lambda now=now: now, sweep_grace=12 * HOUR)
        if sweeps:
            memory.sweep()
        else:
            memory.session("chat").add("next")
            ends = max(ends, now + TTL)
    else:
        reader = connect(store, clock=Clock(ends - 0.001))
        assert texts(reader)[0] == "first"
        assert texts(connect(store, clock=Clock(ends + 0.001))) == []


class Distant(MemoryBackend):
    """A store whose server's clock is ahead of this machine's."""

    def __init__(self, ahead):
        super().__init__()
        self.ahead, self.asked = ahead, []

    def clock_offset(self, *, renew=False):
        self.asked.append(renew)
        return self.ahead


def test_servers_time_is_used_and_a_large_offset_is_warned_of(caplog):
    store = Distant(2 * HOUR)
    clock = StoreClock(lambda: store)
    with caplog.at_level(logging.WARNING, logger="threadkeep"):
        assert clock.now() == pytest.approx(time.time() + 2 * HOUR, abs=5)
        clock.now()
    assert store.asked == [False], "measured once"
    assert [record.getMessage() for record in caplog.records] == [
        "this machine's clock is 7200 s behind the store's server's, whose time is used: "
        "set it (NTP)"
    ]


@pytest.mark.parametrize("ahead", [0.4, -0.9, None])
def test_small_offset_is_not_applied(ahead, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: START)
    store = Distant(ahead)
    assert StoreClock(lambda: store).now() == START


def test_clock_that_was_set_is_measured_again(monkeypatch):
    store = Distant(-HOUR)
    clock = StoreClock(lambda: store)
    clock.now()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + HOUR)
    store.ahead = -2 * HOUR
    assert clock.now() == pytest.approx(real() - HOUR, abs=5)
    clock.now()
    assert store.asked == [False, True]


def test_own_clock_is_taken_as_it_is():
    store = Distant(2 * HOUR)
    connect(store, clock=lambda: START).session("chat").add("hi")
    assert store.asked == []


def test_dates_are_the_servers_through_wrappers():
    memory = connect(Wrapper(Distant(2 * HOUR)))
    (added,) = memory.session("chat").add("hi")
    assert added.created_at
    ahead = added.created_at - datetime.now(UTC)
    assert ahead.total_seconds() == pytest.approx(2 * HOUR, abs=5)


@pytest.mark.parametrize(
    "wrong", [1.7e12, -1e12, float("inf"), float("nan"), None, "noon"], ids=repr
)
def test_a_clock_that_gives_no_epoch_seconds_writes_nothing(backend, wrong):
    times = [START]
    with connect(backend, clock=lambda: times[-1]) as memory:
        chat = memory.session("chat")
        chat.add("first")
        times.append(wrong)
        with pytest.raises(ConfigError, match="clock must give epoch seconds"):
            chat.add("second")
        times.append(START + 1)
        assert texts(memory) == ["first"]
