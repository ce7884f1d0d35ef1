"""The examples of the page on Solace's History Service, as a reader would paste them."""

import json
import sys

import pytest

from tests.service import shelf
from threadkeep.service import HistoryService

CONFIG = json.loads("""
{
   "type": "memory",
   "time_to_live": 3600,
   "expiration_check_interval": 60,
   "history_policy": {
      "max_characters": 30000,
      "max_turns": 10,
      "enforce_alternate_message_roles": true
   }
}
""")
CUSTOM = json.loads("""
{
  "type": "custom",
  "module_path": "path.to.custom.history.provider",
  "time_to_live": 3600,
  "expiration_check_interval": 60,
  "history_policy": {
    "max_characters": 30000,
    "max_turns": 10,
    "custom_key_1": "value_1",
    "custom_key_2": "value_2"
  }
}
""")


@pytest.mark.proves("A1", "A10", "A11", "A12", "A13", "A15")
def test_storing_retrieving_and_clearing(provider):
    config, session_id = {**CONFIG, **provider}, "session-1"
    file_meta = {
        "url": "amfs://session-1_report.csv",
        "name": "report.csv",
        "mime_type": "text/csv",
        "file_size": 12,
        "expiration_timestamp": 4_000_000_000.25,
    }

    history_service = HistoryService(config, identifier="my_identifier")

    role = "user"
    content = "Hello, World!"

    history_service.store_history(session_id, role, content)
    history_service.store_file(session_id, file_meta)

    history = history_service.get_history(session_id)
    assert history == [{"role": "user", "content": "Hello, World!"}]

    files = history_service.get_files(session_id)
    assert files == {"amfs://session-1_report.csv": file_meta}

    history_service.clear(session_id)
    assert history_service.get_history(session_id) == []
    assert history_service.get_files(session_id) == {}


@pytest.mark.proves("A1")
def test_the_identifier_may_be_given_by_place():
    assert HistoryService(CONFIG, "by place").identifier == "by place"


@pytest.mark.proves("A9", "A22")
def test_a_custom_provider_gets_every_key_that_is_not_ours(monkeypatch):
    for name in ("path", "path.to", "path.to.custom", "path.to.custom.history"):
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setitem(sys.modules, "path.to.custom.history.provider", shelf)

    monkeypatch.setattr(shelf, "__name__", "path.to.custom.history.provider")
    monkeypatch.setattr(shelf.ShelfProvider, "__module__", "path.to.custom.history.provider")
    service = HistoryService(CUSTOM, identifier="custom")
    service.store_history("s", "user", "Hello")

    assert shelf.made[-1].options == {"custom_key_1": "value_1", "custom_key_2": "value_2"}
    assert service.get_history("s") == [{"role": "user", "content": "Hello"}]
    service.close()
    assert shelf.made[-1].closed, "what the service made it closes"
