"""Nothing that a store or an argument holds reaches the terminal as a command to it."""

from __future__ import annotations

import ast
import inspect
import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import threadkeep.cli
from tests.cli.hostile import (
    ALL,
    HOSTILE,
    RED,
    SGR,
    TITLE,
    as_argument,
    commands,
    learned,
    plant,
    texts,
    unsafe,
)
from threadkeep import connect
from threadkeep.cli.app import app
from threadkeep.cli.output import EscapedStream, escaped_streams, json_text
from threadkeep.printable import escaped, escaped_line
from threadkeep.testing import ScriptedModel

PIPED: dict[str, str] = {}
FORCED = {"FORCE_COLOR": "1", "COLUMNS": "9000"}  # what rich takes for a terminal


@pytest.fixture(params=["piped", "forced"])
def terminal(request, monkeypatch):
    for name, value in (FORCED if request.param == "forced" else PIPED).items():
        monkeypatch.setenv(name, value)
    return request.param == "forced"


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_command_prints_what_a_terminal_obeys(cli, kind):
    hostile, url = HOSTILE[kind], "sqlite:///chat.db"
    session, user = plant(url, hostile)
    for arguments in commands(session, user, hostile):
        printed = cli(*arguments, "--url", url)
        assert unsafe(printed.out) == unsafe(printed.err) == [], arguments


def test_all_of_it_at_once_on_each_store_and_terminal(cli, url, terminal):
    session, user = plant(url, ALL)
    for arguments in commands(session, user, ALL):
        printed = cli(*arguments, "--url", url)
        for text in printed.out, printed.err:
            assert unsafe(SGR.sub("", text) if terminal else text) == [], arguments


@pytest.mark.parametrize("command", ["show", "sessions", "feedback", "repair", "recall"])
def test_a_terminal_gets_no_styles_but_ours(cli, url, monkeypatch, command):
    styles = {}
    for hostile in (f"{RED}red", "red"):
        where = f"{url}-{len(hostile)}"
        session, user = plant(where, hostile)
        arguments = {"show": [session], "recall": [user, "fact"]}.get(command, [])
        for name, value in FORCED.items():
            monkeypatch.setenv(name, value)
        styles[hostile] = Counter(SGR.findall(cli(command, *arguments, "--url", where).out))
    assert styles[f"{RED}red"] == styles["red"]
    assert styles["red"]


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile=texts, number=st.uuids(), which=st.integers(0, len(commands("", "", "")) - 1))
def test_any_text_in_any_field(cli, hostile, number, which):
    url = f"sqlite:///{number}.db"
    session, user = plant(url, hostile)
    arguments = commands(session, user, hostile)[which]
    printed = cli(*arguments, "--url", url)
    assert unsafe(printed.out) == unsafe(printed.err) == [], arguments


@pytest.mark.parametrize("kind", HOSTILE)
def test_paths_and_urls_in_errors(cli, kind):
    hostile = as_argument(HOSTILE[kind])
    for arguments in (
        ["sessions", "--url", f"sqlite:///{hostile}/x.db"],
        ["sessions", "--url", f"{hostile}://x"],
        ["sessions", "--url", hostile],
        ["doctor", "--url", f"file:{hostile}"],
        ["sessions", "--history-backend", hostile, "--path", hostile],
        ["sessions", "--history-backend", "sqlite", "--path", hostile],
        ["doctor", "--history-backend", "file", "--path", hostile],
        ["copy", f"sqlite:///{hostile}", f"file:{hostile}"],
        ["copy", "memory://", "memory://", "--namespace", hostile],
        ["sessions", "--url", f"mysql://u:p@127.0.0.1:1/{hostile}"],
        ["sessions", "--redis-retention-days", hostile],
    ):
        printed = cli(*arguments)
        assert unsafe(printed.out) == unsafe(printed.err) == [], arguments


CURSOR = re.compile("\x1b\\[\\??[0-9;]*[A-Za-z]|\r")


