"""Makes exports as their makers write them, small and of any length."""

from __future__ import annotations

import json


def chatgpt_node(key, parent, role, text, *, at=1_700_000_000.0, **message):
    """A node of a tree; `text=None` has no message, as a root."""
    payload = None if text is None else {
        "id": key,
        "author": {"role": role, "name": message.pop("name", None), "metadata": {}},
        "create_time": at,
        "content": message.pop("content", {"content_type": "text", "parts": [text]}),
        "status": "finished_successfully",
        "end_turn": True,
        "weight": 1.0,
        "metadata": message.pop("metadata", {}),
        "recipient": message.pop("recipient", "all"),
        **message,
    }  # fmt: skip
    return key, {"id": key, "message": payload, "parent": parent, "children": []}


def chatgpt(id, *nodes, leaf=None, title="Tea", **fields):
    """A conversation of ChatGPT's export."""
    mapping = dict(nodes)
    for key, node in mapping.items():
        if node and node.get("parent") in mapping and mapping[node["parent"]]:
            mapping[node["parent"]]["children"].append(key)
    return {
        "title": title,
        "create_time": 1_700_000_000.123,
        "update_time": 1_700_000_100.5,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": leaf or list(mapping)[-1],
        "conversation_id": id,
        "id": id,
        "gizmo_id": None,
        **fields,
    }


def simple_chatgpt(id, turns=2):
    """A conversation with one branch."""
    nodes = [chatgpt_node(f"{id}-root", None, "system", None)]
    for n in range(turns):
        role = "assistant" if n % 2 else "user"
        nodes.append(chatgpt_node(f"{id}-{n}", nodes[-1][0], role, f"{id} says {n}"))
    return chatgpt(id, *nodes)


def claude_message(uuid, sender, text, *, parent=None, content=None, **fields):
    """A message of Claude's export."""
    message = {
        "uuid": uuid,
        "text": text,
        "content": content or [{"type": "text", "text": text, "citations": []}],
        "sender": sender,
        "created_at": "2025-03-04T05:06:07.890123Z",
        "updated_at": "2025-03-04T05:06:07.890123Z",
        "attachments": [],
        "files": [],
    }
    return {**message, **({"parent_message_uuid": parent} if parent else {}), **fields}


def claude(uuid, *messages, **fields):
    """A conversation of Claude's export."""
    return {
        "uuid": uuid,
        "name": "Ferries",
        "created_at": "2025-03-04T05:06:00Z",
        "updated_at": "2025-03-04T05:07:00Z",
        "account": {"uuid": "account-1"},
        "chat_messages": list(messages),
        **fields,
    }


def lines(values):
    """JSON Lines."""
    return "".join(f"{json.dumps(value)}\n" for value in values)


def claude_code(session, *turns):
    """Lines of a transcript of Claude Code."""
    yield {"type": "summary", "summary": "Fix a test", "leafUuid": "u1"}
    parent = None
    for n, (role, content) in enumerate(turns):
        uuid = f"{session}-{n}"
        message = {"role": role, "content": content}
        if role == "assistant":
            message |= {"id": f"msg_{n}", "type": "message", "model": "claude-x",
                        "usage": {"input_tokens": 3, "output_tokens": 5}}  # fmt: skip
        yield {
            "parentUuid": parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": "/src",
            "sessionId": session,
            "version": "2.0.1",
            "gitBranch": "main",
            "type": role,
            "message": message,
            "uuid": uuid,
            "timestamp": f"2025-09-01T10:00:{n:02}.000Z",
        }
        parent = uuid


def codex(id):
    """Lines of a rollout of Codex."""
    at = "2025-09-01T10:00:00.000Z"

    def line(kind, **payload):
        return {"timestamp": at, "type": kind, "payload": payload}

    yield line("session_meta", id=id, timestamp=at, cwd="/src", git={"branch": "main"})
    user = [{"type": "input_text", "text": "List the files"}]
    yield line("response_item", type="message", role="user", content=user)
    yield line("event_msg", type="user_message", message="List the files")
    yield line("turn_context", cwd="/src", model="gpt-x")
    yield line(
        "response_item", type="reasoning", summary=[], content=None, encrypted_content="gAAA"
    )
    call = {"name": "shell", "arguments": '{"command": ["ls"]}', "call_id": "call_1"}
    yield line("response_item", type="function_call", **call)
    yield line("response_item", type="function_call_output", call_id="call_1", output="a.py")
    answer = [{"type": "output_text", "text": "There is a.py."}]
    yield line("response_item", type="message", role="assistant", content=answer)
    yield line("event_msg", type="agent_message", message="There is a.py.")


def mem0(*texts, user="ada"):
    """What mem0's `get_all` answers."""
    return {
        "results": [
            {
                "id": f"m{n}",
                "memory": text,
                "hash": f"{n:032x}",
                "metadata": None,
                "created_at": "2025-01-02T03:04:05.678-08:00",
                "updated_at": None,
                "user_id": user,
            }
            for n, text in enumerate(texts)
        ]
    }
