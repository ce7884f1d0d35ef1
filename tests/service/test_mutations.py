"""Bad configurations, mutated from good ones: each is refused by the name of a key at fault."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadkeep.errors import ConfigError, MissingExtra
from threadkeep.service import HistoryService

SECRET = "hunter2hunter2"
VALID = [
    {"type": "memory", "time_to_live": 60, "history_policy": {"max_turns": 3, "max_sessions": 9}},
    {"type": "sqlite", "path": "a.db", "timeout": 5, "pool_size": 2, "max_characters": 100},
    {
        "type": "file",
        "expiration_check_interval": 9,
        "history_policy": {"path": "a", "fsync": True},
    },
    {
        "type": "none",
        "retention": "all",
        "enforce_alternate_message_roles": False,
        "enable_long_term_memory": False,
        "long_term_memory_config": {"llm_config": {"model": "m", "api_key": SECRET}},
    },
    {"type": "custom", "module_path": "tests.service.shelf", "history_policy": {"max_turns": 1}},
]
NUMBERS = {"time_to_live", "max_turns", "max_sessions", "timeout", "pool_size", "max_characters"}
JUNK = st.one_of(
    st.sampled_from([SECRET, "", -1, -0.5, float("nan"), float("inf"), 10**30, "${NOT_SET_EVER}"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["a", 1]), st.none(), min_size=1, max_size=2),
    st.builds(object),
    st.binary(max_size=3),
)


def places(config):
    """Every key, with the dict it stands in."""
    for key, value in config.items():
        yield config, key
        if key in ("history_policy", "long_term_memory_config", "llm_config"):
            yield from places(value)


@st.composite
def broken(draw):
    """A valid configuration with one thing wrong, and the key at fault."""
    config = copy.deepcopy(draw(st.sampled_from(VALID)))
    where, key = draw(st.sampled_from(list(places(config))))
    match draw(st.sampled_from(["value", "value", "name", "twice", "number"])):
        case "name" if config["type"] != "custom":
            wrong = draw(st.sampled_from([key[1:], key + "s", key.upper(), key[:-1] + "_"]))
            where[wrong] = where.pop(key)
            return config, [wrong, key]
        case "twice" if where is config.get("history_policy"):
            config[key] = "another value"
            return config, [key]
        case "number" if key not in {*NUMBERS, "model", "api_key", "expiration_check_interval"}:
            where[key] = draw(st.integers(2, 9))
            return config, [key]
        case _:
            junk = JUNK.filter(lambda junk: not _is_right(key, junk))
            if config["type"] == "custom":  # takes keys of any name
                junk = junk.filter(lambda junk: not isinstance(junk, dict))
            where[key] = draw(junk)
            return config, [key]


def _is_right(key, junk):
    if key in ("path", "model", "api_key"):
        return isinstance(junk, str) or key != "path"
    empty = key in ("history_policy", "long_term_memory_config", "llm_config") and junk == {}
    large = key in ("max_turns", "max_characters", "max_sessions", "pool_size") and junk == 10**30
    return empty or large


@settings(max_examples=300)
@given(broken())
@pytest.mark.slow
def test_a_broken_configuration_is_refused_by_name(case):
    config, keys = case
    with pytest.raises((ConfigError, MissingExtra)) as refused:
        HistoryService(config, identifier="broken").close()
    said = str(refused.value)
    assert any(key in said for key in keys), f"{said} names none of {keys}"
    assert SECRET not in said or keys[0] in ("type", "module_path"), "these are no secrets"