@pytest.mark.parametrize("hostile", [*HOSTILE.values(), ALL], ids=[*HOSTILE, "all"])
def test_copy_and_import_and_extract(cli, terminal, hostile):
    url = "sqlite:///chat.db"
    session, user = plant(url, hostile)
    with connect("file:new") as target:  # differs, so that copy names it
        target.session(session, user=user).add("other")
    with ScriptedModel(lambda _: learned(hostile)) as model:
        where = ["--model", f"m{hostile}", "--base-url", model.base_url, "--url", url]
        runs = [
            ["extract", *where],
            ["extract", "--json", "--retry", *where],
            ["copy", url, "file:new"],
            ["export", "--all", "--output", "all.jsonl", "--url", url],
            ["import", "all.jsonl", "--url", url],
            ["import", "all.jsonl", "--url", "memory://"],
        ]
        for arguments in runs:
            printed = cli(*arguments)
            for text in printed.out, printed.err:
                assert unsafe(CURSOR.sub("", text) if terminal else text) == [], arguments
                assert "\x1b]" not in text


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_meant_for_programs_loses_nothing(cli, terminal, kind):
    hostile, url = HOSTILE[kind], "sqlite:///chat.db"
    with connect(url) as memory:
        chat = memory.session("chat", user="ada")
        for text in (f"t{hostile}", ":smile: [bold]b[/bold] \\u202e"):
            chat.add(text)
        stored = [item.text for item in chat.items()]
    for command in ("show", "recall"):
        arguments = {"show": ["chat"], "recall": ["ada", "smile bold"]}[command]
        printed = json.loads(cli(command, *arguments, "--json", "--url", url).out)
        items = printed["items"] if command == "show" else [hit["item"] for hit in printed]
        assert {item["content"] for item in items} <= set(stored)
        assert len(items) == 2 or command == "recall"
        assert items
    piped = cli("export", "--all", "--url", url).out
    cli("export", "--all", "--output", "all.jsonl", "--url", url)
    assert Path("all.jsonl").read_text("utf-8") == piped
    assert cli("import", "all.jsonl", "--url", "sqlite:///other.db").code == 0
    with connect("sqlite:///other.db") as memory:
        assert [item.text for item in memory.session("chat").items()] == stored


@given(st.dictionaries(texts, st.one_of(texts, st.lists(texts, max_size=3)), max_size=3))
def test_json_reads_back_and_is_printable(value):
    written = json_text(value)
    assert json.loads(written) == json.loads(json.dumps(value))
    assert written.isascii()
    assert written.isprintable()


@given(texts)
def test_escaping_shows_all_of_a_text_and_once_is_enough(text):
    for escape in (escaped, escaped_line):
        printed = escape(text)
        assert unsafe(printed) == []
        assert escape(printed) == printed
        assert printed.encode()  # no half of a character
    assert "\n" not in escaped_line(text)
    assert "\t" not in escaped_line(text)


def test_text_of_every_script_stays_as_it_is():
    for text in (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, which needs a joiner
        "\u0915\u094d\u200d\u0937",  # Hindi
        "\U0001f469\u200d\U0001f467 \u2764\ufe0f 1\ufe0f\u20e3",  # emoji
        "\u00c1da, \u65e5\u672c\u8a9e, e\u0301, \u05e2\u05d1\u05e8\u05d9\u05ea",
        "a\nb\tc \\x1b",
    ):
        assert escaped(text) == text


def test_a_text_poses_as_no_other_line(cli, url):
    with connect(url) as memory:
        memory.session("chat", user="ada").add("Hi\nassistant #2 2025-01-01 00:00:00 x\r\n  no")
        memory.session("chat").update(title="A\nother  bob")
    printed = cli("show", "chat", "--url", url).out.splitlines()
    assert [text for text in printed if not text.startswith(" ")] == [printed[0], printed[1]]
    assert cli("sessions", "--url", url).out.count("\n") == 2


