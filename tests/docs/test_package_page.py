"""The page of a built package stands alone: every link and picture of it is a whole address."""

from __future__ import annotations

import email
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import hatchling.build
import pytest

from tests.docs.pages import ROOT, links, pictures

PROJECTS = [ROOT, *sorted(path.parent for path in ROOT.glob("integrations/*/pyproject.toml"))]
SITE = "https://threadkeep.readthedocs.io/en/latest/"


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_the_page_of_a_built_package_has_no_relative_link(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = built_page(project, tmp_path, monkeypatch)
    assert [a for a in (*links(page), *pictures(page)) if not a.startswith(("https:", "#"))] == []


def test_links_into_the_documentation_lead_to_pages_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = built_page(ROOT, tmp_path, monkeypatch)
    ours = [a.removeprefix(SITE) for a in (*links(page), *pictures(page)) if a.startswith(SITE)]
    assert len(ours) > 40
    assert [address for address in ours if not source(address).is_file()] == []


def test_words_of_links_that_lead_nowhere_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = built_page(ROOT, tmp_path, monkeypatch).read_text("utf-8")
    assert "Contributing, changelog, license (Apache-2.0)" in text


def built_page(project: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The description in the metadata of a project's wheel, as a file."""
    monkeypatch.chdir(project)
    wheel = hatchling.build.build_wheel(str(folder))
    page = folder / "page.md"
    page.write_text(str(metadata(folder / wheel).get_payload()), "utf-8")
    return page


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_string(archive.read(name).decode("utf-8"))


def source(address: str) -> Path:
    """The file of which the documentation makes an address."""
    path = ROOT / "docs" / address.partition("#")[0]
    if path.suffix:
        return path
    page = path.with_suffix(".md")
    return page if page.is_file() else path / "index.md"


def test_the_source_distribution_has_the_file_of_which_the_page_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    archive = hatchling.build.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / archive) as contents:
        names = [name.partition("/")[2] for name in contents.getnames()]
    assert "README.md" in names
