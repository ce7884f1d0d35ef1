"""`PolicyTraits`: what a window policy declares about itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from threadkeep.errors import ConfigError
from threadkeep.printable import shown
from threadkeep.protocols import Policy


@dataclass(frozen=True, slots=True)
class PolicyTraits:
    """What a policy declares about itself, as its attribute `traits`; the defaults assume nothing.

    Attributes:
        reach: how many items the first read should bring, if the policy has a `need`.
        least: how many of the newest items are always read.
        head: how many of the first items of the session are read for its `pin`.
        step: whether its front moves in steps, so that reading stops only at its `need`.
        sound: it keeps tool groups whole, the newest user turn and the last step by itself, so
            its result is not repaired.
        filters: it chooses by kind, so the newest user turn and the last step may go.
        merges: it puts several items into one, so an item that is gone is not left out.
        readable: the model has the tool `read_more`, so markers name what it needs.
        part: it returns a part of the items it got, and neither stores nor changes any, so it
            may be given shared ones.
    """

    reach: int = 64
    least: int = 0
    head: int = 0
    step: bool = False
    sound: bool = False
    filters: bool = False
    merges: bool = False
    readable: bool = False
    part: bool = False


_DEFAULTS: Final = PolicyTraits()
_NONE: Final = PolicyTraits(part=True)


def traits_of(policy: Policy) -> PolicyTraits:
    """The traits of a policy; the defaults for one that declares none.

    Raises:
        ConfigError: its attribute `traits` is no `PolicyTraits`.
    """
    traits = getattr(policy, "traits", _DEFAULTS)
    if not isinstance(traits, PolicyTraits):
        raise ConfigError(
            f"the traits of the policy {shown(policy)} must be PolicyTraits(...), "
            f"got {type(traits).__name__}"
        )
    return traits


def joint_traits(policies: Sequence[Policy]) -> PolicyTraits:
    """The traits of policies that are applied one after the other.

    `sound`, `filters`, `merges` and `step` concern each policy by itself, and are left out.

    Raises:
        ConfigError: as for `traits_of`.
    """
    if len(policies) == 1:
        return traits_of(policies[0])
    all_traits = [traits_of(policy) for policy in policies]
    if not all_traits:
        return _NONE
    return PolicyTraits(
        reach=min(traits.reach for traits in all_traits),
        least=max(traits.least for traits in all_traits),
        head=max(traits.head for traits in all_traits),
        readable=any(traits.readable for traits in all_traits),
        part=all(traits.part for traits in all_traits),
    )