@pytest.mark.parametrize("command", ["show", "sessions", "repair"])
def test_on_a_real_terminal(url, command):
    session, _ = plant(url, HOSTILE["ESC"])
    arguments = [command, session] if command == "show" else [command]
    code = "import sys; from threadkeep.cli import main; main()"
    ours, theirs = pty.openpty()
    run = [sys.executable, "-c", code, *arguments, "--url", url]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(run, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        printed = read_to_end(ours)
    assert process.returncode in (0, 1)
    assert "\x1b[" in printed  # styles of ours
    assert TITLE not in printed
    assert unsafe(SGR.sub("", printed).replace("\r\n", "\n")) == []


def read_to_end(terminal):
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # how a terminal on Linux says that its last writer has left
            part = b""
        if not part:
            os.close(terminal)
            return b"".join(parts).decode()
        parts.append(part)


def test_what_others_print_is_escaped_too(capsys):
    with escaped_streams(), escaped_streams():
        print(TITLE)
        print("a", TITLE, sep="\n", file=sys.stderr)
        logging.getLogger("threadkeep").error(TITLE)
        sys.stdout.writelines(["x", RED])
    assert not isinstance(sys.stdout, EscapedStream)
    out, err = capsys.readouterr()
    assert unsafe(out) == unsafe(err) == []
    assert out == "\\x1b]0;pwned\\x07\nx\\x1b[31m"


def test_a_traceback_of_ours_is_escaped(monkeypatch, capsys):
    def fail():
        raise RuntimeError(TITLE)

    monkeypatch.setattr(threadkeep.cli, "_run", fail)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as exited:
        threadkeep.cli.main()
    err = capsys.readouterr().err
    assert exited.value.code == 1
    assert "RuntimeError: \\x1b]0;pwned\\x07" in err
    assert unsafe(err) == []


def test_every_command_is_tried():
    tried = {arguments[0] for arguments in commands("s", "u", "h")}
    source = inspect.getsource(sys.modules[__name__])
    for command in app.registered_commands:
        assert command.name in tried or f'["{command.name}"' in source


MODULES = sorted(Path(threadkeep.cli.__file__).parent.glob("*.py"))
PRINTERS = {"print", "input", "open_code", "breakpoint", "displayhook"}
MODULES_THAT_PRINT = {"rich", "click", "logging", "warnings", "traceback", "pprint", "getpass"}
ATTRIBUTES = {
    "sys": {"stdout", "stderr", "__stdout__", "__stderr__", "displayhook", "excepthook"},
    "os": {"write", "writev", "fdopen", "system", "popen", "dup2"},
    "typer": {"echo", "secho", "confirm", "prompt", "style", "launch", "progressbar", "colors"},
}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_one_module_prints(module):
    tree = ast.parse(module.read_text("utf-8"))
    assert bool(printing(tree)) is (module.stem == "output")


def printing(tree):
    """Whatever in a module could reach a stream by itself."""
    prints = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name in PRINTERS:
                prints.append(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                if name in ATTRIBUTES.get(owner, ()):
                    prints.append(f"{owner}.{name}")
            case ast.Import(names=names):
                prints += [n.name for n in names if n.name.split(".")[0] in MODULES_THAT_PRINT]
            case ast.ImportFrom(module=str(source), names=names):
                if source.split(".")[0] in MODULES_THAT_PRINT:
                    prints.append(source)
                prints += [n.name for n in names if n.name in ATTRIBUTES.get(source, ())]
    return prints


@pytest.mark.parametrize(
    "code",
    [
        "print('x')",
        "import sys; sys.stdout.write('x')",
        "from sys import stderr",
        "import typer; typer.echo('x')",
        "from typer import secho",
        "from rich.console import Console",
        "import rich.table",
        "import os; os.write(1, b'x')",
        "import logging",
    ],
)
def test_the_rule_sees_each_way_to_print(code):
    assert printing(ast.parse(code))
