"""Parse `window=` and the keywords of `chat.window` into a list of policies."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Final

from threadkeep.errors import ConfigError, did_you_mean
from threadkeep.printable import shown
from threadkeep.protocols import Policy, TokenCounter
from threadkeep.window.policies.filters import keep_system, max_age, only
from threadkeep.window.policies.limits import (
    max_characters,
    max_exchanges,
    max_messages,
    max_tokens,
    max_turns,
)
from threadkeep.window.policies.media import max_media
from threadkeep.window.policies.merge_roles import alternate_roles
from threadkeep.window.policies.times import with_times
from threadkeep.window.policies.tool_results import max_tool_result
from threadkeep.window.policies.units import check_step

VIEWS: Final[Mapping[str, Callable[..., Policy]]] = {
    "max_tool_result": max_tool_result,
    "max_media": max_media,
}
"""What `window=` also accepts by name: how items are shown, before budgets count them."""

BUDGETS: Final[Mapping[str, Callable[..., Policy]]] = {
    "max_turns": max_turns,
    "max_exchanges": max_exchanges,
    "max_messages": max_messages,
    "max_characters": max_characters,
    "max_tokens": max_tokens,
    "max_age": max_age,
}
"""The limits that `window=` and `chat.window` accept by name."""

_STEPPED: Final = BUDGETS.keys() - {"max_age"}
_COUNTING: Final = ("max_tokens", "max_tool_result")
_FACTORY_BY_NAME: Final = {**VIEWS, **BUDGETS}

_MAX_NESTING: Final = 8  # lists in lists of policies
FACTORIES: Final = (
    *VIEWS.values(),
    *BUDGETS.values(),
    alternate_roles,
    keep_system,
    only,
    with_times,
)


def from_options(
    options: Mapping[str, Any],
    *,
    counter: TokenCounter | None = None,
    step: float | None = None,
    owner: str = "window",
) -> list[Policy]:
    """The policies of `{"max_tokens": 3000, "max_turns": 40}`; a value of `None` is no limit.

    Args:
        owner: what has the options, for errors.

    Raises:
        ConfigError: a name is unknown, a limit is invalid, or `step` stands without a limit that
            has steps.
    """
    if step and not any(name in _STEPPED and options[name] is not None for name in options):
        raise ConfigError(
            f"step={shown(step)} belongs to a limit such as max_tokens (max_age has no steps): "
            "name one beside it, or give it to the policy: max_tokens(3000, step=0.5)"
        )
    views: list[Policy] = []
    budgets: list[Policy] = []
    for name, limit in options.items():
        if name not in _FACTORY_BY_NAME:
            option_names = [*_FACTORY_BY_NAME, "step"]
            raise ConfigError(f"{owner}: no option {shown(name)}{did_you_mean(name, option_names)}")
        if limit is None:
            continue
        target_list = views if name in VIEWS else budgets
        if counter is None and type(limit) is int and type(step) in (float, NoneType):
            target_list.append(_shared_policy(name, limit, step))
        else:
            target_list.append(_policy(name, limit, step, counter))
    return views + budgets


def _policy(name: str, limit: Any, step: float | None, counter: TokenCounter | None) -> Policy:
    extra_options: dict[str, Any] = {}
    if name in _STEPPED:
        extra_options["step"] = check_step(step or 0.0)
    if name in _COUNTING:
        extra_options["counter"] = counter
    return _FACTORY_BY_NAME[name](limit, **extra_options)


@functools.lru_cache(64)
def _shared_policy(name: str, limit: int, step: float | None) -> Policy:
    """As `_policy`; a policy keeps nothing of a window, so that one serves every turn."""
    return _policy(name, limit, step, None)


def as_policies(
    window: object,
    name: str = "window",
    *,
    counter: TokenCounter | None = None,
    _nesting: int = 0,
) -> list[Policy]:
    """Normalize `window=` or `policy=` to a list: a policy, a list of them, a dict or `None`.

    Args:
        counter: for dicts that name none.

    Raises:
        ConfigError: it is none of these.
    """
    if window is None:
        return []
    if isinstance(window, Mapping):
        options = dict(window)
        step, own_counter = options.pop("step", None), options.pop("counter", None)
        if own_counter is not None and all(options.get(limit) is None for limit in _COUNTING):
            raise ConfigError(
                f"{name}: counter belongs to a limit such as max_tokens: name one beside it"
            )
        return from_options(options, counter=own_counter or counter, step=step, owner=name)
    if isinstance(window, (list, tuple)):
        nested_lists = [entry for entry in window if isinstance(entry, (list, tuple))]
        if nested_lists and _nesting >= _MAX_NESTING:
            raise ConfigError(f"{name}: lists of policies are nested too deeply")
        return [
            policy
            for entry in window
            for policy in as_policies(entry, name, counter=counter, _nesting=_nesting + 1)
        ]
    if window in FACTORIES:
        factory_name = getattr(window, "__name__", "")
        raise ConfigError(f"{name}: {factory_name} makes a policy, call it: {factory_name}(...)")
    if callable(window):
        return [window]
    raise ConfigError(
        f"{name} must be a policy, a list of policies, or a dict such as {{'max_tokens': 3000}}, "
        f"got {type(window).__name__}"
    )
