"""What a configuration may say, where, and what is said of one that makes no sense."""

import pytest

from threadkeep.errors import ConfigError
from threadkeep.service import HistoryService
from threadkeep.service.settings import parse_settings


@pytest.mark.proves("A3", "A17")
def test_no_key_is_needed(serve):
    service = serve()
    assert repr(service).endswith("type='memory'>")
    service.store_history("s", "user", "Hello")
    assert service.get_history("s") == [{"role": "user", "content": "Hello"}]


@pytest.mark.proves("A4", "A5", "A6", "A7", "A8")
def test_the_defaults():
    settings = parse_settings({})
    assert dict(settings.service) == {
        "type": "memory",
        "time_to_live": 3600,
        "expiration_check_interval": 300,
        "max_characters": 50_000,
        "max_turns": 40,
        "enforce_alternate_message_roles": True,
        "retention": "policy",
        "enable_long_term_memory": False,
    }


@pytest.mark.proves("A3")
@pytest.mark.parametrize("kind", ["memory", "none"])
def test_the_type_names_the_provider(serve, kind):
    service = serve(type=kind)
    service.store_history("s", "user", "Hello")
    assert len(service.get_history("s")) == (kind == "memory")


@pytest.mark.proves("A17")
@pytest.mark.filterwarnings("ignore:the memory backend holds 2 sessions")
def test_the_memory_provider_forgets_the_least_recently_used_session(serve):
    service = serve(max_sessions=2)
    for session in ("a", "b", "a", "c"):
        service.store_history(session, "user", "Hello")
    assert [bool(service.get_history(session)) for session in "abc"] == [True, False, True]


@pytest.mark.proves("A24")
@pytest.mark.parametrize(
    "config",
    [
        {"type": "sqlite", "path": "history.db", "max_turns": 3},
        {"type": "sqlite", "history_policy": {"path": "history.db", "max_turns": 3}},
        {"type": "sqlite", "path": "history.db", "history_policy": {"max_turns": 3}},
        {
            "history_policy": {
                "type": "sqlite",
                "history_policy": {"path": "history.db", "max_turns": 3},
            }
        },
        {
            "type": "sqlite",
            "path": "history.db",
            "max_turns": 3,
            "history_policy": {"max_turns": 3},
        },
    ],
)
def test_a_key_may_stand_in_the_policy_or_beside_the_type(config):
    settings = parse_settings(config)
    assert settings.provider[:2] == ("sqlite", {"path": "history.db"})
    assert settings.policy.max_turns == 3


@pytest.mark.proves("A24")
@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("path", {"type": "sqlite", "path": "a", "history_policy": {"path": "b"}}),
        ("max_turns", {"max_turns": 4, "history_policy": {"max_turns": 5}}),
        ("shelf", {"type": "x:Y", "shelf": [1], "history_policy": {"shelf": [2]}}),
    ],
)
def test_a_key_with_two_values_is_an_error(key, config):
    with pytest.raises(ConfigError, match=f"{key} is given twice"):
        parse_settings(config)


@pytest.mark.proves("A9")
@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"max_turn": 3}, "'max_turn'; did you mean 'max_turns'"),
        (
            {"history_policy": {"max_character": 3}},
            "'max_character'; did you mean 'max_characters'",
        ),
        ({"type": "sqlite", "path": "a", "pathh": "b"}, "'pathh'; did you mean 'path'"),
        ({"time_to_life": 3}, "'time_to_life'; did you mean 'time_to_live'"),
        ({"custom_key_1": "x"}, "'custom_key_1'"),
    ],
)
def test_an_unknown_key_of_ours_is_an_error_with_the_nearest_right_one(config, said):
    with pytest.raises(ConfigError, match=said):
        parse_settings(config)


