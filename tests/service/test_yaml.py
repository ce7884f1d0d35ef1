"""Configurations in YAML, wherever the block stands."""

import subprocess
import sys
import textwrap

import pytest

from threadkeep.errors import ConfigError, MissingExtra
from threadkeep.service import HistoryService, yaml
from threadkeep.service.history_policy import HistoryPolicy

GATEWAY = """
    log:
      stdout_log_level: INFO
    shared_config:
      - broker_config: &broker_connection
          dev_mode: ${SOLACE_DEV_MODE, false}
          broker_url: ${NO_SUCH_BROKER}
      - history_policy: &default_history_policy
          type: "memory" # History Provider
          module_path: . # Not required if using one of the existing History Providers
          time_to_live: 60000
          expiration_check_interval: ${INTERVAL}
          history_policy:
            max_turns: 7
            max_characters: 5000
            enforce_alternate_message_roles: true
    flows:
      - name: gateway_input_flow
        components:
          - component_name: gateway_input
            component_config:
              history_config:
                <<: *default_history_policy
              max_turns: not ours
    """


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERVAL", "90")

    def write(text):
        path = tmp_path / "gateway.yaml"
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    return write


@pytest.mark.proves("A32")
@pytest.mark.parametrize("key", [None, "history_policy", "history_config"])
def test_the_block_of_a_gateway_is_found(written, key):
    service = HistoryService.from_yaml(written(GATEWAY), key, identifier="gateway")
    assert service._settings.service["expiration_check_interval"] == 90
    assert service._settings.retain == HistoryPolicy(5_000, 7, merge=True)
    service.store_history("s", "user", "Hello")
    assert service.get_history("s") == [{"role": "user", "content": "Hello"}]


@pytest.mark.proves("A32")
@pytest.mark.parametrize(
    "text",
    [
        "{type: memory, history_policy: {max_turns: 7}}",
        "type: memory\nmax_turns: 7",
        "history_policy:\n  max_turns: 7",
        "- history_policy: &anchor\n    max_turns: 7\n- other: *anchor",
        "services:\n  history_service:\n    type: memory\n    history_policy: {max_turns: 7}",
        "a: {history_policy: {max_turns: 7}}\nb: [{history_policy: {max_turns: 7}}]",
        "base: &base {type: memory, max_turns: 3}\nhistory_config: {<<: *base, max_turns: 7}",
    ],
)
def test_a_block_is_found_wherever_it_stands(written, text):
    service = HistoryService.from_yaml(written(text))
    assert service._settings.policy.max_turns == 7


@pytest.mark.proves("A32")
def test_a_key_chooses_among_several(written):
    path = written("""
        web: {type: memory, max_turns: 1}
        mail: {type: memory, max_turns: 2}
        """)
    web = HistoryService.from_yaml(path, "web", identifier="web")
    mail = HistoryService.from_yaml(path, key="mail", identifier="mail")
    assert [one._settings.policy.max_turns for one in (web, mail)] == [1, 2]


@pytest.mark.parametrize(
    ("said", "text", "key"),
    [
        ("no 'history_policy' with keys below it", "other: 1", None),
        ("no 'history_policy' with keys below it", "", None),
        ("no 'web' with keys below it; did you mean 'webb'", "webb: {max_turns: 1}", "web"),
        (
            "2 blocks under",
            "a: {history_policy: {max_turns: 1}}\nhistory_policy: {max_turns: 2}",
            None,
        ),
        ("line 2: this is not YAML: found undefined alias", "a: 1\nb: *nowhere", None),
        ("line 1: this is not YAML: could not determine", "!!python/object:os.system {}", None),
        ("this is not YAML", "at: 2026-99-99", None),
        ("this is not YAML", "a: 1\n---\nb: 2", None),
        ("contains itself", "history_policy: &a {history_policy: *a}", None),
        ("max_turns must be", "history_policy: {max_turns: many}", None),
        (
            "max_turns: the environment variable NOT_SET",
            "history_policy: {max_turns: '${NOT_SET}'}",
            None,
        ),
        ("keys must be str", "history_policy: {7: 8}", None),
    ],
)
def test_a_bad_file_is_an_error_that_says_where(written, said, text, key):
    with pytest.raises(ConfigError, match=said):
        HistoryService.from_yaml(written(text), key)


def test_anchors_that_lead_back_are_no_endless_search(written):
    block = "a: &a {again: *a, list: [*a, {history_policy: {max_turns: 7}}]}"
    assert yaml.load(written(block)) == {"max_turns": 7}


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path):
    for path in (tmp_path, tmp_path / "missing.yaml"):
        with pytest.raises(ConfigError, match=f"{path} cannot be read"):
            HistoryService.from_yaml(path)
    (tmp_path / "latin.yaml").write_bytes(b"type: m\xe9moire")
    with pytest.raises(ConfigError, match="this is not YAML"):
        HistoryService.from_yaml(tmp_path / "latin.yaml")


@pytest.mark.proves("A23")
def test_without_the_package_the_error_says_what_to_install(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtra, match=r'pip install "threadkeep\[yaml\]"'):
        HistoryService.from_yaml(written("type: memory"))
    assert issubclass(MissingExtra, ImportError)


def test_the_service_needs_no_package():
    code = "import sys; sys.modules['yaml'] = None; from threadkeep.service import HistoryService; "
    code += "HistoryService({}).store_history('s', 'user', 'Hello')"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
