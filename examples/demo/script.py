"""What is said in the demo's story: the user's part, and the scripted model's."""

from __future__ import annotations

from typing import Any

OPENING = (
    "I am Ada, and I have a dog called Bo. Plan a weekend in Lisbon: how is the weather, and what "
    "does the train from Porto cost? Look up both."
)
SECOND = "Two museums, please."
RECALL = "Remind me: who am I, what is my dog called, and where do we go?"
EDITED = "One museum and one garden, please."
OTHER = "And if we went to Coimbra instead? Answer from what you know."
BROKEN = "Look up the weather in Lisbon and in Porto again."
AFTER = "Never mind, I will look myself. Thank you!"

CALLS: list[dict[str, Any]] = [
    {"name": "weather", "args": {"city": "Lisbon"}},
    {"name": "train", "args": {"origin": "Porto", "destination": "Lisbon"}},
]
CITIES: list[dict[str, Any]] = [
    {"id": f"call_{city}", "name": "weather", "args": {"city": city}}
    for city in ("Lisbon", "Porto")
]


def recalled(request: dict[str, Any]) -> str:
    """What a model can know from the messages it was given, and from nothing else."""
    transcript = " ".join(str(message.get("content")) for message in request["messages"][:-1])
    if not all(name in transcript for name in ("Ada", "Bo", "Lisbon")):
        return "I cannot know: nothing of that is in the messages I got."
    return "You are Ada, your dog is Bo, and the two of you go to Lisbon by train."


def noted(request: dict[str, Any]) -> str:
    """What stands in the messages of two other frameworks, one of them a tool's."""
    transcript = " ".join(str(message.get("content")) for message in request["messages"][:-1])
    words = ("Ada", "Bo", "Lisbon", "24 degrees")
    return ", ".join(word for word in words if word in transcript) + "."


CHAT = [
    {"tool_calls": CALLS},
    "Lisbon will be sunny at 24 degrees; the train takes 3 hours and costs 35 euros.",
    "The tile museum and the maritime museum.",
]
RESTARTED = [recalled]
RETRIED = ["The tile museum, and the garden of the Gulbenkian.", "Coimbra is nearer: the library!"]
AFTERWARDS = ["You are welcome. Enjoy Lisbon, and greet Bo."]

BY_LANGCHAIN = (
    "I am Ada, and my dog is called Bo. How is the weather in Lisbon?",
    [{"tool_calls": CALLS[:1]}, "Sunny, 24 degrees. Bo will like it."],
)
BY_LLAMA_INDEX = ("Where was that, and who comes along?", [recalled])
BY_AGENTS = ("In one line, for the diary: who, where, and how warm?", [noted])
