"""Actions behind an answer, as a gateway of Solace Agent Mesh stores them."""

import json

import pytest

from threadkeep.errors import InputError

ACTIONS = [
    {"agent_name": "sql", "action_name": "query", "action_params": {"month": "May"}},
    {"agent_name": "chart", "action_name": "draw", "action_params": {}, "more": [1]},
]
METADATA = (
    "<message_metadata>\n"
    "[Following actions were called to generate this response:]"
    "\n - Agent: sql\n   Action: query\n   Action Parameters: {'month': 'May'}"
    "\n - Agent: chart\n   Action: draw\n   Action Parameters: {}"
    "\n</message_metadata>\n\n"
)


def test_actions_stand_in_front_of_the_answer(service):
    service.store_history("s", "user", "What did we sell?")
    service.store_actions("s", ACTIONS)
    pending = [{"role": "tool_call", "content": action} for action in ACTIONS]
    assert service.get_history("s")[1:] == pending
    service.store_history("s", "assistant", "1,204 units.")
    service.store_history("s", "assistant", "[Returned file: a.csv]")
    expected = f"{METADATA}1,204 units.\n\n[Returned file: a.csv]"
    assert service.get_history("s")[1:] == [{"role": "assistant", "content": expected}]


def test_the_next_user_message_ends_actions_without_answer(service):
    service.store_actions("s", ACTIONS)
    service.store_history("s", "user", "And in June?")
    service.store_history("s", "assistant", "700.")
    assert [entry["content"] for entry in service.get_history("s")] == ["And in June?", "700."]


def test_no_limit_counts_actions_and_the_last_answer_keeps_its_own(serve, provider):
    service = serve(provider, history_policy={"max_turns": 1, "max_characters": 300})
    service.store_history("s", "user", "one")
    service.store_actions("s", ACTIONS * 9)
    assert service.get_history("s")[0] == {"role": "user", "content": "one"}
    assert len(service.get_history("s")) == 19
    service.store_history("s", "user", "two")
    service.store_actions("s", ACTIONS)
    service.store_history("s", "assistant", "answer")
    assert service.get_history("s") == [{"role": "assistant", "content": f"{METADATA}answer"}]
    service.clear_history("s", keep_levels=1)
    assert service.get_history("s") == [{"role": "assistant", "content": f"{METADATA}answer"}]


def test_models_never_see_actions_as_messages(service):
    service.store_history("s", "user", "Hello")
    service.store_actions("s", ACTIONS)
    assert [item.text for item in service.memory.session("s").window()] == ["Hello"]


@pytest.mark.parametrize("nothing", [[], None, ()])
def test_no_actions_are_no_error(service, nothing):
    service.store_actions("s", nothing)
    assert service.memory.session("s").info() is None


@pytest.mark.parametrize("wrong", [{"agent_name": "x"}, "query", [1], [{"a": {1}}]])
def test_what_is_no_list_of_dicts_is_refused(service, wrong):
    with pytest.raises(InputError):
        service.store_actions("s", wrong)
    assert service.get_history("s") == []


def test_files_are_a_list_that_answers_by_url(service):
    report = {"url": "s3://b/report.csv", "name": "report.csv"}
    notes = {"name": "notes.txt"}
    for file in (report, notes, report):
        service.store_file("s", file)
    files = service.get_files("s")
    assert list(files) == [report, notes]
    assert json.loads(json.dumps(files)) == [report, notes]
    assert (files[0], files[-1], files[:1]) == (report, notes, [report])
    assert files["s3://b/report.csv"] == files.get("s3://b/report.csv") == report
    assert "notes.txt" in files
    assert report in files
    assert "s3://b/other" not in files
    assert files.get("s3://b/other") is None
    assert files == dict(files) == dict(files.items())
    assert files == list(files.values())
    assert files != {}
    with pytest.raises(KeyError):
        files["s3://b/other"]
    assert service.get_files("none") == [] == list({})
    assert service.get_files("none") == {}
