"""A place where a kernel writes nothing that outlives the test, and where leftovers show."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; `home` and `temp` beside it are the user's and the system's."""
    for variable, name in (
        ("HOME", "home"),
        ("TMPDIR", "temp"),
        ("IPYTHONDIR", "jupyter/ipython"),
        ("JUPYTER_CONFIG_DIR", "jupyter/config"),
        ("JUPYTER_DATA_DIR", "jupyter/data"),
        ("JUPYTER_RUNTIME_DIR", "jupyter/runtime"),
        ("MPLCONFIGDIR", "jupyter/matplotlib"),
    ):
        (tmp_path / name).mkdir(parents=True)
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    for secret in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "THREADKEEP_URL"):
        monkeypatch.delenv(secret, raising=False)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"
