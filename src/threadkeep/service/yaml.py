"""Finds the configuration block of the history service in a YAML file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from threadkeep.errors import ConfigError, MissingExtra, did_you_mean
from threadkeep.printable import shown
from threadkeep.service.settings import NESTED_KEY, SERVICE_KEYS

_BLOCK_KEYS: Final = (NESTED_KEY, "history_config")
_SIBLING_KEYS: Final = {"type", "module_path", *SERVICE_KEYS} - {"max_turns", "max_characters"}

Block = Mapping[str, Any]


def load(path: str | os.PathLike[str], key: str | None = None) -> Block:
    """The configuration in a YAML file.

    Args:
        path: the file.
        key: the key of the block, at any depth; by default the whole file if it is such a
            block, else the block under `history_policy` or `history_config`.

    Raises:
        ConfigError: the file cannot be read, or holds no such block, or several that differ.
        MissingExtra: PyYAML is not installed.
    """
    document = _parse(Path(path))
    try:
        blocks = list(
            _blocks_under(document, key, set()) if key else _candidate_blocks(document, set())
        )
        variants = [block for index, block in enumerate(blocks) if block not in blocks[:index]]
    except RecursionError as error:
        raise ConfigError(f"{path}: the document contains itself, or is nested too deep") from error
    if len(variants) > 1:
        raise ConfigError(
            f"{path}: {len(variants)} blocks under {key or ' or '.join(_BLOCK_KEYS)} differ; name "
            "the one that is meant by key=, or give it a name of its own"
        )
    if not variants:
        raise ConfigError(
            f"{path}: no {shown(key or NESTED_KEY)} with keys below it{_hint(document, key)}"
        )
    return variants[0]


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
        error_mark = getattr(error, "problem_mark", None)
        location = f"{path}, line {error_mark.line + 1}" if error_mark else f"{path}"
        problem = getattr(error, "problem", None) or "not a text that YAML allows"
        raise ConfigError(f"{location}: this is not YAML: {problem}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: this is not YAML: {type(error).__name__}") from None


def _candidate_blocks(node: object, visited_ids: set[int]) -> Iterator[Block]:
    """Candidate configurations, outermost first; blocks are not searched further."""
    if isinstance(node, Mapping) and not visited_ids and node.keys() & SERVICE_KEYS.keys():
        yield node
        return
    for key, child in _children(node, visited_ids):
        if isinstance(node, Mapping) and key == NESTED_KEY and node.keys() & _SIBLING_KEYS:
            yield _mark_nested(node, visited_ids)
        elif isinstance(child, Mapping) and key in _BLOCK_KEYS and id(child) not in visited_ids:
            yield _mark_nested(child, visited_ids)
        else:
            yield from _candidate_blocks(child, visited_ids)


def _blocks_under(node: object, key: str, visited_ids: set[int]) -> Iterator[Block]:
    for key_name, child in _children(node, visited_ids):
        if isinstance(child, Mapping) and key_name == key and id(child) not in visited_ids:
            yield _mark_nested(child, visited_ids)
        else:
            yield from _blocks_under(child, key, visited_ids)


def _mark_nested(block: Block, visited_ids: set[int]) -> Block:
    """Mark the nested nodes of a block as visited: an anchor merged elsewhere is no other block."""
    for _, child in _children(block, visited_ids):
        if isinstance(child, Mapping):
            _mark_nested(child, visited_ids)
    return block


def _children(node: object, visited_ids: set[int]) -> list[tuple[object, object]]:
    """The children of a node with their keys; none for a visited node, as in cycles of anchors."""
    if not isinstance(node, (Mapping, list)) or id(node) in visited_ids:
        return []
    visited_ids.add(id(node))
    return list(node.items()) if isinstance(node, Mapping) else [(None, child) for child in node]


def _hint(document: object, key: str | None) -> str:
    if key is None:
        return "; pass key= if the block has another name"
    return did_you_mean(key, _names(document, set()))


def _names(node: object, visited_ids: set[int]) -> Iterator[str]:
    for name, child in _children(node, visited_ids):
        if isinstance(name, str) and isinstance(child, Mapping):
            yield name
        yield from _names(child, visited_ids)
