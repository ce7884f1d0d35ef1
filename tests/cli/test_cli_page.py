"""The commands that the how-to shows, in its order."""

import shlex

from tests.docs.pages import ROOT
from threadkeep import connect

PAGE = (ROOT / "docs" / "how-to" / "command-line.md").read_text("utf-8")
LINES = [
    line.partition("|")[0]
    for block in PAGE.split("```sh\n")[1:]
    for line in block.partition("```")[0].splitlines()
]


def test_every_command_of_the_page_works(cli, monkeypatch):
    with connect("sqlite:///chat.db") as memory:
        memory.session("chat-42", user="ada").add("Hello")
    for line in LINES:
        if line.startswith("export "):
            monkeypatch.setenv(*line.removeprefix("export ").split("=", 1))
            continue
        _, *arguments = shlex.split(line)
        said = cli(*arguments)
        assert said.code == 0, (line, said.err)
    with connect("file:chats") as memory:
        assert memory.session("chat-42", user="ada").items()[0].text == "Hello"
