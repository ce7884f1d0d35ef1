"""Servers that `make servers` unpacked beside the system: each by its own loader and libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.servers.instances import absent

FOLDER: Final = (Path(__file__).parents[2] / ".servers").resolve()


def command(name: str, program: str, *libraries: str) -> tuple[str, ...]:
    """What starts a program of an unpacked folder. Skips the test if it is not there.

    Args:
        name: the folder's, which is the store's.
        program: its path in the folder.
        *libraries: further folders of shared libraries, beside the system's of that root.
    """
    root = FOLDER / name
    loader = next(root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*"), None)
    if loader is None or not (root / program).exists():
        variable = f"THREADKEEP_TEST_{name.upper()}_URL"
        absent(name, f"{name} was not unpacked by `make servers`; {variable} is not set")
    path = ":".join(map(str, [loader.parent, *(root / folder for folder in libraries)]))
    return (str(loader), "--library-path", path, str(root / program))
