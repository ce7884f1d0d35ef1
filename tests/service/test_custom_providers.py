"""Providers of other people: how they are found, built, and refused."""

import functools
import importlib.metadata
from importlib.metadata import EntryPoint, EntryPoints

import pytest

import threadkeep
from tests.service import drawer, shelf, shelves
from threadkeep.config import plugins
from threadkeep.errors import ConfigError
from threadkeep.testing.concurrency import run_in_threads


@pytest.mark.proves("A22")
@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"type": "custom", "module_path": "tests.service.shelf"}, shelf.ShelfProvider),
        ({"type": "Plain", "module_path": "tests.service.shelves"}, shelves.Plain),
        ({"type": "tests.service.shelves:Plain"}, shelves.Plain),
        ({"type": "custom", "module_path": "tests.service.shelves:Plain"}, shelves.Plain),
        ({"type": "tests.service.shelves:make"}, shelves.Plain),
        ({"type": "tests.service.shelves:Plain", "max_sessions": 3}, shelves.Plain),
    ],
)
def test_a_provider_is_found(serve, config, kind):
    service = serve(config)
    service.store_history("s", "user", "Hello")
    assert type(service.memory._engine.backend) is kind
    assert service.get_history("s") == [{"role": "user", "content": "Hello"}]


@pytest.mark.proves("A22")
def test_a_history_provider_of_the_page_is_loaded_with_its_keys(serve):
    """`BaseHistoryProvider` and `module_path`, as Solace Agent Mesh's page shows them."""
    config = {
        "type": "custom",
        "module_path": "tests.service.drawer",
        "time_to_live": 60,
        "history_policy": {"max_turns": 2, "custom_key_1": "oak", "custom_key_2": 7},
    }
    service = serve(config)
    for n in range(3):
        service.store_history("s", "user", f"Hello {n}", identity="ada")
        service.store_history("s", "assistant", {"n": n})
    service.store_file("s", {"name": "a.csv"})
    assert [entry["content"] for entry in service.get_history("s")] == ["Hello 2", {"n": 2}]
    assert drawer.made[-1].config == {"custom_key_1": "oak", "custom_key_2": 7}
    assert type(drawer.made[-1]).__name__ == "DrawerProvider"
    service.clear("s")
    assert service.get_history("s") == []


@pytest.mark.parametrize(
    "config",
    [
        {"type": "DrawerProvider", "module_path": "tests.service.drawer"},
        {"type": "tests.service.drawer:DrawerProvider"},
        {"type": "tests.service.drawer:make"},
    ],
)
def test_a_history_provider_is_found_by_name(serve, config):
    service = serve(config)
    service.store_history("s", "user", "Hello")
    assert service.get_history("s") == [{"role": "user", "content": "Hello"}]
    with threadkeep.connect(config) as memory:
        memory.session("t").add("Hello")
        assert memory.describe()["engine"] == "history provider DrawerProvider"


def test_a_history_provider_keeps_long_term_memory_of_all_identifiers(serve):
    config = {
        "type": "memory",
        "enable_long_term_memory": True,
        "long_term_memory_config": {
            "llm_config": {
                "model": "gpt-5",
                "api_key": "none",
                "base_url": "http://127.0.0.1:9/v1",
            },
            "store_config": {"type": "custom", "module_path": "tests.service.drawer", "key": 1},
        },
    }
    service = serve(config)
    service.memory.user("ada").facts.add("Ada likes tea")
    assert service.get_facts("s", identity="ada") == ["Ada likes tea"]
    assert drawer.made[-1].config == {"key": 1}
    assert len(drawer.made[-1].sessions) == 2  # what is known of her, and how it is kept


def test_a_crowd_of_threads_loses_nothing_in_a_history_provider(serve):
    service = serve({"type": "custom", "module_path": "tests.service.drawer"}, max_turns=1_000)

    def write(writer):
        for n in range(12):
            service.store_history("s", f"role-{writer}", f"{writer}-{n}")

    run_in_threads(*(functools.partial(write, writer) for writer in range(8)))
    parts = [text for turn in service.get_history("s") for text in turn["content"].split("\n\n")]
    assert sorted(parts) == sorted(f"{writer}-{n}" for writer in range(8) for n in range(12))
    for writer in range(8):
        own = [part for part in parts if part.startswith(f"{writer}-")]
        assert own == [f"{writer}-{n}" for n in range(12)]


@pytest.fixture
def announced(monkeypatch):
    points = EntryPoints([EntryPoint("shelf", "tests.service.shelf:ShelfProvider", plugins.GROUP)])
    monkeypatch.setattr(plugins, "entry_points", lambda **by: points.select(**by))


@pytest.mark.proves("A22")
@pytest.mark.usefixtures("announced")
def test_a_package_may_announce_a_provider(serve):
    serve({"type": "shelf", "colour": "oak"}).store_history("s", "user", "Hello")
    assert shelf.made[-1].options == {"colour": "oak"}


@pytest.mark.proves("A22")
@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"type": "shelv"}, "type: there is no provider 'shelv'; did you mean 'shelf'"),
        ({"type": "custom"}, "module_path is missing"),
        ({"type": "custom", "module_path": "."}, "module_path is missing"),
        ({"type": "custom", "module_path": "no.such.module"}, "module_path: .*No module named"),
        ({"type": "custom", "module_path": "../shelf.py"}, "module_path must be a dotted module"),
        ({"type": "custom", "module_path": "tests.service.shelves"}, "module_path: .*Plain, Picky"),
        ({"type": "custom", "module_path": "json"}, "module_path: json defines no class"),
        ({"type": "Plane", "module_path": "tests.service.shelves"}, "type: .*mean 'Plain'"),
        ({"type": "tests.service.shelves:Plane"}, "type: .*mean 'Plain'"),
        (
            {"type": "tests.service.shelves:nothing"},
            "nothing is not a threadkeep.Backend: it lacks",
        ),
        ({"type": "tests.service.shelves:Half"}, "Half is not a threadkeep.Backend: it lacks"),
        ({"type": "tests.service.shelves:Plain", "max_session": 3}, "max_session'"),
        (
            {"type": "custom", "module_path": "tests.service.halves"},
            "HalfProvider .*delete_session",
        ),
        ({"type": "tests.service.halves:HalfProvider"}, "HalfProvider .*lacks delete_session"),
        ({"type": "sqlite", "path": "x", "module_path": "a.b"}, "module_path belongs to"),
    ],
)
def test_what_is_no_provider_is_refused(serve, config, said):
    with pytest.raises(ConfigError, match=said):
        serve(config)


def test_a_provider_that_cannot_be_built_gives_no_secret_away(serve):
    with pytest.raises(ConfigError, match="password") as refused:
        serve({"type": "tests.service.shelves:Picky", "password": "hunter2", "host": "db.example"})
    assert "RuntimeError: *** does not open ***" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None, "the provider's own error names the secret"


def test_a_module_that_is_missing_is_an_import_error_too(serve):
    """Solace Agent Mesh raises `ImportError` there."""
    with pytest.raises(ImportError, match=r"no\.such\.module"):
        serve({"type": "CustomProvider", "module_path": "no.such.module"})


def test_the_group_is_the_documented_one():
    assert plugins.GROUP == "threadkeep.backends"
    assert plugins.installed_plugins() == sorted(
        importlib.metadata.entry_points(group=plugins.GROUP).names
    )
