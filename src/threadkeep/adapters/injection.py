"""What `inject=` of an adapter means: how much of long-term memory a model is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from threadkeep.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Injection:
    """How much a model is told.

    Attributes:
        max_tokens: of everything, at most.
        recall: whether what the user says is looked for in earlier conversations.
    """

    max_tokens: int = 800
    recall: bool = True


def injection(inject: object) -> Injection | None:
    """What was chosen; `None` = nothing is told.

    Raises:
        ConfigError: it is neither a flag nor a dict of what an `Injection` has.
    """
    if isinstance(inject, bool):
        return Injection() if inject else None
    known = {field.name for field in fields(Injection)}
    if not isinstance(inject, Mapping) or not inject.keys() <= known:
        raise ConfigError(
            f"inject must be True, False or a dict with {' and '.join(sorted(known))}, "
            f"got {inject!r}"
        )
    made = Injection(**inject)
    if type(made.max_tokens) is not int or made.max_tokens < 1 or type(made.recall) is not bool:
        raise ConfigError(
            "inject: max_tokens must be a whole number of at least 1, and recall True or False"
        )
    return made
