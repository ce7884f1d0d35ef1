"""What compliance asks for: users, what is known of them, files, and exports for people."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadkeep import connect
from threadkeep.cli.readable_export import spreadsheet_cell

URL = "sqlite:///chat.db"


@pytest.fixture
def filled(folder):
    with connect(URL) as memory:
        old = {"role": "user", "content": "Old", "created_at": "2020-01-01T00:00:00Z"}
        memory.session("s1", user="ada").add(old, "=1+2", {"role": "assistant", "content": "<b>*"})
        memory.session("s2", user="bob").add("Hi")
        memory.session("s3").add("Nobody")
        memory.session("s1", user="ada").files.add({"url": "s3://plan", "name": "plan.txt"})
        eve = memory.user("eve ü")
        eve.facts.add("Eve likes tea", extractor="import:mem0")
        eve.facts.add("Eve is a spy", status="quarantined")
        eve.instructions.add("Answer in French", status="quarantined")
    return folder


def test_users_with_and_without_sessions(cli, filled):
    rows = json.loads(cli("users", "--json", "--url", URL).out)
    assert [(row["user"], row["sessions"]) for row in rows] == [
        ("ada", 1), ("bob", 1), ("eve ü", 0),
    ]  # fmt: skip
    said = cli("users", "--url", URL)
    assert "1 session of nobody" in said.err
    assert json.loads(cli("users", "--until", "2001-01-01", "--json", "--url", URL).out) == []


def test_facts_are_seen_and_corrected(cli, filled):
    said = cli("facts", "eve ü", "--url", URL)
    assert "Eve likes tea" in said.out
    assert "import:mem0" in said.out
    assert "spy" not in said.out
    (spy,) = json.loads(
        cli("facts", "eve ü", "--status", "quarantined", "--json", "--url", URL).out
    )
    assert "spy" in cli("facts", "eve ü", "--approve", spy["id"], "--url", URL).out
    assert "spy" not in cli("facts", "eve ü", "--forget", spy["id"], "--url", URL).out
    assert cli("facts", "eve ü", "--forget", "nothing", "--url", URL).code == 1
    assert (
        json.loads(cli("facts", "eve ü", "--until", "2001-01-01", "--json", "--url", URL).out) == []
    )


def test_an_instruction_is_approved(cli, filled):
    assert json.loads(cli("instructions", "eve ü", "--json", "--url", URL).out) == []
    listed = cli("instructions", "eve ü", "--status", "quarantined", "--json", "--url", URL)
    (wish,) = json.loads(listed.out)
    cli("instructions", "eve ü", "--approve", wish["id"], "--url", URL)
    with connect(URL) as memory:
        assert "French" in memory.user("eve ü").context()


def test_files(cli, filled):
    assert "plan.txt" in cli("files", "s1", "--url", URL).out
    (file,) = json.loads(cli("files", "s1", "--json", "--url", URL).out)
    assert file["url"] == "s3://plan"
    assert cli("files", "none", "--url", URL).code == 1


def test_a_table_has_no_formulas(cli, filled):
    said = cli("export", "s1", "--format", "csv", "--url", URL)
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["text"] for row in rows] == ["Old", "'=1+2", "<b>*"]
    assert [row["role"] for row in rows] == ["user", "user", "assistant"]


@given(st.text(), st.sampled_from(["=", "+", "-", "@", "\t", "\r", " =", "\n@", "\t+", ""]))
def test_no_cell_is_taken_for_a_formula(text, start):
    cell = spreadsheet_cell(start + text)
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert cell.lstrip()[:1] not in {"=", "+", "-", "@"}
    cells = io.StringIO()
    csv.writer(cells, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow([cell])
    assert next(csv.reader(io.StringIO(cells.getvalue(), newline=""))) == [cell]


def test_documents_for_people(cli, filled):
    page = cli("export", "--all", "--format", "html", "--url", URL).out
    assert "&lt;b&gt;*" in page
    assert "<b>*" not in page
    notes = cli("export", "--user", "ada", "--format", "markdown", "-o", "a.md", "--url", URL)
    assert notes.code == 0
    assert "> =1+2" in (filled / "a.md").read_text()
    assert cli("export", "gone", "--format", "html", "--url", URL).code == 1


def test_dates_choose_sessions_and_messages(cli, filled):
    year = ("--since", "2020-01-01", "--until", "2021-01-01")
    table = cli("export", "s1", "--format", "csv", *year, "--url", URL).out
    assert [row["text"] for row in csv.DictReader(io.StringIO(table))] == ["Old"]
    assert json.loads(cli("sessions", "--until", "2001-01-01", "--json", "--url", URL).out) == []
    recent = json.loads(cli("sessions", "--since", "2001-01-01", "--json", "--url", URL).out)
    assert {info["id"] for info in recent} == {"s1", "s2", "s3"}
    assert cli("export", "--all", "--until", "2001-01-01", "--url", URL).out.count("\n") == 1
    assert cli("export", "s1", "--since", "2001-01-01", "--url", URL).code == 2
    assert "--since" in cli("sessions", "--since", "noon", "--url", URL).err


def test_the_first_page_of_help_has_no_flags_of_single_stores(cli):
    said = cli("--help")
    assert "--redis-url" not in said.out
    assert "--help-stores" in said.out
    stores = cli("--help-stores")
    assert (stores.code, "--redis-url" in stores.out, "Options of" in stores.out) == (0, True, True)
