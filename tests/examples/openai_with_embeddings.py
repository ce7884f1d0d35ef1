"""A scripted model that has embeddings too: the same one for every text."""

from __future__ import annotations

import json

from threadkeep.testing import ScriptedModel
from threadkeep.testing.model.server import HttpAnswer


class OpenAIWithEmbeddings(ScriptedModel):
    """`ScriptedModel` with `POST /v1/embeddings`."""

    def _handle_request(self, method: str, path: str, body: bytes) -> HttpAnswer:
        if path != "/v1/embeddings":
            return super()._handle_request(method, path, body)
        texts = json.loads(body)["input"]
        rows = [texts] if isinstance(texts, str) else texts
        data = [{"object": "embedding", "index": n, "embedding": _VECTOR} for n in range(len(rows))]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return HttpAnswer(200, {"object": "list", "data": data, "model": "same", "usage": usage})


_VECTOR = [1.0] + [0.0] * 1535
