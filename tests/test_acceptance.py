"""The acceptance table itself: a regression is caught, and nothing counts that did not pass."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests import acceptance

PAGE = """
| A1 | `one` | first | <!-- proof -->not yet<!-- end --> |
| B41 | two | second `a | b` | <!-- proof -->proven by `tests/t.py`: `test_two`<!-- end --> |
"""


def outcome(rows, how):
    return {"rows": rows, "outcome": how}


def judged(**tests):
    named = {f"tests/t.py::{name.replace('__', '[')}": test for name, test in tests.items()}
    return acceptance.judge(PAGE, named)


def test_a_row_is_proven_by_a_test_that_passed():
    proofs, faults = judged(test_one=outcome(["A1"], "passed"), test_two=outcome(["B41"], "passed"))
    assert proofs == {
        "A1": "proven by `tests/t.py`: `test_one`",
        "B41": "proven by `tests/t.py`: `test_two`",
    }
    assert not faults


@pytest.mark.parametrize("how", ["skipped", "failed", "not run"])
def test_a_proven_row_that_no_longer_is_is_a_fault_that_names_it(how):
    proofs, faults = judged(test_two=outcome(["B41"], how))
    assert "B41" not in proofs
    (fault,) = faults
    assert "B41 (two) was proven and no longer is" in fault
    assert f"test_two {how}" in fault


def test_a_proven_row_without_any_test_is_a_fault():
    (fault,) = judged(test_one=outcome(["A1"], "passed")).faults
    assert "B41" in fault
    assert "no test carries its mark" in fault


def test_one_failing_test_or_case_unproves_its_row():
    passed, failed = outcome(["B41"], "passed"), outcome(["B41"], "failed")
    assert "B41" not in judged(test_two=passed, test_three=failed).proofs
    assert "B41" not in judged(test_two__memory=passed, test_two__sqlite=failed).proofs


def test_a_skipped_case_does_not_hide_one_that_passed():
    proofs = judged(
        test_two__here=outcome(["B41"], "passed"), test_two__away=outcome(["B41"], "skipped")
    ).proofs
    assert proofs["B41"] == "proven by `tests/t.py`: `test_two`"


def test_a_row_that_is_not_yet_proven_is_no_fault():
    assert not judged(test_two=outcome(["B41"], "passed")).faults


def test_an_unknown_row_is_named_with_its_test():
    two = outcome(["B41"], "passed")
    (fault,) = judged(test_two=two, test_odd=outcome(["Z9"], "passed")).faults
    assert "tests/t.py::test_odd" in fault
    assert "'Z9'" in fault


def test_only_the_last_column_is_rewritten():
    page = acceptance.rewritten(PAGE, {"A1": "proven by x"})
    proof = re.compile("<!-- proof -->.*<!-- end -->")
    assert proof.sub("", page) == proof.sub("", PAGE)
    assert [row.proof for row in acceptance.rows(page)] == ["proven by x", "not yet"]


def test_the_page_has_every_row_once():
    ids = [row.id for row in acceptance.rows(acceptance.PAGE.read_text())]
    wanted = [("A", 1, 32), ("B", 40, 58), ("C", 1, 15), ("D", 1, 22)]
    assert ids == [f"{part}{n}" for part, first, last in wanted for n in range(first, last + 1)]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page, and notes of a test run, of our own."""
    monkeypatch.setattr(acceptance, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(acceptance, "NOTES", tmp_path / "notes.json")
    acceptance.PAGE.write_text(PAGE)
    return acceptance.PAGE


def noted(**outcomes):
    tests = {f"tests/t.py::{name}": outcome([row], how) for name, (row, how) in outcomes.items()}
    acceptance.note(acceptance.fingerprint(), tests)


def test_check_takes_the_outcomes_of_a_run_of_the_same_sources(page, capsys):
    noted(test_two=("B41", "passed"))
    assert acceptance.main(["--check"]) == 0
    assert "1 of 2 rows are proven" in capsys.readouterr().out


def test_check_fails_and_names_the_row_that_regressed(page, capsys):
    noted(test_two=("B41", "failed"))
    assert acceptance.main(["--check"]) == 1
    assert "B41 (two) was proven and no longer is" in capsys.readouterr().err
    assert page.read_text() == PAGE


def test_check_fails_on_a_page_that_is_out_of_date(page, capsys):
    noted(test_one=("A1", "passed"), test_two=("B41", "passed"))
    assert acceptance.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert page.read_text() == PAGE


def test_outcomes_of_other_sources_do_not_count(page):
    acceptance.note("some other state", {})
    assert acceptance.noted() is None


def test_without_check_the_page_is_rewritten(page, monkeypatch):
    tests = {"tests/t.py::test_one": outcome(["A1"], "passed")}
    monkeypatch.setattr(acceptance, "run", lambda: tests)
    assert acceptance.main([]) == 1, "B41 is not proven any more, which is worth a failure"
    assert [row.proof for row in acceptance.rows(page.read_text())] == [
        "proven by `tests/t.py`: `test_one`",
        "not yet",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("how", [[], ["-p", "xdist.plugin", "-n", "2"]], ids=["one", "two"])
def test_a_run_notes_the_outcome_of_every_marked_test(how, tmp_path, monkeypatch):
    """The plugin itself, over a few tests in a process of their own."""
    (tmp_path / "test_rows.py").write_text(
        "import pytest\n"
        "@pytest.mark.proves('A1', 'A2')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_good(n): pass\n"
        "@pytest.mark.proves('A3')\n"
        "def test_bad(): assert False\n"
        "@pytest.mark.proves('A4')\n"
        "def test_away(): pytest.skip('away')\n"
        "@pytest.fixture\n"
        "def leak():\n    yield\n    assert False\n"
        "@pytest.mark.proves('A5')\n"
        "def test_leaks(leak): pass\n"
        "@pytest.mark.proves('A6')\n"
        "@pytest.mark.xfail(reason='a bug')\n"
        "def test_bug(): assert False\n"
        "def test_unmarked(): pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = proves(row)\ntestpaths = .\n")
    (tmp_path / "conftest.py").write_text(
        f"import sys, pathlib\nsys.path.insert(0, {str(acceptance.ROOT)!r})\n"
        "from tests import acceptance\n"
        "acceptance.NOTES = pathlib.Path(__file__).parent / 'notes.json'\n"
        f"exec(pathlib.Path({str(acceptance.ROOT / 'tests/conftest.py')!r}).read_text())\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *how]
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    subprocess.run([*command, "-k", "good"], cwd=tmp_path, capture_output=True, check=True)
    assert not (tmp_path / "notes.json").exists(), "part of the tests speaks for no row"
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    tests = json.loads((tmp_path / "notes.json").read_text())["tests"]
    assert {name.partition("::")[2]: test["outcome"] for name, test in tests.items()} == {
        "test_good[1]": "passed",
        "test_good[2]": "passed",
        "test_bad": "failed",
        "test_away": "skipped",
        "test_leaks": "failed",
        "test_bug": "skipped",
    }
    assert tests["test_rows.py::test_good[1]"]["rows"] == ["A1", "A2"]
