"""The contract as authors of other backends run it: by pytest, on a class of their own."""

import re
import subprocess
import sys

import pytest

AUTHORS = """
from contextlib import closing

import pytest

from threadkeep.backends.memory import MemoryBackend
from threadkeep.testing import BackendContract
from threadkeep.types import Commit, Page


class Mine(MemoryBackend):
{body}


class TestMine(BackendContract):
    @pytest.fixture
    def backend(self):
        with closing(Mine()) as backend:
            yield backend
"""
BROKEN = {
    "gives the oldest first when asked for the newest": """
    def read(self, *queries, now):
        return super().read(*(query._replace(newest=False) for query in queries), now=now)
""",
    "loses the last record of a batch": """
    def commit(self, stream, *, put=(), **how):
        done = super().commit(stream, put=put[:-1] if len(put) > 1 else put, **how)
        return Commit(done.version, [*done.seqs, done.seqs[-1] + 1] if len(put) > 1 else done.seqs)
""",
    "does not look at what is expected": """
    def commit(self, stream, *, expect=None, **how):
        return super().commit(stream, **how)
""",
    "lists what its cursor names": """
    def streams(self, prefix, *, cursor=None, limit=1000):
        names = super().streams(prefix)[0] if cursor is None else cursor
        return names[:limit], names[limit:] or None
""",
    "never forgets": """
    def commit(self, stream, *, ttl=None, **how):
        return super().commit(stream, **how)
""",
}


def run(folder, body, *flags):
    (folder / "test_mine.py").write_text(AUTHORS.format(body=body))
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *flags]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.proves("C15")
def test_a_backend_that_keeps_its_promises_passes(tmp_path):
    done = run(tmp_path, "    pass\n", "--strict-markers", "-W", "error")
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) > 100


@pytest.mark.slow
@pytest.mark.proves("C15")
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_one_that_breaks_a_promise_is_found_out(body, tmp_path):
    done = run(tmp_path, body, "-x", "-k", "not any_sequence")  # which would look for the shortest
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout


PARTS = """
from threadkeep.testing.contract.damage import check_damages
from threadkeep.testing import BackendContract, contract


def test_pytest_explains_both():
    for module in (contract, __import__(check_damages.__module__, fromlist=["x"])):
        assert type(module.__loader__).__name__ == "AssertionRewritingHook"
"""


def test_parts_of_the_contract_may_be_imported_before_it(tmp_path):
    (tmp_path / "test_parts.py").write_text(PARTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
