"""The backend that the how-to shows keeps every promise it is said to keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.pages import ROOT, blocks
from threadkeep.testing import BackendContract

PAGE = ROOT / "docs" / "how-to" / "backend.md"


class TestDictBackend(BackendContract):
    @pytest.fixture
    def backend(self) -> Iterator[Any]:
        scope: dict[str, Any] = {"__name__": __name__}
        exec(compile(blocks(PAGE)[0].code, str(PAGE), "exec"), scope)
        backend = scope["DictBackend"]()
        yield backend
        backend.close()
