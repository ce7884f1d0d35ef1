"""Pending approvals on every store."""

from __future__ import annotations

import threadkeep

CALL = {"type": "function_call", "call_id": "c1", "name": "pay", "arguments": '{"sum": 3}'}
REQUEST = {
    "type": "mcp_approval_request", "id": "r1", "server_label": "bank", "name": "pay",
    "arguments": '{"sum": 4}',
}  # fmt: skip


def test_pending_approvals_outlive_the_process_on_every_store(backend):
    with threadkeep.Memory(backend) as memory:
        memory.session("s", user="ada").add("Pay.", CALL, REQUEST)
    with threadkeep.Memory(backend) as memory:
        chat = memory.session("s", user="ada")
        pending = [(p.id, p.tool, p.arguments, p.server) for p in chat.pending_approvals()]
        assert pending == [("c1", "pay", {"sum": 3}, None), ("r1", "pay", {"sum": 4}, "bank")]
        chat.add({"type": "function_call_output", "call_id": "c1", "output": "paid"})
        chat.add({"type": "mcp_approval_response", "approval_request_id": "r1", "approve": True})
        assert chat.pending_approvals() == []
