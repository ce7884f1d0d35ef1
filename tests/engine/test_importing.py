"""What `import threadkeep` loads, in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
before = set(sys.modules)
import threadkeep
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
alien = {n for n in loaded - set(sys.stdlib_module_names) if not n.startswith("_sysconfigdata")}
assert alien == {"threadkeep"}, alien
heavy = {
    "asyncio", "base64", "concurrent.futures", "decimal", "difflib", "hashlib", "hmac", "ipaddress",
    "logging", "pathlib", "sqlite3", "tempfile", "threading", "unicodedata", "urllib.parse",
    "urllib.request", "uuid",
    "threadkeep.api.conversations", "threadkeep.api.feedback", "threadkeep.api.responses",
    "threadkeep.config", "threadkeep.longterm", "threadkeep.types.approvals",
    "threadkeep.types.embedder", "threadkeep.types.responses",
}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
threadkeep.connect("memory://").session("chat").add("x")
assert "sqlite3" not in sys.modules
import threading
assert threading.active_count() == 1
with threadkeep.connect("sqlite://") as memory:
    memory.session("chat").add("x")
assert "sqlite3" in sys.modules
assert threading.active_count() == 1
"""


def test_nothing_but_the_standard_library_and_of_that_little():
    done = subprocess.run([sys.executable, "-I", "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
