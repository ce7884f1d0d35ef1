"""Find tiktoken's vocabulary files on this machine, since it would download them."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from threadkeep.errors import ConfigError, MissingExtra
from threadkeep.printable import shown

_CACHE_NAMES: Final = {  # file names in tiktoken's cache
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
_lock = threading.Lock()


def is_available(encoding: str) -> bool:
    """Return True if tiktoken is installed and has the file; warn if only the file is missing."""
    if importlib.util.find_spec("tiktoken") is None:
        return False
    if _find_folder(encoding) is not None:
        return True
    warnings.warn(
        f"tiktoken is installed but its {encoding} file is not on this machine, so tokens are "
        f"estimated; run tiktoken.get_encoding({shown(encoding)}) once with a network, or set "
        "TIKTOKEN_CACHE_DIR",
        stacklevel=4,
    )
    return False


def encoder(encoding: str) -> Callable[[str], list[int]]:
    """A function that encodes a text into tokens; special tokens are treated as plain text.

    Raises:
        MissingExtra: tiktoken is not installed.
        ConfigError: the encoding is unknown, or its file is not on this machine.
    """
    try:
        import tiktoken
    except ImportError as error:
        raise MissingExtra('tiktoken is missing: pip install "threadkeep[tokens]"') from error
    folder = _find_folder(encoding)
    if folder is None:
        raise ConfigError(
            f"no file of the encoding {shown(encoding)} on this machine; looked in "
            "TIKTOKEN_CACHE_DIR, "
            "DATA_GYM_CACHE_DIR, the temporary folder and llama_index; known: "
            + ", ".join(_CACHE_NAMES)
        )
    with _cache_dir(folder):
        return tiktoken.get_encoding(encoding).encode_ordinary


def _find_folder(encoding: str) -> Path | None:
    """The folder of tiktoken's or llama_index's cache that has the encoding's file."""
    if encoding not in _CACHE_NAMES:
        return None
    return next(
        (folder for folder in _candidate_folders() if (folder / _CACHE_NAMES[encoding]).is_file()),
        None,
    )


def _candidate_folders() -> Iterator[Path]:
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    yield Path(tempfile.gettempdir(), "data-gym-cache")
    try:
        package_spec = importlib.util.find_spec("llama_index.core")
    except ModuleNotFoundError:
        return
    if package_spec and package_spec.origin:
        yield Path(package_spec.origin).parent / "_static" / "tiktoken_cache"


@contextmanager
def _cache_dir(folder: Path) -> Iterator[None]:
    # tiktoken reads its folder from the environment only
    with _lock:
        previous_folder = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        try:
            yield
        finally:
            if previous_folder is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = previous_folder
