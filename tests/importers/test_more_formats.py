"""More products, each with what its export is known for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from langgraph.store.sqlite import SqliteStore

from tests.importers.conftest import said
from threadkeep import import_chats
from threadkeep.testing import assert_valid

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
SECONDS = int(AT.timestamp())


def open_webui(id, user):
    def message(key, parent, role, text):
        return {"id": key, "parentId": parent, "childrenIds": [], "role": role, "content": text,
                "timestamp": SECONDS, "models": ["llama3"], "model": "llama3"}  # fmt: skip

    messages = {
        "1": message("1", None, "user", "Hi"),
        "2": message("2", "1", "assistant", "Old"),
        "3": message("3", "1", "assistant", "New"),
    }
    history = {"currentId": "3", "messages": messages}
    chat = {"id": "", "title": "Greeting", "models": ["llama3"], "history": history,
            "timestamp": SECONDS * 1000}  # fmt: skip
    return {"id": id, "user_id": user, "title": "Greeting", "chat": chat, "created_at": SECONDS}


def test_open_webui_has_branches_and_users(bring, memory):
    report = bring([open_webui("o1", "u1"), open_webui("o2", "u2")], user=None)
    assert (report.sessions, report.skipped) == (2, [])
    assert said(memory, "open-webui-o1") == [("user", "Hi"), ("assistant", "New")]
    assert len(said(memory, "open-webui-o1", hidden=True)) == 3
    chat = memory.session("open-webui-o1")
    assert (chat.info().user, chat.info().created_at, chat.items()[1].model) == ("u1", AT, "llama3")
    assert chat.items()[0].created_at == AT


@pytest.mark.parametrize("shape", ["list", "tree"])
def test_librechat_as_a_list_and_as_a_tree(bring, memory, shape):
    first = {"messageId": "a", "parentMessageId": "0000", "isCreatedByUser": True,
             "text": {"value": "Hi"}, "createdAt": "2024-05-06T07:08:09.000Z"}  # fmt: skip
    second = {"messageId": "b", "parentMessageId": "a", "isCreatedByUser": False, "sender": "GPT-4",
              "text": "", "content": [{"type": "text", "text": "Hello"}],
              "createdAt": "2024-05-06T07:08:10.000Z", "model": "gpt-4"}  # fmt: skip
    messages = [first, second] if shape == "list" else [{**first, "children": [second]}]
    export = {
        "conversationId": "l1",
        "endpoint": "openAI",
        "title": "T",
        "messages": messages,
        "exportAt": "10:00:00 GMT",
        "branches": True,
        "recursive": shape == "tree",
    }
    report = bring(export)
    assert report.skipped == []
    assert said(memory, "librechat-l1") == [("user", "Hi"), ("assistant", "Hello")]
    assert memory.session("librechat-l1").info().created_at == AT


def test_gemini_takes_prompts_and_answers(bring, memory):
    def activity(title, time, **fields):
        return {"header": "Gemini Apps", "title": title, "time": time,
                "products": ["Gemini Apps"], **fields}  # fmt: skip

    html = [{"html": "<p>It is <b>cold</b> &amp; wet.</p><p>Bye</p>"}]
    report = bring(
        [
            activity("Prompted Weather?", "2024-05-06T07:08:09.123Z", safeHtmlItem=html,
                     titleUrl="https://gemini.google.com/app/abc123"),
            activity("Prompted Alone", "2024-05-07T07:08:09Z"),
        ],
        name="MyActivity.json",
    )  # fmt: skip
    assert report.skipped == []
    assert said(memory, "gemini-abc123") == [
        ("user", "Weather?"), ("assistant", "It is cold & wet.\nBye"),
    ]  # fmt: skip
    assert said(memory, "gemini-2024-05-07") == [("user", "Alone")]


def test_solace_files_are_known_by_their_content_and_named_by_their_file(bring, memory):
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
               {"role": "action", "content": "x"}]  # fmt: skip
    session = {"history": history, "files": [{"url": "amfs://a.csv", "name": "a.csv"}],
               "last_active_time": SECONDS, "num_turns": 2}  # fmt: skip
    bring(session, name="sessions_web-1_history.json")
    assert said(memory, "web-1") == [("user", "Hi"), ("assistant", "Hello")]
    assert [file.name for file in memory.session("web-1").files.list()] == ["a.csv"]
    known = {"memory": {"facts": ["Ada likes tea"], "instructions": ["Be brief"]}}
    report = bring(known, name="sessions_ada_history.json", user=None)
    assert (report.facts, report.instructions) == (1, 1)
    assert memory.user("ada").instructions.list() == []
    (wish,) = memory.user("ada").instructions.list(status="quarantined")
    assert (wish.text, wish.extractor) == ("Be brief", "import:solace")


def test_letta_unpacks_what_users_said(bring, memory):
    packed = '{"type": "user_message", "message": "Hi", "time": "noon"}'
    call = {"id": "c1", "type": "function",
            "function": {"name": "send_message", "arguments": '{"message": "Hello"}'}}  # fmt: skip
    agent = {"id": "agent-1", "name": "Sam", "messages": [
        {"id": "m0", "role": "system", "content": [{"type": "text", "text": "You are Sam"}]},
        {"id": "m1", "role": "user", "content": [{"type": "text", "text": packed}],
         "created_at": "2024-05-06T07:08:09Z"},
        {"id": "m2", "role": "assistant", "content": None, "tool_calls": [call]},
        {"id": "m3", "role": "tool", "content": "ok", "tool_call_id": "c1"},
    ]}  # fmt: skip
    blocks = [{"label": "human", "value": "Name: Ada\n- Likes tea"},
              {"label": "persona", "value": "I am Sam"}]  # fmt: skip
    report = bring({"agents": [agent], "blocks": blocks, "tools": []}, name="sam.af")
    assert (report.facts, report.skipped) == (2, [])
    assert [fact.text for fact in memory.user("ada").facts.list()] == ["Name: Ada", "Likes tea"]
    chat = memory.session("letta-agent-1")
    assert chat.items()[1].text == "Hi"
    assert_valid(chat.window().to_openai(), provider="openai")


def test_zep_has_names_as_roles_and_facts_with_a_life(bring, memory):
    thread = {"thread_id": "z1", "user_id": "ada", "messages": [
        {"uuid": "m1", "role": "Ada", "role_type": "user", "content": "Hi",
         "created_at": "2024-05-06T07:08:09Z"},
        {"uuid": "m2", "name": "Bot", "role_type": "assistant", "role": "x", "content": "Hello"},
        {"uuid": "m3", "role_type": "wizard", "role": "y", "content": "Abra"},
    ]}  # fmt: skip
    edges = {"edges": [{"uuid": "e1", "fact": "Ada lives in Oslo", "name": "LIVES_IN",
                        "valid_at": "2024-05-06T07:08:09Z", "invalid_at": None}]}  # fmt: skip
    report = bring(thread, name="z.json")
    assert [skipped.location for skipped in report.skipped] == ["z.json:1.messages[2]"]
    chat = memory.session("z1")
    assert said(memory, "z1") == [("user", "Hi"), ("assistant", "Hello")]
    assert [item.name for item in chat.items()] == ["Ada", "Bot"]
    bring(edges, name="edges.json")
    (fact,) = memory.user("ada").facts.list()
    assert (fact.valid_from, fact.extractor) == (AT, "import:zep")


@pytest.mark.proves("D20")
def test_the_store_of_langgraph(memory, tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteStore.from_conn_string(path) as store:
        store.setup()
        store.put(("memories", "ada"), "1", {"text": "Ada likes tea"})
        store.put(("memories", "ada"), "2", {"kind": "Memory", "content": {"content": "Has a cat"}})
        store.put(("bob", "memories"), "1", {"memory": "Bob likes beer"})
        store.put(("settings",), "theme", {"dark": True})
    report = import_chats(memory, path)
    assert report.facts == 3
    assert len(report.skipped) == 1
    texts = {fact.text for fact in memory.user("ada").facts.list()}
    assert texts == {"Ada likes tea", "Has a cat"}
    assert [fact.text for fact in memory.user("bob").facts.list()] == ["Bob likes beer"]
