"""From a URL, a dict or a client to validated settings and a store."""
