"""A chat over HTTP for production: FastAPI, streaming, several workers, one store.

    export THREADKEEP_URL=postgresql://chat@db/chat CHAT_KEYS=keys.json OPENAI_API_KEY=...
    uvicorn --factory examples.fastapi_chat:create_app --workers 8
    threadkeep extract --watch --model gpt-5-mini

The last line is the worker that learns; no request waits for it.
"""

from examples.fastapi_chat.app import create_app

__all__ = ["create_app"]
