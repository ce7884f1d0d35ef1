"""Reading conversations from files: four formats, recognised by what they hold."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from examples.conversations import read
from threadkeep.testing.validity import assert_valid

ASKED = {"role": "user", "content": "Weather?"}
TOLD = {"role": "assistant", "content": "Sunny"}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


@pytest.fixture
def write(tmp_path):
    def write(content, name="chat.json"):
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, "utf-8")
        return path

    return write


def lines(*values):
    return "".join(f"{json.dumps(value)}\n" for value in values)


def error(path):
    with pytest.raises(ValueError) as caught:
        list(read(path))
    return str(caught.value)


# --- OpenAI-style messages ---


def test_a_list_of_messages_is_one_conversation(write):
    (found,) = read(write([ASKED, TOLD]))
    assert (found.id, found.title, found.user, found.speakers) == ("chat", None, None, ())
    assert found.messages == [ASKED, TOLD]


def test_an_object_with_messages(write):
    (found,) = read(write({"id": 7, "title": "Trip", "user": "ada", "messages": [ASKED, TOLD]}))
    assert (found.id, found.title, found.user) == ("7", "Trip", "ada")
    assert found.messages == [ASKED, TOLD]


def test_a_list_of_conversations(write):
    found = list(read(write([{"messages": [ASKED]}, {"id": "b", "messages": []}, [ASKED, TOLD]])))
    assert [each.id for each in found] == ["chat-1", "b", "chat-3"]
    assert [len(each.messages) for each in found] == [1, 0, 2]


def test_a_message_per_line(write):
    (found,) = read(write("\n" + lines(ASKED, TOLD) + "\n\n", "chat.jsonl"))
    assert found.id == "chat"
    assert found.messages == [ASKED, TOLD]


def test_a_conversation_per_line_as_in_fine_tuning_files(write):
    weighed = {**TOLD, "weight": 0}
    found = list(read(write(lines({"messages": [ASKED, weighed]}, {"messages": [ASKED]}))))
    assert [each.id for each in found] == ["chat-1", "chat-2"]
    assert found[0].messages == [ASKED, {**TOLD, "metadata": {"weight": 0}}]


@pytest.mark.parametrize("value", [ASKED, {"messages": [ASKED]}])
def test_one_line_is_enough(write, value):
    (found,) = read(write(lines(value)))
    assert found.messages == [ASKED]


def test_a_byte_order_mark_and_windows_lines_are_no_obstacle(write):
    (found,) = read(write("\ufeff" + lines(ASKED, TOLD).replace("\n", "\r\n")))
    assert found.messages == [ASKED, TOLD]


def test_a_separator_inside_a_text_does_not_end_its_line(write):
    said = {"role": "user", "content": "one\u2028two\x85three"}
    (found,) = read(write("".join(f"{json.dumps(m, ensure_ascii=False)}\n" for m in (said, TOLD))))
    assert found.messages == [said, TOLD]


def test_what_add_understands_is_kept_and_the_rest_is_metadata(write):
    parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "u"}}]
    given = [
        {"role": "user", "content": parts, "name": "Ada", "id": "m1", "timestamp": 1700000000},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [CALL],
            "created_at": "2024-01-02T03:04:05Z",
            "metadata": {"model": "m"},
            "rating": 5,
            "audio": None,
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "assistant", "content": None, "refusal": "I cannot say"},
    ]
    (found,) = read(write(given))
    assert found.speakers == ("Ada",)
    assert found.messages == [
        {"role": "user", "content": parts, "name": "Ada", "id": "m1", "created_at": 1700000000},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [CALL],
            "created_at": "2024-01-02T03:04:05Z",
            "metadata": {"model": "m", "rating": 5},
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "assistant", "content": "I cannot say"},
    ]


def test_outdated_function_calls_become_tool_calls(write):
    ask = {"role": "assistant", "content": None, "function_call": CALL["function"]}
    answer = {"role": "function", "name": "weather", "content": "sunny"}
    (found,) = read(write([ASKED, ask, answer, ask, answer]))
    assert [message["role"] for message in found.messages][1:3] == ["assistant", "tool"]
    assert_valid(found.messages, "openai")


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("hi", r"chat.json[1]: must be a dict"),
        ({"content": "hi"}, "chat.json[1].role: must be one of"),
        ({"role": "robot", "content": "hi"}, "chat.json[1].role: must be one of"),
        ({"role": "user"}, "chat.json[1].content: is missing"),
        ({"role": "user", "content": None}, "chat.json[1].content: is missing"),
        ({"role": "user", "content": 7}, "chat.json[1].content: must be a text or a list"),
        ({**ASKED, "name": 7}, "chat.json[1].name: must be a str"),
        ({**ASKED, "created_at": []}, "chat.json[1].created_at: must be a time"),
        ({**ASKED, "created_at": True}, "chat.json[1].created_at: must be a time"),
        ({**ASKED, "metadata": "x"}, "chat.json[1].metadata: must be a dict"),
        ({**TOLD, "tool_calls": CALL}, "chat.json[1].tool_calls: must be a list"),
        ({**TOLD, "tool_calls": ["x"]}, "chat.json[1].tool_calls[0]: must be a dict"),
        ({**TOLD, "tool_calls": [{"id": "c"}]}, "chat.json[1].tool_calls[0]: has no name"),
        ({**TOLD, "function_call": "f"}, "chat.json[1].function_call: must be a dict"),
    ],
)
def test_a_malformed_message_is_named_by_its_place(write, entry, place):
    assert error(write([ASKED, entry])).startswith(place)


def test_a_malformed_line_or_conversation_is_named_by_its_place(write):
    broken = lines(ASKED) + "\n{broken\n"
    assert error(write(broken)).startswith("chat.json line 3: not JSON")
    assert error(write(lines(ASKED, [1]))).startswith("chat.json line 2: must be a dict")
    cases = [{"messages": [ASKED]}, {"messages": [ASKED, 7]}]
    assert error(write(cases)).startswith("chat.json[1].messages[1]: must be a dict")
    assert error(write([cases[0], {"x": 1}])).startswith("chat.json[1].messages: must be a list")


def test_ids_that_would_swallow_a_message_or_a_conversation_are_refused(write):
    twice = {**ASKED, "id": "m1"}
    assert "two messages have the id 'm1'" in error(write([twice, twice]))
    same = {"id": "a", "messages": [ASKED]}
    assert "two conversations have the id 'a'" in error(write([same, same]))


@pytest.mark.parametrize(
    "content",
    ["", "\n", "[]", "{}", "7", "null", '"hi"', "[1]", "[[]]", '{"a": 1}', '[{"mapping": []}]'],
)
def test_a_file_of_no_known_format_says_what_was_expected(write, content):
    said = error(write(content))
    assert "chat.json holds no conversations" in said
    for form in ("OpenAI-style messages", "JSON Lines", "ChatGPT export", "LoCoMo"):
        assert form in said


@pytest.mark.parametrize("content", ["hello there", '[{"role": "user",\n', "{'role': 1}\n{}\n"])
def test_a_file_that_is_not_json_says_so(write, content):
    said = error(write(content))
    assert "chat.json is neither JSON nor JSON Lines" in said
    assert "Expected one of" in said


def test_a_file_that_is_not_text_or_not_there(tmp_path):
    path = tmp_path / "chat.json"
    with pytest.raises(FileNotFoundError):
        read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a text file in UTF-8"):
        read(path)


# --- ChatGPT export ---


def node(id, parent, role=None, text="", /, **more):
    """A node; `more` goes into its message."""
    message = None
    if role:
        content = {"content_type": "text", "parts": [text]}
        message = {"id": f"m-{id}", "author": {"role": role}, "content": content, **more}
    return {"id": id, "parent": parent, "children": [], "message": message}


def export(*nodes, current="last", **more):
    mapping = {each["id"]: each for each in nodes}
    return [{"title": "Trip", "id": "conv", "mapping": mapping, "current_node": current, **more}]


def test_the_current_path_of_an_export(write):
    chosen = [
        node("root", None),
        node("system", "root", "system", ""),
        node("ask", "system", "user", "Where?", create_time=1700000000.5),
        node("old", "ask", "assistant", "Paris"),
        node("last", "ask", "assistant", "Rome", metadata={"model_slug": "gpt-5"}, recipient="all"),
    ]
    (found,) = read(write(export(*chosen)))
    assert (found.id, found.title) == ("conv", "Trip")
    assert found.messages == [
        {"role": "user", "content": "Where?", "id": "m-ask", "created_at": 1700000000.5},
        {
            "role": "assistant",
            "content": "Rome",
            "id": "m-last",
            "metadata": {"model": "gpt-5"},
        },
    ]


def test_an_export_of_one_conversation_and_without_a_current_node(write):
    nodes = [
        node("ask", None, "user", "Where?"),
        node("early", "ask", "assistant", "Paris", create_time=1),
        node("late", "ask", "assistant", "Rome", create_time=2),
    ]
    nodes[0]["children"] = ["early", "late"]
    (whole,) = export(*nodes, current=None)
    (found,) = read(write(whole))
    assert [message["content"] for message in found.messages] == ["Where?", "Rome"]


def test_hidden_empty_and_inner_nodes_are_left_out(write):
    inner = {"content_type": "thoughts", "thoughts": [{"content": "hm"}]}
    recap = {"content_type": "reasoning_recap", "content": "Thought for 3 seconds"}
    hidden = {"is_visually_hidden_from_conversation": True}
    nodes = [
        node("1", None, "system", "be brief", metadata=hidden),
        node("2", "1", "system", "Knowledge is open"),
        node("3", "2", "user", "hi"),
        node("4", "3", "assistant", content=inner),
        node("5", "4", "assistant", content=recap),
        node("6", "5", "assistant", "  "),
        node("last", "6", "assistant", "hello"),
    ]
    (found,) = read(write(export(*nodes)))
    said = [message["content"] for message in found.messages]
    assert said == ["Knowledge is open", "hi", "hello"]


def test_parts_other_than_text(write):
    image = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://f1"}
    spoken = {"content_type": "audio_transcription", "text": "what is it"}
    sound = {"content_type": "audio_asset_pointer", "asset_pointer": "file-service://f2"}
    content = {"content_type": "multimodal_text", "parts": [image, "Look", spoken, sound, None]}
    files = [{"id": "f1", "name": "cat.png"}]
    nodes = [node("last", None, "user", content=content, metadata={"attachments": files})]
    (found,) = read(write(export(*nodes)))
    assert found.messages[0]["content"] == "[image]\nLook\nwhat is it"
    assert found.messages[0]["metadata"] == {
        "attachments": files,
        "assets": ["file-service://f1", "file-service://f2"],
    }


def test_code_and_tools_become_calls_and_results(write):
    code = {"content_type": "code", "language": "python", "text": "print(6*7)"}
    query = {"content_type": "code", "text": '{"q": "rome"}'}
    ran = {"content_type": "execution_output", "text": "42"}
    nothing = {"content_type": "execution_output", "text": ""}
    page = {"content_type": "tether_browsing_display", "result": "A page"}
    quote = {"content_type": "tether_quote", "title": "Rome", "text": "A quote"}
    tool = {"role": "tool", "name": "python"}
    nodes = [
        node("1", None, "user", "compute"),
        node("2", "1", "assistant", content=code, recipient="python"),
        node("3", "2", "tool", content=ran, author=tool),
        node("4", "3", "assistant", content=code, recipient="python"),
        node("5", "4", "tool", content=nothing, author=tool),
        node("6", "5", "assistant", content=query, recipient="browser.search"),
        node("7", "6", "tool", content=page, author={"role": "tool", "name": "browser.search"}),
        node("8", "7", "tool", content=quote, author={"role": "tool", "name": "browser.search"}),
        node("last", "8", "assistant", "done"),
    ]
    (found,) = read(write(export(*nodes)))
    calls = [call for message in found.messages for call in message.get("tool_calls", [])]
    assert calls == [
        {"id": "m-2", "name": "python", "args": {"input": "print(6*7)"}},
        {"id": "m-4", "name": "python", "args": {"input": "print(6*7)"}},
        {"id": "m-6", "name": "browser_search", "args": {"q": "rome"}},
    ]
    results = [message for message in found.messages if message["role"] == "tool"]
    assert [(each["tool_call_id"], each["content"]) for each in results] == [
        ("m-2", "42"),
        ("m-4", ""),
        ("m-6", "A page\n\nA quote"),
    ]
    assert [message["role"] for message in found.messages][-2:] == ["tool", "assistant"]


def test_a_result_without_a_call_is_kept_as_one(write):
    nodes = [node("1", None, "tool", "remembered"), node("last", "1", "tool", "twice")]
    (found,) = read(write(export(*nodes)))
    (result,) = found.messages
    assert (result["tool_call_id"], result["content"]) == ("m-1", "remembered\n\ntwice")


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ([node("a", None)], "chat.json[0].mapping: has no node 'last'"),
        ([node("last", "gone")], "chat.json[0].mapping: has no node 'gone'"),
        ([node("last", "a"), node("a", "last")], "chat.json[0].mapping: node 'last' is its own"),
        ([node("last", None, "robot", "x")], "chat.json[0].mapping['last'].message.author.role"),
        ([node("last", None, "user", content="x")], "chat.json[0].mapping['last'].message.content"),
        ([node("last", None, "user", "x", id=7)], "chat.json[0].mapping['last']: must be a str"),
        (
            [node("last", None, "user", "x", create_time="now")],
            "chat.json[0].mapping['last'].message.create_time: must be a number",
        ),
    ],
)
def test_a_malformed_node_is_named_by_its_place(write, nodes, why):
    assert error(write(export(*nodes))).startswith(why)


# --- LoCoMo ---


def sample(**more):
    turn = {"speaker": "Ada", "dia_id": "D1:1", "text": "Hello!"}
    return {
        "sample_id": "conv-1",
        "conversation": {
            "speaker_a": "Ada",
            "speaker_b": "Bob",
            "session_10": [{**turn, "dia_id": "D10:1", "text": "Bye"}],
            "session_10_date_time": "12:30 am on 1 March, 2024",
            "session_1": [
                turn,
                {
                    "speaker": "Bob",
                    "dia_id": "D1:2",
                    "text": "Hi!",
                    "img_url": ["https://a.example/x.jpg"],
                    "blip_caption": "a cat",
                },
            ],
            "session_1_date_time": "1:05 pm on 29 February, 2024",
            "session_11_date_time": "1:05 pm on 2 March, 2024",
            **more,
        },
    }


def test_a_conversation_of_two_people(write):
    (found,) = read(write([sample()]))
    assert (found.id, found.title, found.user) == ("conv-1", "Ada and Bob", "Ada")
    assert found.speakers == ("Ada", "Bob")
    assert found.messages == [
        {
            "role": "user",
            "name": "Ada",
            "content": "Hello!",
            "id": "D1:1",
            "created_at": "2024-02-29T13:05:00+00:00",
            "metadata": {"session": 1},
        },
        {
            "role": "assistant",
            "name": "Bob",
            "content": "Hi!",
            "id": "D1:2",
            "created_at": "2024-02-29T13:05:01+00:00",
            "metadata": {
                "session": 1,
                "img_url": ["https://a.example/x.jpg"],
                "blip_caption": "a cat",
            },
        },
        {
            "role": "user",
            "name": "Ada",
            "content": "Bye",
            "id": "D10:1",
            "created_at": "2024-03-01T00:30:00+00:00",
            "metadata": {"session": 10},
        },
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"session_1_date_time": None}, ".session_1_date_time: must be a str"),
        ({"session_1_date_time": "yesterday"}, ".session_1_date_time: must be a date like"),
        ({"session_1": {}}, ".session_1: must be a list"),
        ({"session_10": [{"speaker": "Ada"}]}, ".session_10[0].dia_id: must be a str"),
        (
            {"session_1": [{"speaker": "Eve", "dia_id": "D1:1", "text": "Hi"}]},
            ".session_1[0].speaker: 'Eve' is none of Ada, Bob",
        ),
    ],
)
def test_a_malformed_turn_is_named_by_its_place(write, change, why):
    assert error(write([sample(**change)])).startswith(f"chat.json[0].conversation{why}")


def test_a_sample_that_is_none_is_named_by_its_place(write):
    assert error(write([sample(), 7])).startswith("chat.json[1]: must be a dict")


@pytest.mark.skipif("THREADKEEP_LOCOMO" not in os.environ, reason="names no LoCoMo file")
def test_the_real_file_is_read_to_the_last_turn():
    path = Path(os.environ["THREADKEEP_LOCOMO"])
    talks = [sample["conversation"] for sample in json.loads(path.read_text("utf-8"))]
    turns = [
        sum(len(value) for value in talk.values() if isinstance(value, list)) for talk in talks
    ]
    found = list(read(path))
    assert [len(each.messages) for each in found] == turns
    assert len({each.id for each in found}) == len(talks)
    for talk, each in zip(talks, found, strict=True):
        assert each.speakers == (talk["speaker_a"], talk["speaker_b"])
        times = [message["created_at"] for message in each.messages]
        assert times == sorted(times)
        assert [m["content"] for m in each.messages if m["metadata"]["session"] == 1] == [
            turn["text"] for turn in talk["session_1"]
        ]
