"""Lists of sessions: a user's, the newest first, and the operator's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.engine.doubles import START, Counting
from threadkeep import Drop
from threadkeep.errors import ConfigError, InputError


def ids(infos):
    return [info.id for info in infos]


def walk(listing, limit, **how):
    found, cursor, pages = [], None, 0
    while True:
        page = listing(limit=limit, cursor=cursor, **how)
        assert len(page) <= limit
        found += ids(page)
        cursor, pages = page.cursor, pages + 1
        if cursor is None:
            return found, pages


def test_newest_first_by_the_last_write(memory, clock):
    for id in ("a", "b", "c"):
        memory.session(id, user="ada").add("x")
        clock.tick(61)
    memory.session("a", user="ada").add("y")
    assert ids(memory.sessions(user="ada")) == ["a", "c", "b"]
    assert ids(memory.user("ada").sessions()) == ["a", "c", "b"]


def test_says_what_is_known_of_each(memory, clock):
    chat = memory.session("a", user="ada", agent="planner", metadata={"m": 1})
    chat.add("x")
    chat.update(title="Rome")
    clock.tick(61)
    chat.add("y")
    (info,) = memory.sessions(user="ada")
    assert info == chat.info()
    assert info.updated_at == datetime.fromtimestamp(START + 61, UTC)


def test_a_cursor_leads_over_250_sessions(opened, clock):
    memory = opened()
    for n in range(250):
        memory.session(f"s{n}", user="ada").add("x")
    newest_first = [f"s{n}" for n in range(249, -1, -1)]
    assert walk(memory.user("ada").sessions, 20) == (newest_first, 13)
    assert walk(memory.sessions, 125, user="ada") == (newest_first, 2)
    assert walk(memory.sessions, 1_000, user="ada") == (newest_first, 1)
    found, pages = walk(memory.sessions, 60)
    assert sorted(found) == sorted(newest_first)
    assert 5 <= pages <= 6
    assert len(memory.sessions(user="ada")) == len(memory.sessions()) == 20


def test_a_session_written_meanwhile_hides_no_other(memory, clock):
    for n in range(10):
        memory.session(f"s{n}", user="ada").add("x")
    page = memory.sessions(user="ada", limit=4)
    clock.tick(61)
    memory.session("s0", user="ada").add("y")
    rest = memory.sessions(user="ada", limit=10, cursor=page.cursor)
    assert ids(page) + ids(rest) == [f"s{n}" for n in range(9, 0, -1)]


def test_entries_of_dead_sessions_are_passed_over(memory, backend, clock):
    for n in range(30):
        memory.session(f"s{n}", user="ada").add("x")
    for n in range(30):
        if n % 10:
            backend.commit(f"default/session/s{n}", drop=[Drop()], now=clock.now)
    assert ids(memory.sessions(user="ada", limit=2)) == ["s20", "s10"]
    assert walk(memory.sessions, 2, user="ada")[0] == ["s20", "s10", "s0"]


def test_entries_of_sessions_that_are_somebody_elses_now_are_passed_over(
    memory, opened, backend, clock
):
    memory.session("s", user="ada").add("x")
    backend.commit("default/session/s", drop=[Drop()], now=clock.now)
    opened().session("s", user="bob").add("y")
    assert ids(memory.sessions(user="ada")) == []
    assert ids(memory.sessions(user="bob")) == ["s"]


def test_a_session_is_touched_at_most_once_a_minute(opened, clock):
    memory = opened(Counting)
    counting = memory._engine.backend
    chat = memory.session("s", user="ada")
    touches = []
    for seconds in (0, 1, 58, 1, 1, 58, 61):
        clock.tick(seconds)
        counting.reset()
        chat.add("x")
        assert counting.commits.count("default/session/s") == 1
        touches.append(counting.commits.count("default/sessions/ada"))
    assert touches == [1, 0, 0, 1, 0, 0, 1]


def test_one_write_is_one_commit_and_no_read_for_who_wrote_before(opened):
    memory = opened(Counting)
    counting, chat = memory._engine.backend, memory.session("s", user="ada")
    chat.add("x")
    counting.reset()
    chat.add("y", "z")
    assert (counting.reads, counting.commits) == (0, ["default/session/s"])


def test_a_page_costs_two_reads(opened):
    memory = opened(Counting)
    for n in range(30):
        memory.session(f"s{n}", user="ada").add("x")
    memory._engine.backend.reset()
    memory.sessions(user="ada", limit=20)
    assert memory._engine.backend.reads == 2


def test_a_session_without_a_user_is_on_no_users_list(memory):
    memory.session("s").add("x")
    assert ids(memory.sessions()) == ["s"]
    assert memory.sessions()[0].user is None
    assert ids(memory.sessions(user="ada")) == []


def test_the_operator_sees_everybodys(memory):
    for user in ("ada", "bob", None):
        memory.session(f"of {user}", user=user).add("x")
    assert sorted(ids(memory.sessions())) == ["of None", "of ada", "of bob"]


def test_the_operators_listing_says_when_a_session_was_written_last(memory, clock):
    chat = memory.session("s", user="ada")
    chat.add("x")
    clock.tick(3_600)
    chat.add("y")
    late = memory.sessions()[0].updated_at.timestamp() - START
    assert late >= 3_600 - 60


def test_users_do_not_see_each_other(memory):
    memory.session("a", user="ada").add("x")
    memory.session("b", user="bob").add("x")
    assert ids(memory.sessions(user="ada")) == ["a"]
    assert ids(memory.user("bob").sessions()) == ["b"]
    assert ids(memory.sessions(user="ad")) == []
    assert ids(memory.sessions(user="ada/")) == []


@pytest.mark.parametrize("names", [("one", "two"), ("a", "a/session"), ("a", "A"), ("a%2F", "a/")])
def test_namespaces_do_not_see_each_other(opened, names):
    first, second = (opened(namespace=name) for name in names)
    first.session("s", user="ada").add("x")
    assert second.session("s", user="bob").items() == []
    assert second.sessions() == []
    assert second.sessions(user="ada") == []
    second.session("s", user="bob").add("y")
    second.session("t", user="bob").add("y")
    first.session("s").delete()
    assert [item.content for item in second.session("s").items()] == ["y"]
    assert sorted(ids(second.sessions())) == ["s", "t"]
    assert first.sessions() == []


@pytest.mark.parametrize("bad", [0, -1, 1_001, 2.0, "20", None, True])
def test_a_users_page_of_an_impossible_size_is_refused(memory, bad):
    with pytest.raises(InputError, match="limit"):
        memory.sessions(user="ada", limit=bad)


@pytest.mark.parametrize(
    "bad",
    [
        0,
        -1,
        "20",
        None,
        1_001,
        2.0,
        True,
    ],
)
def test_the_operators_page_of_an_impossible_size_is_refused(memory, bad):
    memory.session("s").add("x")
    with pytest.raises(InputError, match="limit"):
        memory.sessions(limit=bad)


@pytest.mark.parametrize("bad", ["x", 1.5, True, b""])
def test_a_cursor_of_the_callers_own_making_is_refused(memory, bad):
    with pytest.raises(InputError, match="cursor"):
        memory.sessions(user="ada", cursor=bad)


class TestRequireUser:
    def test_closes_the_operators_door(self, opened):
        memory = opened(require_user=True)
        with pytest.raises(ConfigError, match="user="):
            memory.session("s")
        with pytest.raises(ConfigError, match="user="):
            memory.sessions()

    def test_leaves_users_theirs(self, opened):
        memory = opened(require_user=True)
        memory.session("s", user="ada").add("x")
        memory.user("ada").session("t").add("x")
        assert sorted(ids(memory.sessions(user="ada"))) == ["s", "t"]

    def test_a_fork_has_a_user_too(self, opened):
        memory = opened(require_user=True)
        chat = memory.session("s", user="ada")
        chat.add("x")
        assert chat.fork("t").user == "ada"
