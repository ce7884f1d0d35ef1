"""Notes how the tests that carry `@pytest.mark.proves` ended, for `tests.acceptance`."""

from __future__ import annotations

import gc
import os
import re
import shutil
import tempfile
from pathlib import Path

import certifi
import pytest
from hypothesis import settings

from tests import acceptance, slow_tests
from threadkeep.adapters import shared

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault
if os.environ.get("THREADKEEP_TEST_REQUIRE"):  # what judges a change draws the same cases each time
    settings.load_profile("ci")
else:
    settings.load_profile("untimed")


BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
SHM = Path("/dev/shm")
SERVERS = r"\b(postgres|pgbouncer|haproxy|valkey|mysql|redis|mongodb|oracle|sql\b)"
CROWDS = r"\b(processes|threads|crowds?|any (story|sequence))\b"
SLOW = re.compile(f"{SERVERS}|{CROWDS}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """What needs a server is slow, by its names and those of its parameters; and so are crowds.

    And what was found to take long: `tests.slow_tests`.
    """
    for item in items:
        case = getattr(item, "callspec", None)
        names = (item.path.stem, getattr(item, "originalname", ""), case.id if case else "")
        if SLOW.search(" ".join(names).replace("_", " ")) or slow_tests.is_listed(item):
            item.add_marker("slow")
    _leave_out_soak(config, items)


def pytest_collection_finish():
    """All that was imported stays: no collection in a test walks through these millions again."""
    gc.collect()
    gc.freeze()


def _leave_out_soak(config, items):
    """What takes hours runs only where the expression of markers names it."""
    if "soak" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("soak")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_configure(config):
    config.pluginmanager.register(Proofs(config), "threadkeep-proofs")
    if slow_tests.IS_ASKED:
        config.pluginmanager.register(slow_tests.Durations(config), "threadkeep-durations")
    _trust_few(config)


def _trust_few(config):
    """Have HTTP clients, also of the processes that tests start, trust a single authority.

    Our models answer without TLS, and each new client would read the 140 that there are.
    """
    every = Path(certifi.where()).read_text()
    with tempfile.NamedTemporaryFile("w", prefix="threadkeep-", suffix=".pem", delete=False) as few:
        few.write(every[every.index(BEGIN) : every.index(END) + len(END)] + "\n")
    config.add_cleanup(lambda: Path(few.name).unlink(missing_ok=True))
    os.environ["SSL_CERT_FILE"] = few.name


class Proofs:
    """Collects the outcomes of a run; writes them down if the run was of all marked tests.

    Where xdist runs the tests in several processes, each hands its own over to the first.
    """

    def __init__(self, config):
        self._config = config
        self._state = acceptance.fingerprint()  # before the run: files may change under it
        self._tests = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        for item in items:
            rows = [row for mark in item.iter_markers("proves") for row in mark.args]
            if rows:
                self._tests[item.nodeid] = {"rows": rows, "outcome": "not run"}

    def pytest_runtest_logreport(self, report):
        test = self._tests.get(report.nodeid)
        if test is not None and (report.when == "call" or report.outcome != "passed"):
            test["outcome"] = (
                "failed" if "failed" in (test["outcome"], report.outcome) else report.outcome
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        for name, test in getattr(node, "workeroutput", {}).get("proofs", {}).items():
            if test["outcome"] != "not run" or name not in self._tests:
                self._tests[name] = test

    def pytest_sessionfinish(self, session, exitstatus):
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["proofs"] = self._tests
            return
        option = session.config.option
        whole = option.markexpr in ("", "proves") and not option.keyword and not option.deselect
        named = session.config.args != session.config.getini("testpaths")
        ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        stopped = session.shouldstop or session.shouldfail or option.collectonly or option.ignore
        if whole and ended and not named and not stopped:
            acceptance.note(self._state, self._tests)


@pytest.fixture
def tmp_path():
    """A folder in memory, where there is room: nothing that is proven here hangs on a disk."""
    roomy = SHM.is_dir() and shutil.disk_usage(SHM).free > 2**30
    with tempfile.TemporaryDirectory(
        prefix="threadkeep-", dir=SHM if roomy else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder).resolve()


@pytest.fixture(autouse=True)
def _nothing_shared_is_left():
    """What adapters opened by a URL stays open with the process, but for tests."""
    yield
    shared.close()


@pytest.fixture
def reads_thirty(monkeypatch):
    """A question reads thirty items that are in no index, and no more."""
    from threadkeep.longterm.recall import sync

    defaults = {"max_documents": sync.MAX_DOCUMENTS, "max_read": 30, "trims": True}
    monkeypatch.setattr(sync.SyncedIndex.__init__, "__kwdefaults__", defaults)
