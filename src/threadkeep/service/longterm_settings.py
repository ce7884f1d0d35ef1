"""Parses `long_term_memory_config` and attaches the long-term store to a Memory."""

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
from threadkeep.service.providers import ProviderConfig

ENABLED_KEY: Final = "enable_long_term_memory"
CONFIG_KEY: Final = "long_term_memory_config"
_SUMMARY_TTL: Final = "summary_time_to_live"
_LLM: Final = "llm_config"
_STORE: Final = "store_config"


class LongTermSettings(NamedTuple):
    """The settings of long-term memory.

    Attributes:
        llm: `model`, `api_key`, and `base_url` where it is not OpenAI's own.
        summary_ttl: seconds a summary lives after its last use; 0 = for ever.
        store: its own store; `None` = that of the histories.
    """

    llm: Mapping[str, str]
    summary_ttl: float
    store: ProviderConfig | None

    @property
    def options(self) -> dict[str, Any]:
        """The options for `connect`."""
        return {"llm": dict(self.llm), "summary_ttl": self.summary_ttl}

    def flat(self) -> dict[str, Any]:
        """Every key with its value, for comparison."""
        store = None if self.store is None else {"type": self.store.kind, **self.store.options}
        return {_LLM: dict(self.llm), _SUMMARY_TTL: self.summary_ttl, _STORE: store}


def parse(enabled: bool, section: object) -> LongTermSettings | None:
    """The long-term settings; `None` if it is off, and then its variables may be unset.

    Raises:
        ConfigError: a key is invalid, or missing while it is on; the error names the key.
        MissingExtra: its store needs a package that is not installed.
    """
    config = validators.mapping(CONFIG_KEY, section, (_SUMMARY_TTL, _LLM, _STORE))
    llm = validators.mapping(_LLM, config.get(_LLM), ("model", "api_key", "base_url"))
    store = validators.mapping(_STORE, config.get(_STORE))
    if not enabled:
        return None
    if not config:
        raise ConfigError(f"{CONFIG_KEY} is missing: {ENABLED_KEY} needs it")
    summary_ttl = validators.seconds(
        _SUMMARY_TTL, expand(config.get(_SUMMARY_TTL, SUMMARY_TTL), _SUMMARY_TTL)
    )
    return LongTermSettings(
        _llm_options(expand(llm, _LLM)), summary_ttl or 0.0, _store_provider(expand(store, _STORE))
    )


def attach(memory: Memory, longterm: LongTermSettings | None, **options: Any) -> None:
    """Attach the long-term store, which services of all identifiers share, to a Memory.

    Args:
        memory: of the histories; it closes the long-term store.
        longterm: the long-term settings.
        **options: for `connect`, if the settings name another store.
    """
    if longterm is not None and longterm.store is not None:
        store_memory = longterm.store.open(namespace=namespaces.DEFAULT, **options)
        memory._engine.use_longterm_store(store_memory._engine, owned=True)
        return
    engine = memory._engine
    if engine.settings.namespace != namespaces.DEFAULT:
        user_settings = replace(engine.settings, namespace=namespaces.DEFAULT, retain=(), ttl=None)
        engine.use_longterm_store(Engine(engine.backend, user_settings, owned=False), owned=True)


def _llm_options(raw_options: Mapping[str, Any]) -> dict[str, str]:
    llm_options = {
        key: validators.text(f"{_LLM}.{key}", raw_options.get(key)) for key in ("model", "api_key")
    }
    if raw_options.get("base_url") is not None:
        llm_options["base_url"] = validators.text(f"{_LLM}.base_url", raw_options["base_url"])
    return llm_options


def _store_provider(store: dict[str, Any]) -> ProviderConfig | None:
    if not store:
        return None
    store_kind = validators.text("type", store.pop("type", "memory"))
    module_path = providers.module_path(store.pop("module_path", None))
    return providers.choose(store_kind, module_path, store, {"type": None, "module_path": None})