WRONG = [
    ("type", 7),
    ("type", ""),
    ("type", "postgress"),
    ("type", "postgresql://ada:hunter2@db/history"),
    ("time_to_live", -1),
    ("time_to_live", "1 hour"),
    ("time_to_live", True),
    ("time_to_live", float("inf")),
    ("time_to_live", 10**400),
    ("expiration_check_interval", -0.5),
    ("expiration_check_interval", float("nan")),
    ("history_policy", [1]),
    ("history_policy", {7: "max_turns"}),
    ("max_characters", -1),
    ("max_characters", 1.5),
    ("max_turns", 0),
    ("max_turns", "forty"),
    ("max_turns", False),
    ("enforce_alternate_message_roles", "perhaps"),
    ("enforce_alternate_message_roles", 1),
    ("retention", "some"),
    ("retention", ["policy"]),
    ("module_path", 7),
    ("max_sessions", 0),
    ("enable_long_term_memory", "often"),
    ("long_term_memory_config", "on"),
    ("long_term_memory_config", {"llm": {}}),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_value_is_an_error_that_names_its_key(key, value):
    with pytest.raises(ConfigError, match=key) as refused:
        HistoryService({key: value}, identifier="wrong")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("config", [[], "memory", 7, {7: 8}])
def test_what_is_no_configuration_is_refused(config):
    with pytest.raises(ConfigError, match="the configuration"):
        HistoryService(config, identifier="wrong")


def test_a_configuration_that_contains_itself_is_refused():
    config: dict = {}
    config["history_policy"] = config
    with pytest.raises(ConfigError, match="contains itself"):
        parse_settings(config)


@pytest.mark.parametrize("identifier", ["", 7, ["a"]])
def test_a_wrong_identifier_is_refused(identifier):
    with pytest.raises(ConfigError, match="identifier"):
        HistoryService({}, identifier=identifier)


LONG_TERM = {
    "summary_time_to_live": 432_000,
    "llm_config": {"model": "gpt-5", "api_key": "hunter2", "base_url": "http://localhost"},
    "store_config": {"type": "sqlite", "module_path": ".", "path": "/tmp/history"},
}


@pytest.mark.parametrize(
    ("said", "config"),
    [
        ("long_term_memory_config is missing", None),
        ("llm_config.api_key must be", {**LONG_TERM, "llm_config": {"model": "gpt-5"}}),
        ("llm_config.model must be", {"summary_time_to_live": 5}),
        ("NOT_SET is not set", {**LONG_TERM, "llm_config": {"model": "${NOT_SET}"}}),
        ("has no key .typ.", {**LONG_TERM, "store_config": {"typ": "file"}}),
        ("summary_time_to_live must be", {**LONG_TERM, "summary_time_to_live": "long"}),
        ("llm_config.model must be", {**LONG_TERM, "llm_config": {"api_key": "hunter2"}}),
        ("llm_config has no key 'modell'", {**LONG_TERM, "llm_config": {"modell": "gpt-5"}}),
        ("path is missing", {**LONG_TERM, "store_config": {"type": "file"}}),
    ],
)
@pytest.mark.proves("A26")
@pytest.mark.proves("A28")
def test_long_term_memory_is_checked_at_construction(said, config):
    given = {"enable_long_term_memory": True, "long_term_memory_config": config}
    with pytest.raises(ConfigError, match=said) as refused:
        parse_settings(given)
    assert "hunter2" not in str(refused.value)


def test_variables_of_long_term_memory_need_not_be_set_while_it_is_off():
    llm = {"model": "${NOT_SET}", "api_key": "${NOT_SET}", "base_url": "${NOT_SET}"}
    assert parse_settings({"long_term_memory_config": {**LONG_TERM, "llm_config": llm}})


def test_an_environment_variable_may_stand_for_any_value(monkeypatch):
    monkeypatch.setenv("FOLDER", "/srv/history")
    monkeypatch.setenv("TURNS", "7")
    monkeypatch.setenv("MERGE", "False")
    settings = parse_settings(
        {
            "type": "sqlite",
            "path": "${FOLDER}/${NAME, chat.db}",
            "history_policy": {
                "max_turns": "${TURNS}",
                "enforce_alternate_message_roles": "${MERGE}",
            },
        }
    )
    assert settings.provider.options == {"path": "/srv/history/chat.db"}
    assert (settings.policy.max_turns, settings.policy.merge) == (7, False)


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("path", {"type": "sqlite", "path": "${NOT_SET}/a"}),
        ("max_turns", {"history_policy": {"max_turns": "${NOT_SET}"}}),
        (r"nested.deep\[1\]", {"type": "x:Y", "nested": {"deep": ["", "${NOT_SET}"]}}),
    ],
)
def test_a_variable_that_is_not_set_is_named_with_its_key(key, config):
    with pytest.raises(ConfigError, match=f"{key}: the environment variable NOT_SET is not set"):
        parse_settings(config)
