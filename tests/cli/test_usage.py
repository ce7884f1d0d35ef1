"""Which store is meant, what is said when that is not clear, and how a command ends."""

import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from threadkeep import __version__, connect
from threadkeep.cli.app import app

THREADKEEP = [sys.executable, "-W", "error", "-m", "threadkeep.cli"]
COMMANDS = ("doctor", "sessions", "show", "export", "import", "sweep", "repair")


@pytest.fixture
def stores():
    """Four stores; each has one session, which says where it is."""
    for name in ("url", "before", "after", "threadkeep"):
        with connect(f"sqlite:///{name}.db") as memory:
            memory.session(f"in-{name}").add("x")
    with connect("file:folder", namespace="shop") as memory:
        memory.session("in-folder").add("x")


@pytest.mark.parametrize(
    ("environment", "arguments", "found"),
    [
        ({}, ["sessions"], "in-threadkeep"),
        ({"THREADKEEP_URL": "sqlite:///url.db"}, ["sessions"], "in-url"),
        ({"THREADKEEP_URL": ""}, ["sessions"], "in-threadkeep"),
        (
            {"THREADKEEP_URL": "sqlite:///url.db"},
            ["--url", "sqlite:///before.db", "sessions"],
            "in-before",
        ),
        (
            {},
            ["--url", "sqlite:///before.db", "sessions", "--url", "sqlite:///after.db"],
            "in-after",
        ),
        ({}, ["sessions", "--history-backend", "sqlite", "--path", "after.db"], "in-after"),
        (
            {"THREADKEEP_URL": "sqlite:///url.db"},
            ["--history-backend", "sqlite", "sessions", "--path", "after.db"],
            "in-after",
        ),
        (
            {"THREADKEEP_HISTORY_BACKEND": "file"},
            ["sessions", "--path", "folder", "--namespace", "shop"],
            "in-folder",
        ),
        ({}, ["--namespace", "shop", "--url", "file:folder", "sessions"], "in-folder"),
    ],
)
def test_the_store_is_said_by_flags_then_by_the_environment(
    cli, stores, monkeypatch, environment, arguments, found
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = cli(*arguments)
    assert said.code == 0, said.err
    assert found in said.out


@pytest.mark.parametrize(
    ("environment", "arguments", "word"),
    [
        ({}, ["sessions", "--url", "sqlite:///a.db", "--history-backend", "file"], "contradict"),
        (
            {"THREADKEEP_URL": "sqlite:///a.db", "THREADKEEP_HISTORY_BACKEND": "file"},
            ["sessions"],
            "contradict",
        ),
        ({}, ["sessions", "--path", "x"], "--path needs --history-backend"),
        ({}, ["sessions", "--history-backend", "sqlit", "--path", "x"], "did you mean 'sqlite'"),
        ({}, ["sessions", "--history-backend", "sqlite"], "sqlite needs a path"),
        ({}, ["sessions", "--url", "nowhere"], "no scheme"),
        ({}, ["sessions", "--urll", "x"], "--url"),
        ({}, ["session"], "sessions"),
        ({}, ["show"], "'session'"),
        ({}, ["export"], "say which sessions"),
        ({}, ["export", "x", "--all"], "say which sessions"),
        ({}, ["sessions", "--limit", "0"], "--limit"),
    ],
)
def test_wrong_usage_is_one_clear_line(cli, monkeypatch, environment, arguments, word):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = cli(*arguments)
    assert said.code == 2
    assert said.err.startswith("threadkeep: ")
    assert said.err.count("\n") == 1
    assert word in said.err


def test_a_password_is_never_said(cli):
    for url in ("nosuch://ada:hunter2@host/db", "memory://ada:hunter2@host", "hunter2"):
        said = cli("doctor", "--url", url)
        assert said.code == 2
        assert "hunter2" not in said.out + said.err


def test_help_teaches():
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"})
    assert said.exit_code == 0
    assert all(word in said.output for word in (*COMMANDS, "THREADKEEP_URL", "Exit codes"))
    for command in COMMANDS:
        said = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "100"})
        assert said.exit_code == 0
        for option in ("--url", "--history-backend", "--path", "--namespace"):
            assert option in said.output


def test_its_version(cli):
    assert cli("--version") == (0, f"threadkeep {__version__}\n", "")


# --- a process of its own ---


def test_a_process_ends_with_the_code_and_one_line(folder):
    done = subprocess.run([*THREADKEEP, "show", "x"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("threadkeep: ")
    assert list(folder.iterdir()) == []


def test_a_pipe_that_closes_early_is_no_error(stores):
    with connect("sqlite:///threadkeep.db") as memory:
        memory.session("long").add(*["x" * 1_000] * 500)
    with subprocess.Popen(
        [*THREADKEEP, "export", "--all"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stderr
        writer.stdout.readline()
        writer.stdout.close()
        assert "Traceback" not in writer.stderr.read()
    assert writer.returncode == 0


@pytest.fixture
def heeding():
    """Children heed Ctrl-C, though what runs in the background, as these tests may, does not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to another process there")
@pytest.mark.usefixtures("heeding")
def test_ctrl_c_is_clean(stores):
    with connect("sqlite:///threadkeep.db") as memory:
        memory.session("and-another").add("x")
    export = subprocess.run([*THREADKEEP, "export", "--all"], capture_output=True, check=True)
    with subprocess.Popen(
        [*THREADKEEP, "import", "--url", "file:new"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as reader:
        assert reader.stdin
        assert reader.stderr
        reader.stdin.write(export.stdout)
        reader.stdin.flush()
        give_up = time.monotonic() + 60
        while not _has_session():
            assert reader.poll() is None
            assert time.monotonic() < give_up
        reader.send_signal(signal.SIGINT)
        assert b"Traceback" not in reader.stderr.read()
    assert reader.returncode == 130


def _has_session():
    with connect("file:new") as memory:
        return bool(memory.sessions())


def test_without_its_packages_it_says_what_to_install():
    code = "import sys; sys.modules['rich'] = None; from threadkeep.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert 'pip install "threadkeep[cli]"' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["mysql://ada:s3cret@db.example/x"],
        ["doctor", "mysql://ada:s3cret/@: s3cret@db.example/x"],
        ["show", "a", "redis://db.example/0?password=s3cret&x=s3cret"],
        ["sessions", "--limit", "postgres://ada:s3cret@db.example/x"],
    ],
)
def test_a_url_in_the_wrong_place_is_not_repeated_with_its_secrets(cli, arguments):
    ended = cli(*arguments)
    assert ended.code == 2
    assert ended.err.startswith("threadkeep: ")
    assert "s3cret" not in ended.err + ended.out


def test_without_arguments_it_prints_its_help(cli):
    printed = cli()
    assert printed.code == 2
    assert printed.err.startswith("Usage: threadkeep [OPTIONS] COMMAND [ARGS]...\n")


def test_a_choice_that_is_missing_is_named_on_one_line(cli):
    printed = cli("views")
    assert printed.code == 2
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("threadkeep: Missing argument")
