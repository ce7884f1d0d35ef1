"""What is known of a user, and its erasure."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from examples.fastapi_chat.identity import CurrentMemory, CurrentUser

router = APIRouter(prefix="/me")


@router.get("/facts")
async def list_facts(memory: CurrentMemory, user: CurrentUser) -> Any:
    """What was learned about the user, with ids to forget single facts by."""
    facts = await memory.user(user).facts.alist()
    return {"facts": [{"id": fact.id, "text": fact.text} for fact in facts]}


@router.delete("/facts/{fact_id}", status_code=204)
async def forget_fact(fact_id: str, memory: CurrentMemory, user: CurrentUser) -> None:
    """Forget one fact."""
    await memory.user(user).facts.aforget(fact_id)


@router.delete("")
async def forget_me(memory: CurrentMemory, user: CurrentUser) -> Any:
    """Erase everything of the user; the receipt says how much went, and what lies elsewhere.

    `purge=False`: the store's own files are cleaned by `memory.purge()`, at night.
    """
    receipt = await memory.user(user).aforget(purge=False)
    return {"records": int(receipt), "left": list(receipt.beyond)}
