"""Chat memory: sessions, model-ready windows and long-term memory on any storage backend."""
