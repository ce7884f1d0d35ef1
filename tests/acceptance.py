"""The acceptance table: which promise of `docs/acceptance.md` is proven by which tests.

`python -m tests.acceptance` runs the tests marked `proves`, prints the rows and rewrites the last
column of the page. With `--check` it changes nothing and fails if the page is not what the tests
say; outcomes of a full test run of the same sources just before are taken as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs/acceptance.md"
NOTES: Final = ROOT / ".pytest_cache/acceptance.json"
NOT_YET: Final = "not yet"

_ROW: Final = re.compile(
    r"^(?P<head>\| (?P<id>[ABCD]\d+) \| (?P<feature>.*?) \| .*<!-- proof -->)"
    r"(?P<proof>.*)(?=<!-- end -->)",
    re.MULTILINE,
)

Tests = Mapping[str, Mapping[str, Any]]
"""By pytest's node id: the `rows` a test is to prove, and its `outcome`."""


class Row(NamedTuple):
    """A promise of the page, with what the page says of its proof."""

    id: str
    feature: str
    proof: str


class Verdict(NamedTuple):
    """What a run of the tests says: the proof of each proven row, and what is wrong."""

    proofs: dict[str, str]
    faults: list[str]


def rows(page: str) -> list[Row]:
    """The rows of the page, in its order."""
    return [Row(found["id"], found["feature"], found["proof"]) for found in _ROW.finditer(page)]


def rewritten(page: str, proofs: Mapping[str, str]) -> str:
    """The page with its last column as the tests say."""
    return _ROW.sub(lambda found: found["head"] + proofs.get(found["id"], NOT_YET), page)


def judge(page: str, tests: Tests) -> Verdict:
    """Which rows are proven, which no longer are, and which markers name no row."""
    known = {row.id: row for row in rows(page)}
    cases: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    faults = []
    for case, test in tests.items():
        for row in test["rows"]:
            if row not in known:
                faults.append(f"{case} claims to prove {row!r}, which is no row of the page")
            cases[row][case.partition("[")[0]].append(test["outcome"])
    proofs = {row: proof for row in known if (proof := _proof(cases[row]))}
    for row in known.values():
        if row.id not in proofs and row.proof != NOT_YET:
            found = _outcomes(cases[row.id]) or "no test carries its mark"
            faults.append(f"{row.id} ({row.feature}) was proven and no longer is: {found}")
    return Verdict(proofs, faults)


def _proof(tests: Mapping[str, list[str]]) -> str:
    """The tests with a case that passed and none that failed; nothing if any test failed."""
    if any("failed" in outcomes for outcomes in tests.values()):
        return ""
    files: dict[str, list[str]] = defaultdict(list)
    for test, outcomes in sorted(tests.items()):
        if "passed" in outcomes:
            file, _, name = test.partition("::")
            files[file].append(f"`{name.replace('::', '.')}`")
    said = [f"`{file}`: {', '.join(names)}" for file, names in files.items()]
    return f"proven by {'; '.join(said)}" if said else ""


def _outcomes(tests: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{test} {', '.join(sorted(set(how)))}" for test, how in tests.items())


def fingerprint() -> str:
    """Of all sources: a run of the tests speaks for these and no others."""
    state = hashlib.sha256()
    folders = ("src", "tests", "integrations", "examples")
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        state.update(f"{path.relative_to(ROOT)}\0".encode())
        state.update(path.read_bytes())
    return state.hexdigest()


def note(state: str, tests: Tests) -> None:
    """Keep the outcomes of a run of all marked tests."""
    NOTES.parent.mkdir(exist_ok=True)
    NOTES.write_text(json.dumps({"state": state, "tests": tests}, indent=1))


def noted() -> Tests | None:
    """The outcomes of the last run, if it was of these sources."""
    try:
        notes = json.loads(NOTES.read_text())
    except (OSError, ValueError):
        return None
    tests: Tests | None = notes["tests"] if notes["state"] == fingerprint() else None
    return tests


def run() -> Tests:
    """Run the marked tests, now; their outcomes."""
    NOTES.unlink(missing_ok=True)
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "proves"], cwd=ROOT, check=False)
    try:
        tests: Tests = json.loads(NOTES.read_text())["tests"]
    except OSError:
        sys.exit("acceptance: the tests could not be run")
    return tests


def show(page: str, proofs: Mapping[str, str]) -> Iterable[str]:
    """The table for the terminal."""
    for row in rows(page):
        yield f"{row.id:4} {row.feature}: {proofs.get(row.id, NOT_YET).replace('`', '')}"
    yield f"{len(proofs)} of {len(rows(page))} rows are proven"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; write the page, or check it."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if outdated")
    check = parser.parse_args(arguments).check
    page = PAGE.read_text()
    proofs, faults = judge(page, (noted() if check else None) or run())
    print(*show(page, proofs), sep="\n")
    new = rewritten(page, proofs)
    if not check:
        PAGE.write_text(new)
    elif new != page and not faults:
        faults.append("docs/acceptance.md is out of date: run `make acceptance` and commit it")
    print(*(f"acceptance: {fault}" for fault in faults), sep="\n", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
