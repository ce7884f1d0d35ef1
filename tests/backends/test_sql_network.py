"""What the network does to clients of SQL servers: a commit is there once, or its error says."""

import os

import pytest

from tests.backends.sql_servers import SERVERS
from tests.backends.sql_stores import opened
from tests.durations import within
from threadkeep.errors import BackendError, BackendTimeout
from threadkeep.testing.contract.common import NOW, ids, items
from threadkeep.types import Drop, Query

S = "test/session/network"
QUERY = Query(S, "item")
MOMENTS = ["request", "reply"]


@pytest.fixture(params=SERVERS)
def server(request):
    return SERVERS[request.param]()


@pytest.fixture
def line(server):
    with server.proxied() as (between, url):
        yield between, url


def refused(backend, **change):
    try:
        backend.commit(S, **change, now=NOW)
    except BackendError as error:
        return str(error)
    return ""


def cut_everywhere(between, what, act):
    """Cut the connection at the first message of an act, at the second, till all have passed."""
    for spare in range(40):
        between.cut(what, spare)
        act(spare)
        if between.mended(what):
            assert spare > 0, "nothing was ever cut"
            return
    pytest.fail("an act has no so many messages")


@pytest.mark.parametrize("what", MOMENTS)
def test_cut_at_any_message_an_append_is_written_once(line, what):
    between, url = line
    with opened(url) as backend:
        backend.commit(S, put=items("a"), now=NOW)
        seen = ["a"]

        def append(spare):
            new = [f"{spare}-{part}" for part in range(2)]
            done = backend.commit(S, put=items(new), now=NOW)
            (page,) = backend.read(QUERY, now=NOW)
            seen.extend(new)
            assert [record.id for record in page.records] == seen
            assert done.seqs == [record.seq for record in page.records][-2:]

        cut_everywhere(between, what, append)


@pytest.mark.parametrize("what", MOMENTS)
def test_cut_at_any_message_a_commit_that_also_drops_is_done_once(line, what):
    between, url = line
    with opened(url) as backend:
        backend.commit(S, put=items(["before", "kept"]), now=NOW)

        def move(spare):
            drop = [Drop("item", ids=["before" if not spare else f"n{spare - 1}"])]
            backend.commit(S, drop=drop, put=items([f"n{spare}"]), now=NOW)
            assert ids(backend, S) == ["kept", f"n{spare}"]

        cut_everywhere(between, what, move)


@pytest.mark.parametrize("what", MOMENTS)
def test_cut_at_any_message_a_conditional_commit_with_a_token_is_done_once(line, what):
    between, url = line
    with opened(url) as backend:
        versions = [backend.commit(S, put=items(["first"]), now=NOW).version]

        def change(spare):
            how = {"put": items([f"n{spare}"]), "expect": versions[-1], "token": f"t{spare}"}
            done = backend.commit(S, **how, now=NOW)
            assert done.version == versions[-1] + 1, "it was done twice, or not at all"
            versions.append(done.version)
            assert len(ids(backend, S)) == len(versions)

        cut_everywhere(between, what, change)


@pytest.mark.parametrize("what", MOMENTS)
def test_cut_at_any_message_a_conditional_commit_without_a_token_says_that_nobody_knows(line, what):
    between, url = line
    with opened(url) as backend:
        version = backend.commit(S, put=items(["first"]), now=NOW).version
        unsure = []

        def change(spare):
            nonlocal version
            if says := refused(backend, put=items([f"n{spare}"]), expect=version):
                assert "may have been written or not" in says
                unsure.append(spare)
            (page,) = backend.read(QUERY, now=NOW)
            there = [record.id for record in page.records].count(f"n{spare}")
            assert page.version == version + there
            assert spare in unsure or there == 1
            version = page.version

        cut_everywhere(between, what, change)
        assert unsure


@pytest.mark.parametrize("what", MOMENTS)
def test_cut_at_any_message_a_read_is_asked_again(line, what):
    between, url = line
    with opened(url) as backend:
        backend.commit(S, put=items("ab"), now=NOW)

        def look(spare):
            assert ids(backend, S) == ["a", "b"]

        cut_everywhere(between, what, look)


@pytest.mark.proves("B57")
def test_a_black_hole_ends_at_the_deadline_and_the_next_call_goes_on(line):
    between, url = line
    with opened(url, timeout=2) as backend:
        backend.commit(S, put=items("a"), now=NOW)
        between.silent = True
        with within(4.5), pytest.raises(BackendTimeout, match=r"not done within 2 s"):
            backend.commit(S, put=items("b"), now=NOW)
        between.silent = False
        backend.commit(S, put=items("c"), now=NOW)
        assert ids(backend, S) == ["a", "c"], "the lost commit was begun, and never ended"


def test_a_call_that_is_given_up_leaves_its_socket_to_the_driver_to_close(line):
    """Closed twice, a number that another connection was given meanwhile would be closed."""
    between, url = line
    with opened(url, timeout=2) as backend:
        backend.commit(S, put=items("a"), now=NOW)
        (lent,) = backend._pool._idle
        if not hasattr(lent.driver_connection, "cancel_safe"):
            pytest.skip("only psycopg's socket is the C library's")
        number = lent.driver_connection.fileno()
        between.silent = True
        backend._dialect.abort(lent.driver_connection)
        os.fstat(number)


def test_a_network_that_refuses_is_an_error_in_time_and_then_forgotten(line):
    between, url = line
    with opened(url, timeout=2) as backend:
        backend.commit(S, put=items("a"), now=NOW)
        between.refuse()
        with within(4.5), pytest.raises(BackendError, match=r"127\.0\.0\.1.*(check host|network)"):
            backend.commit(S, put=items("b"), now=NOW)
        between.take_calls()
        backend.commit(S, put=items("c"), now=NOW)
        assert ids(backend, S) == ["a", "c"]


def test_a_slow_network_is_waited_for_until_the_deadline(line):
    between, url = line
    with opened(url, timeout=3) as backend:
        backend.commit(S, put=items("a"), now=NOW)
        between.delay = 0.1
        backend.commit(S, put=items("b"), now=NOW)
        assert ids(backend, S) == ["a", "b"]
        between.delay = 4
        with within(6.5), pytest.raises(BackendTimeout):
            backend.read(QUERY, now=NOW)
        between.delay = 0
        assert ids(backend, S) == ["a", "b"]
