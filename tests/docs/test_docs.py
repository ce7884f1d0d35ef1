"""Every example of the documentation runs and says what the page says; every link leads somewhere.

The examples of a page are one program, run in a folder of its own. `OpenAI()` meets a scripted
model, so that pages may show what a reader would write.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import gc
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from openai import OpenAI

from tests.docs import old_stores
from tests.docs.pages import PAGES, ROOT, Block, blocks, external_links, name, relative_links
from threadkeep import Memory
from threadkeep.testing import ScriptedModel

_TREE = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
RUN = [page for page in PAGES if blocks(page)]
SHOWN = [page for page in PAGES if blocks(page, "py")]


@pytest.fixture
def endpoint(page: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `OpenAI()` finds in the environment, for pages that ask for it."""
    if "OpenAI()" not in page.read_text("utf-8"):
        yield
        return
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    with ScriptedModel(lambda _: "Lisbon.") as model:
        monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
        yield


@pytest.fixture
def no_open_loops(page: Path) -> Iterator[None]:
    """`run_sync` of a framework leaves an event loop open; a reader's process would end here."""
    if "run_sync" not in page.read_text("utf-8"):
        yield
        return
    before = {id(loop) for loop in _open_loops()}
    yield
    for loop in _open_loops():
        if id(loop) not in before:
            loop.close()
    asyncio.set_event_loop(None)


@pytest.mark.parametrize("page", RUN, ids=name)
@pytest.mark.usefixtures("endpoint", "no_open_loops")
def test_the_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if page.stem == "import" or page.parent.name == "migrate":
        old_stores.write(tmp_path)
    scope: dict[str, object] = {"__name__": "__main__"}
    try:
        for block in blocks(page):
            if block.is_dialogue:
                _check(page, block, scope)
            else:
                code = "\n" * block.line + block.code
                exec(compile(code, str(page), "exec"), scope)
    finally:
        for found in scope.values():  # a reader's process would end here
            if isinstance(found, Memory | OpenAI):
                found.close()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_lead_somewhere(page: Path) -> None:
    assert [link for link in relative_links(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", SHOWN, ids=name)
def test_what_is_only_shown_is_python_and_names_what_is_there(page: Path) -> None:
    for block in blocks(page, "py"):
        tree = compile(block.code, str(page), "exec", _TREE)
        found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        ours = [node for node in found if "threadkeep" in (node.module or "")]
        exec(compile(ast.Module([*ours], []), str(page), "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_to_other_places_are_whole(page: Path) -> None:
    """By their form only: no network is asked."""
    for link in external_links(page):
        parts = urlsplit(link)
        assert parts.scheme in ("https", "mailto"), link
        assert parts.scheme == "mailto" or "." in (parts.hostname or ""), link
        assert not {*"<>[]{}\\|^` "} & {*link}, link
        assert link == link.rstrip(".,;:!'\""), link


def test_the_readme_shows_the_product_in_twelve_lines() -> None:
    code = blocks(ROOT / "README.md")[0].code
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 12


def _open_loops() -> list[asyncio.BaseEventLoop]:
    # by their types: to ask a weak proxy for its class may fail
    found = [o for o in gc.get_objects() if issubclass(type(o), asyncio.BaseEventLoop)]
    return [loop for loop in found if not (loop.is_closed() or loop.is_running())]


def _check(page: Path, block: Block, scope: dict[str, object]) -> None:
    parsed = doctest.DocTestParser().get_doctest(
        block.code, scope, name(page), str(page), block.line
    )
    parsed.globs = scope  # one program per page
    report: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=OPTIONS).run(
        parsed, out=report.append, clear_globs=False
    )
    assert not outcome.failed, "".join(report)
