"""How long histories and files live, and the thread that reclaims what is dead."""

import threading
from datetime import UTC, datetime

import pytest

from tests.durations import within
from threadkeep.core import copy_streams
from threadkeep.core.settings import SWEEP_GRACE

HOUR = 3_600


def has_history(service):
    return [bool(service.get_history("s")), bool(service.get_files("s"))]


def remember(service):
    service.store_history("s", "user", "Hello")
    service.store_file("s", {"url": "u"})


@pytest.mark.proves("A4")
@pytest.mark.parametrize(("keys", "life"), [({}, HOUR), ({"time_to_live": 60}, 60)])
def test_a_history_lives_so_long_after_its_last_write(serve, provider, clock, keys, life):
    service = serve(provider, **keys)
    remember(service)
    clock.now += life - 1
    assert has_history(service) == [True, True]
    service.store_history("s", "assistant", "Hello")
    clock.now += life - 1
    assert has_history(service) == [True, True]
    clock.now += 1
    assert has_history(service) == [False, False]
    service.store_history("s", "user", "again")
    assert [entry["content"] for entry in service.get_history("s")] == ["again"]


@pytest.mark.proves("A4")
@pytest.mark.parametrize("forever", [0, None])
def test_a_history_may_live_for_ever(serve, provider, clock, forever):
    service = serve(provider, time_to_live=forever)
    remember(service)
    clock.now += 100 * 365 * 24 * HOUR
    assert has_history(service) == [True, True]


@pytest.mark.proves("A14")
@pytest.mark.parametrize(
    "spell", [float, int, lambda at: datetime.fromtimestamp(at, UTC).isoformat()]
)
def test_a_file_vanishes_when_it_expires(serve, provider, clock, spell):
    service = serve(provider, time_to_live=0)
    file = {"name": "a", "expiration_timestamp": spell(clock.now + 10)}
    service.store_file("s", file)
    service.store_file("s", {"name": "b"})
    clock.now += 9
    assert service.get_files("s")["a"] == file
    clock.now += 1
    assert list(service.get_files("s").keys()) == ["b"]
    clock.now += SWEEP_GRACE
    assert service.memory.sweep() == 1, "and its space can be reclaimed"


@pytest.fixture
def watched(serve):
    """A service over a provider whose sweeps are watched, and the backend below."""

    def make(behave=lambda sweep: sweep(), **keys):
        swept = threading.Semaphore(0)
        service = serve(
            {"type": "tests.service.sweeping:Swept", "behave": behave, "swept": swept, **keys}
        )
        return service, service.memory._engine.backend, swept

    return make


def threads():
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("threadkeep")}


@pytest.mark.proves("A5")
@pytest.mark.parametrize("use", [remember, has_history], ids=["write", "read"])
def test_the_thread_is_born_with_the_first_use(serve, use):
    service = serve({}, "born")
    assert threads() == set()
    use(service)
    use(service)
    assert threads() == {"threadkeep born"}
    service.close()
    assert threads() == set()


@pytest.mark.parametrize("never", [0, None])
def test_there_is_no_thread_without_an_interval(serve, never):
    service = serve(expiration_check_interval=never)
    remember(service)
    assert threads() == set()


@pytest.mark.proves("A5")
def test_what_is_dead_is_swept_again_and_again(watched, clock):
    service, backend, swept = watched(expiration_check_interval=0.01)
    for _ in range(2):
        remember(service)
        clock.now += HOUR
        assert has_history(service) == [False, False], "invisible before it is swept"
        clock.now += SWEEP_GRACE
        for _ in range(3):
            assert swept.acquire(timeout=5)
        assert copy_streams.stream_names(backend) == []


@pytest.mark.proves("A5")
def test_a_sweep_that_fails_stops_neither_the_next_nor_the_service(watched, caplog):
    def fail(sweep):
        raise ValueError("a record that cannot be read")

    service, _, swept = watched(fail, expiration_check_interval=0.01)
    remember(service)
    for _ in range(4):
        assert swept.acquire(timeout=5)
    assert has_history(service) == [True, True]
    assert "a sweep of threadkeep" in caplog.text
    assert "a record that" not in caplog.text


@pytest.mark.proves("A5")
def test_close_waits_for_no_sweep(watched):
    free = threading.Event()
    service, backend, swept = watched(lambda sweep: free.wait(), expiration_check_interval=0.01)
    remember(service)
    assert swept.acquire(timeout=5)
    with within(1):
        service.close()
    assert not backend.closed.is_set(), "not while it is at work"
    free.set()
    assert backend.closed.wait(5), "the sweep that ends at last closes the store"


@pytest.mark.proves("A5")
def test_close_ends_a_sweep_that_never_comes_to_an_end(watched):
    service, backend, swept = watched(lambda sweep: 1_000, expiration_check_interval=0.01)
    remember(service)
    assert swept.acquire(timeout=5)
    service.close()
    assert backend.closed.is_set()
