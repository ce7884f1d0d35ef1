"""Providers of other people: how they are found, built, and refused."""

import importlib.metadata
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from tests.service import shelf, shelves
from threadkeep.config import plugins
from threadkeep.errors import ConfigError


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
        ({"type": "tests.service.shelves:nothing"}, "nothing is no threadkeep.Backend: it lacks"),
        ({"type": "tests.service.shelves:Half"}, "Half is no threadkeep.Backend: it lacks"),
        ({"type": "tests.service.shelves:Plain", "max_session": 3}, "max_session'"),
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


def test_the_group_is_the_documented_one():
    assert plugins.GROUP == "threadkeep.backends"
    assert plugins.installed_plugins() == sorted(
        importlib.metadata.entry_points(group=plugins.GROUP).names
    )
