"""`long_term_memory_config`: what it says, and a Memory that remembers users as it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from threadkeep.api.memory import Memory
from threadkeep.core.engine import Engine
from threadkeep.core.settings import SUMMARY_TTL
from threadkeep.errors import ConfigError
from threadkeep.service import namespaces, providers, validators
from threadkeep.service.env import expand
from threadkeep.service.providers import Provider

ON: Final = "enable_long_term_memory"
CONFIG: Final = "long_term_memory_config"
_LIFE: Final = "summary_time_to_live"
_LLM: Final = "llm_config"
_STORE: Final = "store_config"


class LongTerm(NamedTuple):
    """What a configuration says of long-term memory.

    Attributes:
        llm: `model`, `api_key`, and `base_url` where it is not OpenAI's own.
        summary_ttl: seconds a summary lives after it was last asked for; 0 = for ever.
        store: where it is kept; `None` = beside the histories.
    """

    llm: Mapping[str, str]
    summary_ttl: float
    store: Provider | None

    @property
    def options(self) -> dict[str, Any]:
        """What `connect` is told."""
        return {"llm": dict(self.llm), "summary_ttl": self.summary_ttl}

    def flat(self) -> dict[str, Any]:
        """Every key with its value, to be compared."""
        store = None if self.store is None else {"type": self.store.kind, **self.store.options}
        return {_LLM: dict(self.llm), _LIFE: self.summary_ttl, _STORE: store}


def read(on: bool, given: object) -> LongTerm | None:
    """What is said of long-term memory; `None` if it is off, then its variables need not be set.

    Raises:
        ConfigError: it makes no sense, or it is on and something is missing; the key is named.
        MissingExtra: its store needs a package that is not installed.
    """
    config = validators.mapping(CONFIG, given, (_LIFE, _LLM, _STORE))
    llm = validators.mapping(_LLM, config.get(_LLM), ("model", "api_key", "base_url"))
    store = validators.mapping(_STORE, config.get(_STORE))
    if not on:
        return None
    if not config:
        raise ConfigError(f"{CONFIG} is missing: {ON} needs it")
    life = validators.seconds(_LIFE, expand(config.get(_LIFE, SUMMARY_TTL), _LIFE))
    return LongTerm(_llm(expand(llm, _LLM)), life or 0.0, _store(expand(store, _STORE)))


def attach(memory: Memory, chosen: LongTerm | None, **options: Any) -> None:
    """Have a Memory keep what it learns of users where every identifier finds it.

    Args:
        memory: of the histories; it closes what is opened here.
        chosen: what the configuration says.
        **options: for the store, if it is one of its own.
    """
    if chosen is not None and chosen.store is not None:
        other = chosen.store.open(namespace=namespaces.DEFAULT, **options)
        memory.engine.keep_apart(other.engine, owned=True)
        return
    own = memory.engine
    if own.settings.namespace != namespaces.DEFAULT:
        beside = replace(own.settings, namespace=namespaces.DEFAULT, retain=(), ttl=None)
        own.keep_apart(Engine(own.backend, beside, owned=False), owned=True)


def _llm(llm: Mapping[str, Any]) -> dict[str, str]:
    found = {key: validators.text(f"{_LLM}.{key}", llm.get(key)) for key in ("model", "api_key")}
    if llm.get("base_url") is not None:
        found["base_url"] = validators.text(f"{_LLM}.base_url", llm["base_url"])
    return found


def _store(store: dict[str, Any]) -> Provider | None:
    if not store:
        return None
    kind = validators.text("type", store.pop("type", "memory"))
    module_path = providers.module_path(store.pop("module_path", None))
    return providers.choose(kind, module_path, store, {"type": None, "module_path": None})
