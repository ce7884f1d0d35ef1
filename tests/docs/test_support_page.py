"""The page on support says what the packages declare and what the tests are pinned to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/support.md").read_text("utf-8")
ROW = re.compile(
    r"^\| (?P<owner>[^|]*)\| (?P<name>[a-z0-9-]+) \| (?P<low>[\d.]+) \| (?P<new>[\d.]+) \|$"
)
ROWS = [match.groupdict() for line in PAGE.splitlines() if (match := ROW.match(line))]
PINS = dict(
    line.split(" ")[0].split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if re.match(r"[a-z0-9-]+==", line)
)


def declared():
    """The lower bounds of all packages of the workspace, by name."""
    bounds = {}
    for path in [ROOT / "pyproject.toml", *sorted(ROOT.glob("integrations/*/pyproject.toml"))]:
        project = tomllib.loads(path.read_text())["project"]
        optional = project.get("optional-dependencies", {})
        for requirement in [*project["dependencies"], *(r for rs in optional.values() for r in rs)]:
            match = re.match(r"([A-Za-z0-9-]+)(?:\[\w+\])?>=([\d.]+)", requirement)
            if match:
                bounds[match[1].lower()] = match[2]
    return bounds


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_versions_are_those_of_the_packages_and_pins(row):
    assert row["low"] == declared()[row["name"]]
    assert row["new"] == PINS[row["name"]]


def test_each_dependency_of_an_adapter_that_works_is_there():
    names = {row["name"] for row in ROWS}
    for path in sorted(ROOT.glob("integrations/*/pyproject.toml")):
        if len([*path.parent.glob("src/**/*.py")]) > 1:
            needed = tomllib.loads(path.read_text())["project"]["dependencies"]
            assert {re.split(r"[>=\[]", n)[0] for n in needed} - {"threadkeep"} <= names, path


def test_each_extra_is_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    drivers = {name for name, needed in extras.items() if not needed[0].endswith("-threadkeep")}
    mentioned = {name for row in ROWS for name in re.findall(r"`([a-z]+)`", row["owner"])}
    frameworks = {name for name in extras if (ROOT / f"integrations/{name}").is_dir()}
    assert drivers - frameworks - {"all"} == mentioned


def test_the_pythons_are_those_that_are_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    minors = {c[-4:] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)}
    assert minors == set(re.findall(r"3\.1\d\b", PAGE.partition("## Platforms")[2]))
