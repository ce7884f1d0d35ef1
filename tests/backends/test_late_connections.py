"""An attempt to connect that came to nothing says how long it was waited for, and why no longer."""

import re

import pytest

from threadkeep.backends.common.deadline import Deadline, format_wait
from threadkeep.backends.mongodb import MongoBackend
from threadkeep.backends.redis import RedisBackend
from threadkeep.backends.sql import SqlBackend, watchdog
from threadkeep.errors import BackendError
from threadkeep.types import Query

STORES = [
    pytest.param(SqlBackend, "postgresql://ada:pw@127.0.0.1:{}/chat", id="postgresql"),
    pytest.param(SqlBackend, "mysql://ada:pw@127.0.0.1:{}/chat", id="mysql"),
    pytest.param(RedisBackend, "redis://127.0.0.1:{}", id="redis"),
    pytest.param(RedisBackend, "rediss://127.0.0.1:{}", id="redis-tls"),
    pytest.param(RedisBackend, "redis+cluster://127.0.0.1:{}", id="redis-cluster"),
    pytest.param(MongoBackend, "mongodb://127.0.0.1:{}/chat", id="mongodb"),
]


def refused(store, url, **options):
    backend = store(url, **options)
    with pytest.raises(BackendError) as caught:
        backend.read(Query("s", "item"), now=1.0)
    backend.close()
    return str(caught.value)


@pytest.mark.proves("B57")
@pytest.mark.parametrize(("store", "url"), STORES)
def test_what_was_left_of_the_call_is_said_where_most_of_it_was_spent(
    store, url, silent_port, monkeypatch
):
    def spent(timeout):
        made = Deadline(timeout)
        made.ends_at -= timeout - 0.4
        return made

    for name in ("sql.backend", "common.retry"):
        monkeypatch.setattr(f"threadkeep.backends.{name}.Deadline", spent)
    said = refused(store, url.format(silent_port), timeout=30)
    assert re.search(r"within 0\.[0-4]\d* s, all that was left of 30 s", said), said


@pytest.mark.parametrize(("store", "url"), STORES)
def test_the_setting_that_ended_it_is_named(store, url, silent_port):
    said = refused(store, url.format(silent_port), timeout=30, connect_timeout=0.6)
    assert "within 0.6 s, the connect_timeout" in said


@pytest.mark.parametrize(
    ("seconds", "patience", "said"),
    [
        (2.0, None, "2 s"),
        (1.99, 5.0, "2 s"),
        (1.0, 1.0, "1 s, the connect_timeout"),
        (0.31, 1.0, "0.31 s, all that was left of 2 s"),
        (0.0, None, "0.001 s, all that was left of 2 s"),
    ],
)
def test_it_is_never_more_than_was_left(seconds, patience, said):
    assert format_wait(seconds, 2.0, patience) == said


@pytest.mark.parametrize("seconds", [0, 1e-9])
def test_no_connection_is_begun_when_no_time_is_left(seconds):
    """Else the driver's socket would not block, and report that it is still connecting."""
    with pytest.raises(watchdog.DeadlineExceeded):
        watchdog.call_with_timeout(seconds, pytest.fail, pytest.fail)
