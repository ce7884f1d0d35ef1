"""Options of single kinds of stores, as gateways of chat name them."""

import pytest
import typer.main

import threadkeep
from tests.servers import postgres, redis
from tests.servers.instances import fresh_table
from threadkeep.cli import hints
from threadkeep.cli.app import app
from threadkeep.cli.flags import split_flags
from threadkeep.cli.store import StoreOptions
from threadkeep.errors import ConfigError

DAY = 86_400


def opened(**flags):
    backend = flags.pop("history_backend", None)
    return StoreOptions(history_backend=backend, flags=flags).open()


@pytest.mark.proves("B40", "B47", "B48", "B49")
def test_the_flags_of_redis_reach_the_store():
    url = "redis://:pw@h:7000/2"
    with opened(history_backend="redis", redis_url=url) as memory:
        assert "Redis at h:7000/2" in repr(memory._engine.backend)
        assert memory._engine.settings.ttl == 30 * DAY
        assert memory._engine.settings.pool_size == 16
    with opened(redis_url=url, redis_pool_max_size=3, redis_retention_days=-1) as memory:
        assert memory._engine.settings.ttl is None
        assert memory._engine.settings.pool_size == 3
    with pytest.raises(ConfigError, match="--redis-retention-days must be a number of days"):
        opened(redis_url=url, redis_retention_days=0)


@pytest.mark.proves("B43", "B44")
def test_the_flags_of_postgres_reach_the_store():
    how = {"postgres_db_url": "postgres://ada:pw@h/chat", "postgres_pool_max_size": 3}
    with opened(**how) as memory:
        assert "chat at h" in repr(memory._engine.backend)
        assert memory._engine.settings.pool_size == 3


@pytest.mark.proves("B50")
def test_the_flags_of_oracle_reach_the_store():
    how = {"oracle_user": "ada", "oracle_password": "pw", "oracle_pool_max": 3}
    with opened(oracle_dsn="h:1521/service", **how) as memory:
        assert "h" in repr(memory._engine.backend)
    with pytest.raises(ConfigError, match="pool"):
        opened(oracle_dsn="h:1521/service", oracle_pool_min=0, **how)


def test_flags_of_another_kind_or_beside_a_url_are_refused():
    with pytest.raises(ConfigError, match="--redis-url belongs to --history-backend redis"):
        opened(history_backend="postgres", redis_url="redis://h")
    with pytest.raises(ConfigError, match="belongs to"):
        opened(postgres_pool_max_size=3, redis_url="redis://h")
    with pytest.raises(ConfigError, match="contradict"):
        StoreOptions(url="sqlite:///a.db", flags={"redis_url": "redis://h"}).open()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sessions", "--redis-ulr", "x"], "--redis-ulr; did you mean '--redis-url'?"),
        (["sessions", "--redis-url"], "argument --redis-url: expected one argument"),
        (["--oracle-pool-min", "0", "sessions"], "--oracle-pool-min must be a whole number"),
        (["sessions", "--postgres-db-url", "redis://h"], "--postgres-db-url contradict"),
        (["sessions", "--redis-db", "hunter2", "--redis-host", "h"], "--redis-db must be a whole"),
    ],
)
def test_a_flag_that_is_not_valid_is_one_clear_line(cli, arguments, says):
    ended = cli(*arguments)
    assert ended.code == 2
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert "hunter2" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list"], "No such command 'list'; did you mean 'sessions'?\n"),
        (["search", "ada", "tea"], "did you mean 'recall'?\n"),
        (["purge"], "No such command 'purge'; did you mean 'sweep'?\n"),
        (["rm", "chat-1"], "`threadkeep forget` erases a user"),
        (["seshions"], "Did you mean 'sessions'?"),
        (["sessions", "--store", "x"], "No such option: --store; did you mean '--url'?\n"),
        (["--db", "x", "sessions"], "No such option: --db; did you mean '--url'?\n"),
        (["show", "a", "--format", "json"], "--format; did you mean '--json'?\n"),
        (["import", "a", "--format", "chatgpt"], "--format; did you mean '--as'?\n"),
        (["show", "a", "--limit", "3"], "--limit; did you mean '--last'?\n"),
        (
            ["recall", "tea"],
            "Missing argument 'query'. Usage: threadkeep recall [OPTIONS] {user} {q",
        ),
        (["show"], "Missing argument 'session'. Usage: threadkeep show"),
    ],
)
def test_a_first_guess_is_answered_by_what_was_meant(cli, arguments, says):
    ended = cli(*arguments)
    assert ended.code == 2
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_hints_lead_to_commands_that_are_there_from_names_that_are_not():
    commands = typer.main.get_group(app).commands
    assert set(hints.COMMANDS.values()) <= commands.keys()
    assert not hints.COMMANDS.keys() & commands.keys()


@pytest.mark.proves("B50")
def test_flags_may_be_switched_off_and_numbers_may_be_negative():
    flags, remaining = split_flags(
        ["show", "a", "--no-oracle-external-auth", "--redis-retention-days", "-1", "--last", "2"]
    )
    assert flags == {"oracle_external_auth": "false", "redis_retention_days": "-1"}
    assert remaining == ["show", "a", "--last", "2"]
    assert split_flags(["show", "--", "--redis-url", "x"])[1] == ["show", "--", "--redis-url", "x"]
    assert split_flags(["--redis-db=1", "x", "--redis-db", "2"]) == ({"redis_db": "2"}, ["x"])


@pytest.mark.proves("B40")
@pytest.mark.parametrize(("flag", "server"), [("redis_url", redis), ("postgres_db_url", postgres)])
def test_before_and_after_the_command(cli, flag, server):
    url, option = server.url(), f"--{flag.replace('_', '-')}"
    name = fresh_table()
    with threadkeep.connect(url, namespace=name) as memory:
        memory.session("s").add("hi")
    for arguments in (["sessions", option, url], [option, url, "sessions"]):
        done = cli(*arguments, "--namespace", name)
        assert done.code == 0
        assert "s" in done.out.split()
