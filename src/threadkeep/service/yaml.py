"""The block of the history service in a YAML file, wherever it stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from threadkeep.errors import ConfigError, MissingExtra, did_you_mean
from threadkeep.service.settings import NEST, OURS

_HOMES: Final = (NEST, "history_config")
_OUTSIDE: Final = {"type", "module_path", *OURS} - {"max_turns", "max_characters"}

Block = Mapping[str, Any]


def load(path: str | os.PathLike[str], key: str | None = None) -> Block:
    """The configuration in a YAML file.

    Args:
        path: the file.
        key: what the block stands under, at any depth; unless given, the whole file if it is
            such a block, else what stands under `history_policy` or `history_config`.

    Raises:
        ConfigError: the file cannot be read, or holds no such block, or several that differ.
        MissingExtra: PyYAML is not installed.
    """
    document = _parse(Path(path))
    try:
        found = list(_under(document, key, set()) if key else _blocks(document, set()))
        distinct = [block for n, block in enumerate(found) if block not in found[:n]]
    except RecursionError as error:
        raise ConfigError(f"{path}: the document contains itself, or is nested too deep") from error
    if len(distinct) > 1:
        raise ConfigError(
            f"{path}: {len(distinct)} blocks under {key or ' or '.join(_HOMES)} differ; name the "
            "one that is meant by key=, or give it a name of its own"
        )
    if not distinct:
        raise ConfigError(f"{path}: no {key or NEST!r} with keys below it{_hint(document, key)}")
    return distinct[0]


def _parse(path: Path) -> object:
    try:
        import yaml
    except ImportError as error:
        raise MissingExtra(
            'YAML needs the package PyYAML: pip install "threadkeep[yaml]"'
        ) from error
    try:
        return yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else f"{path}"
        problem = getattr(error, "problem", None) or "not a text that YAML allows"
        raise ConfigError(f"{where}: this is no YAML: {problem}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: this is no YAML: {type(error).__name__}") from None


def _blocks(node: object, seen: set[int]) -> Iterator[Block]:
    """What may be configurations, outermost first; a block is not searched for others."""
    if isinstance(node, Mapping) and not seen and node.keys() & OURS.keys():
        yield node
        return
    for name, value in _children(node, seen):
        if isinstance(node, Mapping) and name == NEST and node.keys() & _OUTSIDE:
            yield _whole(node, seen)
        elif isinstance(value, Mapping) and name in _HOMES and id(value) not in seen:
            yield _whole(value, seen)
        else:
            yield from _blocks(value, seen)


def _under(node: object, key: str, seen: set[int]) -> Iterator[Block]:
    for name, value in _children(node, seen):
        if isinstance(value, Mapping) and name == key and id(value) not in seen:
            yield _whole(value, seen)
        else:
            yield from _under(value, key, seen)


def _whole(block: Block, seen: set[int]) -> Block:
    """The block, with all that is part of it marked: merged elsewhere, it is no other block."""
    for _, value in _children(block, seen):
        if isinstance(value, Mapping):
            _whole(value, seen)
    return block


def _children(node: object, seen: set[int]) -> list[tuple[object, object]]:
    """What stands below, by its key; of each node once, as anchors may lead back to it."""
    if not isinstance(node, (Mapping, list)) or id(node) in seen:
        return []
    seen.add(id(node))
    return list(node.items()) if isinstance(node, Mapping) else [(None, one) for one in node]


def _hint(document: object, key: str | None) -> str:
    if key is None:
        return "; pass key= if the block has another name"
    return did_you_mean(key, _names(document, set()))


def _names(node: object, seen: set[int]) -> Iterator[str]:
    for name, value in _children(node, seen):
        if isinstance(name, str) and isinstance(value, Mapping):
            yield name
        yield from _names(value, seen)
