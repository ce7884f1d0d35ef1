"""What the one retry loop repeats, what it refuses, and with which error it ends."""

import pytest

from threadkeep.backends.common.commit import Change
from threadkeep.backends.common.faults import Failed, Fault, FaultKind, map_exceptions
from threadkeep.backends.common.retry import RetryLoop, run_commit
from threadkeep.errors import BackendError, BackendTimeout, Conflict
from threadkeep.types import Commit, Drop, Record

NEVER = "never"  # the driver's message when it never works again
GONE = Change("s", (), [Drop()], None, 7, "t", 1.0)


def failing(kind, times):
    """Work that fails so often and then returns how often it was called."""
    calls = []

    def attempt(deadline):
        calls.append(deadline)
        if len(calls) <= times:
            raise Failed(Fault(kind, NEVER, "mend it"), OSError("driver"))
        return len(calls)

    return attempt


def loop(connected=True, timeout=0.05):
    retries = RetryLoop("the store", timeout)
    retries.connected = connected
    return retries


@pytest.mark.parametrize(
    ("kind", "connected", "repeated"),
    [
        (FaultKind.RETRY, False, True),
        (FaultKind.FAILOVER, False, True),
        (FaultKind.LOST, False, True),
        (FaultKind.UNREACHABLE, True, True),
        (FaultKind.UNREACHABLE, False, False),
        (FaultKind.SILENT, True, True),
        (FaultKind.SILENT, False, False),
        (FaultKind.TIMEOUT, True, False),
        (FaultKind.BUSY, True, False),
        (FaultKind.MISSING, True, False),
        (FaultKind.FATAL, True, False),
    ],
)
def test_kind_decides_whether_call_is_repeated(kind, connected, repeated):
    if repeated:
        assert loop(connected, 30).run(failing(kind, 3)) == 4
    else:
        with pytest.raises(BackendError, match=r"the store.*never.*mend it"):
            loop(connected, 30).run(failing(kind, 1))


@pytest.mark.parametrize("kind", [FaultKind.RETRY, FaultKind.LOST, FaultKind.UNREACHABLE])
def test_call_repeated_until_deadline_is_timeout(kind):
    with pytest.raises(BackendTimeout, match=r"not done within 0\.05 s \(never\): mend it"):
        loop().run(failing(kind, 1000))


def test_lost_connection_is_not_repeated_where_twice_is_not_once():
    with pytest.raises(BackendError, match="may have been written or not") as caught:
        loop().run(failing(FaultKind.LOST, 1), repeatable=False)
    assert isinstance(caught.value.__cause__, OSError)
    assert loop(timeout=30).run(failing(FaultKind.RETRY, 1), repeatable=False) == 2


@pytest.mark.parametrize(
    ("expect", "token", "repeatable"),
    [(None, None, True), (None, "t", True), (7, "t", True), (7, None, False), (0, None, False)],
)
def test_commit_with_version_needs_token_to_be_repeated(expect, token, repeatable):
    assert Change("s", (), (), None, expect, token, 1.0).repeatable is repeatable


def test_repeated_end_of_stream_that_is_gone_has_succeeded():
    attempts = iter([Failed(Fault(FaultKind.LOST, NEVER), OSError()), Conflict("gone")])

    def work(handle):
        raise next(attempts)

    def run(attempt, *, repeatable):
        return loop(timeout=30).run(attempt, repeatable=repeatable)

    assert run_commit(run, work, GONE) == Commit(0, [])
    attempts = iter([Conflict("gone")])
    with pytest.raises(Conflict):
        run_commit(run, work, GONE)
    attempts = iter([Failed(Fault(FaultKind.LOST, NEVER), OSError()), Conflict("gone")])
    with pytest.raises(Conflict):
        run_commit(run, work, GONE._replace(put=[Record("item", "a", "{}", 1.0)]))


def test_own_errors_pass_through_map_exceptions():
    def classify(error):
        return Fault(FaultKind.FATAL, f"{type(error).__name__}", "mend it")

    with (
        pytest.raises(BackendError, match=r"^the store: PermissionError: mend it$"),
        map_exceptions(OSError, classify, "the store"),
    ):
        raise PermissionError
    own = BackendTimeout("ours")  # an OSError too
    with pytest.raises(BackendTimeout) as caught, map_exceptions(OSError, classify, "the store"):
        raise own
    assert caught.value is own
