"""Transcripts of Claude Code and Codex, drawn: lines as these programs append them."""

from __future__ import annotations

import itertools
import json

from hypothesis import strategies as st

WORDS = st.text(st.sampled_from('abc é🧵\n"\\{'), min_size=1, max_size=12)
AT = "2025-09-01T10:00:{:02}.000Z"


def _line(value):
    return json.dumps(value, ensure_ascii=False).encode()


@st.composite
def claude_lines(draw):
    """Lines of one session with its sub-agents, events, repeated and damaged lines."""
    numbers, lines = itertools.count(), []

    def line(role, content, *, message=None, **fields):
        n = next(numbers)
        body = {"role": role, "content": content} | (message or {})
        return {
            "parentUuid": None, "isSidechain": False, "userType": "external", "cwd": "/src/app",
            "sessionId": "s1", "version": "2.1.0", "gitBranch": "main", "type": role,
            "message": body, "uuid": f"u{n}", "timestamp": AT.format(n % 60), **fields,
        }  # fmt: skip

    for kind in draw(st.lists(st.sampled_from(CLAUDE_KINDS), min_size=1, max_size=8)):
        text = draw(WORDS)
        if kind == "user":
            lines.append(line("user", text))
        elif kind == "answer":
            usage = {"input_tokens": 3, "cache_read_input_tokens": 40, "output_tokens": 5}
            shared = {"id": f"msg_{next(numbers)}", "model": "claude-x", "usage": usage}
            call = {"type": "tool_use", "id": shared["id"], "name": "Bash", "input": {"c": text}}
            result = {"type": "tool_result", "tool_use_id": shared["id"], "content": text}
            lines += [
                line("assistant", [{"type": "text", "text": text}], message=shared),
                line("assistant", [call], message=shared),
                line("user", [result], toolUseResult={"stdout": text}),
            ]
        elif kind == "side":
            lines.append(line("user", text, isSidechain=True, agentId="a7"))
        elif kind == "meta":
            flag = draw(st.sampled_from(["isMeta", "isCompactSummary"]))
            lines.append(line("user", text, **{flag: True}))
        elif kind == "again" and lines:
            lines.append(draw(st.sampled_from(lines)))
        elif kind == "same id" and lines:
            lines.append({**line("user", text), "uuid": "u0"})
        elif kind == "event":
            lines.append({"type": draw(st.sampled_from(["summary", "mystery"])), "summary": text})
    return [_line(value) for value in lines]


DAMAGED = (b"", b"{broken", b"\xff{}", b"12")
CLAUDE_KINDS = ("user", "answer", "answer", "side", "meta", "again", "same id", "event")


@st.composite
def codex_lines(draw):
    """Lines of one rollout, with a head or without, in which people repeat themselves."""
    lines: list[dict[str, object]] = []
    total = 0

    def line(kind, **payload):
        lines.append({"timestamp": AT.format(len(lines) % 60), "type": kind, "payload": payload})

    if draw(st.booleans()):
        line("session_meta", id="r1", timestamp=AT.format(0), cwd="/src/app", git={"branch": "b"})
    for kind in draw(st.lists(st.sampled_from(CODEX_KINDS), min_size=1, max_size=8)):
        if kind == "user":
            text = draw(st.sampled_from(["yes", "go on", "<environment_context>\n</x>"]))
            content = [{"type": "input_text", "text": text}]
            line("response_item", type="message", role="user", content=content)
            line("event_msg", type="user_message", message=text)
        elif kind == "turn":
            line("turn_context", cwd="/src/app", model=draw(st.sampled_from(["g1", "g2"])))
        elif kind == "meta":
            line("session_meta", id="other", cwd="/elsewhere")
        elif kind == "call":
            call = {"name": "shell", "arguments": '{"c": 1}', "call_id": "c1"}
            line("response_item", type="function_call", **call)
            line("response_item", type="function_call_output", call_id="c1", output="a.py")
        elif kind == "tokens":
            total += draw(st.integers(0, 5))
            usage = {"input_tokens": 9, "cached_input_tokens": 4, "output_tokens": 2,
                     "reasoning_output_tokens": 1, "total_tokens": 11}  # fmt: skip
            info = {"total_token_usage": {"total_tokens": total}, "last_token_usage": usage}
            line("event_msg", type="token_count", info=info)
        else:
            content = [{"type": "output_text", "text": draw(st.sampled_from(["Done.", "ok"]))}]
            line("response_item", type="message", role="assistant", content=content)
    return [_line(value) for value in lines]


CODEX_KINDS = ("user", "user", "turn", "call", "tokens", "answer", "answer", "meta")


@st.composite
def transcripts(draw):
    """The bytes of a transcript: lines, some of them damaged or empty, and perhaps an open end."""
    lines = draw(st.one_of(claude_lines(), codex_lines()))
    for extra in draw(st.lists(st.sampled_from(DAMAGED), max_size=2)):
        lines.insert(draw(st.integers(min(1, len(lines)), len(lines))), extra)
    end = draw(st.sampled_from([b"\n", b"\n", b""]))
    return b"\n".join(lines) + end


@st.composite
def schedules(draw, maximum=6):
    """A transcript cut into pieces anywhere, also inside of a character, and where it is killed."""
    whole = draw(transcripts())
    cuts = draw(st.lists(st.integers(0, len(whole)), max_size=maximum).map(sorted))
    edges = [0, *cuts, len(whole)]
    pieces = [whole[start:end] for start, end in itertools.pairwise(edges)]
    kills = draw(st.lists(st.sampled_from(["", "restart", "fail"]), min_size=len(pieces),
                          max_size=len(pieces)))  # fmt: skip
    return whole, list(zip(pieces, kills, strict=True))
